// Waits until the local Worker is ready: polls its /ready. The Worker writes the reason of a refusal only to its log,
// so this module reads it from there.
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'

const readyTimeoutMs = 20_000
// Slow enough for any rate limit. A database can take seconds to start.
const readyPollMs = 1_000
const requestTimeoutMs = 10_000
const reasonTimeoutMs = 2_000
const reasonPollMs = 20
const keptReasons = 100

const logLine = z.object({ request_id: z.string(), reason: z.string() })
const problem = z.object({ code: z.string(), detail: z.string() })

/** The reasons in a Worker's log lines, by request id. */
export interface Reasons {
  note(line: string): void
  of(requestId: string): string | undefined
}

export function createReasons(): Reasons {
  const byRequest = new Map<string, string>()
  return {
    note(line) {
      // wrangler marks error lines before the JSON.
      const start = line.indexOf('{')
      if (start < 0 || !line.includes('"reason"')) return
      const parsed = z.string().transform(parseJson).pipe(logLine).safeParse(line.slice(start))
      if (byRequest.size >= keptReasons) byRequest.clear()
      if (parsed.success) byRequest.set(parsed.data.request_id, parsed.data.reason)
    },
    of: (requestId) => byRequest.get(requestId),
  }
}

function parseJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue('is not JSON')
    return z.NEVER
  }
}

/** The log line takes another path than the response, so it can arrive a moment later. */
async function reasonOf(requestId: string, reasons: Reasons): Promise<string | undefined> {
  const deadline = performance.now() + reasonTimeoutMs
  while (reasons.of(requestId) === undefined && performance.now() < deadline) await delay(reasonPollMs)
  return reasons.of(requestId)
}

interface Refusal {
  message: string
  /** Whether polling again can help. A wrong configuration does not change. */
  passing: boolean
}

/** Null if the Worker is ready. */
async function ask(url: string, reasons: Reasons, signal: AbortSignal): Promise<Refusal | null> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)])
  const response = await fetch(`${url}/ready`, { signal: limit })
  const text = await response.text()
  if (response.ok) return null
  const requestId = response.headers.get('x-request-id') ?? ''
  const { code, detail } = z.string().transform(parseJson).pipe(problem).safeParse(text).data ?? {
    code: '',
    detail: text,
  }
  const reason = await reasonOf(requestId, reasons)
  const message = `GET /ready returns ${response.status} ${code}: ${reason ?? detail.slice(0, 500)}`
  return { message, passing: code !== 'misconfigured' }
}

/**
 * Resolves when `GET /ready` is 200. Rejects with the Worker's reason: immediately if the configuration is wrong, after
 * `timeoutMs` for any other refusal.
 */
export async function whenReady(
  url: string,
  reasons: Reasons,
  signal: AbortSignal,
  timeoutMs = readyTimeoutMs,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    signal.throwIfAborted()
    const refusal = await ask(url, reasons, signal).catch((error: unknown): Refusal => {
      return { message: `GET /ready: ${error instanceof Error ? error.message : 'no response'}`, passing: true }
    })
    if (refusal === null) return
    if (!refusal.passing || performance.now() >= deadline)
      throw new Error(`The Worker is not ready. ${refusal.message}`)
    await delay(readyPollMs, undefined, { signal })
  }
}
