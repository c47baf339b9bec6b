const mostAtOnce = 4

/** Runs `work` for each input, a few at a time. */
export async function forEach<T>(inputs: readonly T[], work: (input: T) => Promise<void>): Promise<void> {
  const waiting = [...inputs]
  const workers = Array.from({ length: mostAtOnce }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next)
  })
  await Promise.all(workers)
}
