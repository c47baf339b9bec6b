// Sends envelopes to Sentry for all reporters of an isolate: never for long, and not while Sentry refuses them or does
// not respond.

/** Sentry's categories of quotas, by the type of an envelope's item. */
const categories: Readonly<Record<string, string>> = { event: 'error', transaction: 'transaction', check_in: 'monitor' }
const everyCategory = ''

const timeoutMs = 5000
/** After a timeout, a lost connection or a 5xx. */
const pauseAfterFailureMs = 30_000
/** For a 429 that names no time, as Sentry's own clients do. */
const pauseAfterRefusalMs = 60_000
const longestPauseMs = 3_600_000

export interface Ingest {
  /** The `fetch` of a reporter. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Whether an item of that type would not be sent. */
  readonly isPaused: (itemType: string) => boolean
}

export interface IngestOptions {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly now: () => number
  /** Called once for each pause. */
  readonly onFailure: (error: unknown) => void
}

/** The type of an envelope's only item, which its second line names. */
function itemTypeOf(body: unknown): string {
  if (typeof body !== 'string') return everyCategory
  const start = body.indexOf('\n') + 1
  return /^\{"type":"(\w{1,32})"/.exec(body.slice(start, start + 64))?.[1] ?? everyCategory
}

const seconds = (text: string | null | undefined): number | null =>
  typeof text === 'string' && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : null

/**
 * The pauses that a response asks for: `X-Sentry-Rate-Limits: 60:transaction;error:organization, 2700::key`, else
 * `Retry-After` (https://develop.sentry.dev/sdk/expected-features/rate-limiting/).
 */
function pausesIn({ status, headers }: Response): readonly (readonly [category: string, ms: number])[] {
  const limits = headers.get('x-sentry-rate-limits')
  if (limits !== null)
    return limits.split(',').flatMap((limit) => {
      const [after, named = ''] = limit.trim().split(':')
      return named.split(';').map((category) => [category, seconds(after) ?? pauseAfterRefusalMs] as const)
    })
  if (status === 429) return [[everyCategory, seconds(headers.get('retry-after')) ?? pauseAfterRefusalMs]]
  return status >= 500 ? [[everyCategory, pauseAfterFailureMs]] : []
}

export function createIngest({ fetch, now, onFailure }: IngestOptions): Ingest {
  const pausedUntil = new Map<string, number>()
  const pause = (category: string, ms: number, error: unknown): void => {
    const isNew = (pausedUntil.get(category) ?? 0) <= now()
    pausedUntil.set(category, now() + Math.min(ms, longestPauseMs))
    if (isNew) onFailure(error)
  }
  return {
    isPaused: (itemType) =>
      [everyCategory, categories[itemType] ?? everyCategory].some((name) => (pausedUntil.get(name) ?? 0) > now()),
    fetch: async (url, init) => {
      let response: Response
      try {
        response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) })
        // The body is not read, and an unread body keeps the connection.
        await response.body?.cancel()
      } catch (error) {
        pause(everyCategory, pauseAfterFailureMs, error)
        throw error
      }
      for (const [category, ms] of pausesIn(response))
        pause(category, ms, new Error(`Sentry answered ${response.status} to an item of type ${itemTypeOf(init.body)}`))
      return response
    },
  }
}
