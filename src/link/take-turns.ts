// Works off pieces of work of many users, some at a time. Users take turns, and no user has two pieces in progress: one
// user's slow bank, or long list, does not hold up the others.

export interface TurnOptions {
  /** Pieces of work in progress at a time. */
  readonly parallel: number
  /** Whether time is up. Nothing is started after that; what is in progress is waited for. */
  readonly isOver: () => boolean
}

/** Returns what was not started. `act` must not reject: a rejection ends everything. */
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
