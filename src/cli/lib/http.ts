// Sends requests to the API and to the simulator, with a timeout and an abort signal.

const timeoutMs = 30_000
const quotedCharacters = 500

export interface Answer {
  readonly status: number
  readonly text: string
}

/** Sends a request with an optional JSON body. Rejects only if there is no response. */
export type Send = (method: string, path: string, body?: string) => Promise<Answer>

export function sendTo(base: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Send {
  return async (method, path, body) => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    return { status: response.status, text: await response.text() }
  }
}

/** The text of a response that must have this status. */
export async function textOf(send: Send, status: number, method: string, path: string, body?: string): Promise<string> {
  const answer = await send(method, path, body)
  if (answer.status === status) return answer.text
  const said = answer.text.slice(0, quotedCharacters)
  throw new Error(`${method} ${path} returns ${answer.status} instead of ${status}: ${said}`)
}
