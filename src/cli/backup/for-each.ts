const mostAtOnce = 4

/**
 * Runs `work` for each input, a few at a time. After a failure, it starts nothing else, and rejects when what runs has
 * ended: the caller may then close what that uses.
 */
export async function forEach<T>(inputs: readonly T[], work: (input: T) => Promise<void>): Promise<void> {
  const waiting = [...inputs]
  const workers = Array.from({ length: mostAtOnce }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      try {
        await work(next)
      } catch (error) {
        waiting.length = 0
        throw error
      }
  })
  try {
    await Promise.all(workers)
  } finally {
    await Promise.allSettled(workers)
  }
}
