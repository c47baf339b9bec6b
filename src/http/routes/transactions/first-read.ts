// The place of a client in a read that started at 0, among numbers whose removals are no longer listed. It has no rows that
// those removals concern; but removals that are deleted while it reads may concern rows that it has read. So its place also
// shows whether more have been deleted since the read started.

/**
 * A prime, so that the round numbers by which the counter rises keep no remainder. Two different numbers have the same
 * remainder with a probability of 1 in 131,071; that matters only if removals are deleted between two pages of one read.
 */
const modulus = 131_071

export interface FirstRead {
  /** The client has read up to this number. */
  readonly readTo: number
  /** The remainder of the number up to which removals were missing when the read started. */
  readonly remainder: number
}

const remainderOf = (missingTo: number): number => missingTo % modulus

/**
 * A negative integer.
 * @throws RangeError above 68 billion, where it would not be exact
 */
export function encodeFirstRead(readTo: number, missingTo: number): number {
  const place = readTo * modulus + remainderOf(missingTo)
  if (!Number.isSafeInteger(place)) throw new RangeError('The change numbers of this user are too high.')
  return -place
}

/** Any negative integer is a place, also one that a client made up. */
export const decodeFirstRead = (since: number): FirstRead => ({
  readTo: Math.floor(-since / modulus),
  remainder: -since % modulus,
})

/** Whether no removals were deleted since the read started. */
export const isUpToDate = ({ remainder }: FirstRead, missingTo: number): boolean => remainder === remainderOf(missingTo)
