// An answer that must not be waited for without end.

/** The answer, or what `late` says when it takes longer: by default a rejection. What is waited for goes on by itself. */
export async function within<Answer>(
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
