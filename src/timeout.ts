// Timeouts for promises.

/** Resolves like `answer`, or with `late()` after `timeoutMs`; by default rejects then. Does not cancel `answer`. */
export async function withTimeout<Answer>(
  timeoutMs: number,
  answer: Promise<Answer>,
  late: () => Answer = () => {
    throw new Error(`no answer within ${timeoutMs} ms`)
  },
): Promise<Answer> {
  const { promise: deadline, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, timeoutMs)
  try {
    return await Promise.race([answer, deadline.then(late)])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Runs `work` with a signal that aborts after `timeoutMs`, and then rejects with a `TimeoutError` (a DOMException),
 * even if `work` ignores its signal. The timer ends with the work: workerd allows an isolate 10,000 timers, and one of
 * `AbortSignal.timeout` stays until it fires.
 */
export async function withDeadline<Result>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const gone = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const reason = new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError')
    gone.abort(reason)
    reject(reason)
  }, timeoutMs)
  try {
    return await Promise.race([work(gone.signal), late])
  } finally {
    clearTimeout(timer)
  }
}
