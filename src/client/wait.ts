// Waiting between attempts. Needs `setTimeout` and nothing of a browser or of Node.

const baseMs = 500
const mostMs = 8000

/** Half of the time is random, so that clients that failed together do not come back together. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(mostMs, baseMs * 2 ** (attempt - 1))
  return full / 2 + (full / 2) * random()
}

/** `Retry-After` in seconds: a number of seconds or a date (RFC 9110 §10.2.3); null if it is neither. */
export function retryAfterSeconds(headers: Headers, nowMs: number): number | null {
  const text = headers.get('retry-after')
  if (text === null) return null
  if (/^\d{1,9}$/.test(text)) return Number(text)
  // A date begins with the name of a day; Date.parse would take other text for a year.
  const atMs = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? null : Math.max(0, Math.ceil((atMs - nowMs) / 1000))
}

/** The reason of an aborted signal. React Native's signals have none. */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? Object.assign(new Error('The call was aborted.'), { name: 'AbortError' })
}

export function throwIfAborted(signal: AbortSignal | null | undefined): void {
  if (signal?.aborted === true) throw abortReason(signal)
}

/** Settles as `promise` does, or rejects when the signal is aborted. Does not cancel the promise. */
export async function orAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | null | undefined,
): Promise<Value> {
  throwIfAborted(signal)
  if (!signal) return await promise
  return await new Promise<Value>((resolve, reject) => {
    const abort = () => reject(abortReason(signal))
    signal.addEventListener('abort', abort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Resolves after `ms`, or rejects with the signal's reason. */
export async function wait(ms: number, signal: AbortSignal | null | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await orAborted(
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms)
      }),
      signal,
    )
  } finally {
    if (timer !== undefined) clearTimeout(timer)
  }
}
