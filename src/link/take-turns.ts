// Runs tasks of many users with bounded concurrency. Users take turns, with one task at a time each, so a user with a
// slow bank or many tasks does not hold up the others.

export interface TurnOptions {
  /** Concurrent tasks. */
  readonly parallel: number
  /** Whether time is up. No task is started after that; running ones are awaited. */
  readonly isOver: () => boolean
}

/** Returns the tasks that were not started. `act` must not reject. */
export async function takeTurns<Work extends { readonly userId: string }>(
  found: readonly Work[],
  act: (work: Work) => Promise<void>,
  { parallel, isOver }: TurnOptions,
): Promise<readonly Work[]> {
  const waiting = [...Map.groupBy(found, ({ userId }) => userId).values()]
  const worker = async (): Promise<void> => {
    while (!isOver()) {
      const ofUser = waiting.shift()
      const work = ofUser?.shift()
      if (ofUser === undefined || work === undefined) return
      await act(work)
      if (ofUser.length > 0) waiting.push(ofUser)
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return waiting.flat()
}
