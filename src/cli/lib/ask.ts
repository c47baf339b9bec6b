// One HTTP request of a check, over node:http or node:https: it follows no redirect, says how long it took and can trust a
// certificate authority of a test.
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

const timeoutMs = 15_000
const maxBytes = 4_000_000

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** PEM of a certificate authority that is trusted in place of the usual ones. */
  readonly ca?: string | undefined
  readonly timeoutMs?: number
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly ms: number
}

/** @throws Error if there is no complete response */
export function ask(url: string, { method = 'GET', headers = {}, body, ca, ...rest }: Asked = {}): Promise<Answered> {
  const isTls = new URL(url).protocol === 'https:'
  const signal = AbortSignal.timeout(rest.timeoutMs ?? timeoutMs)
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const options = { method, headers, signal, agent: false, ...(isTls && ca !== undefined ? { ca } : {}) }
    const sent = (isTls ? httpsRequest : httpRequest)(url, options, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > maxBytes) sent.destroy(new Error(`${url} returns more than ${maxBytes} bytes.`))
        chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => {
        const ms = Math.round(performance.now() - startedAt)
        const seen = Object.entries(response.headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')])
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(seen), text, ms })
      })
    })
    sent.on('error', (cause) => {
      const reason = signal.aborted
        ? 'no response in time'
        : cause.message || String((cause as NodeJS.ErrnoException).code)
      reject(Object.assign(new Error(`${method} ${url}: ${reason}`), { code: (cause as NodeJS.ErrnoException).code }))
    })
    sent.end(body)
  })
}

/** The JSON of a response, or null where it is no JSON. */
export function jsonOf({ text }: Pick<Answered, 'text'>): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The code of an error, such as `ECONNREFUSED`; null if it has none. */
export const codeOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
