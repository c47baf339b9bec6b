// Moves traffic, and never moves what another deployment moved in the meantime. Cloudflare has no compare-and-set: the table is
// read immediately before and after each change.
import type { Cloudflare, Share } from '../lib/cloudflare.ts'

export const describeTraffic = (shares: readonly Share[] | null): string =>
  shares === null ? 'nothing' : shares.map(({ versionId, percentage }) => `${versionId} at ${percentage} %`).join(', ')

const key = (shares: readonly Share[]): string =>
  shares
    .map(({ versionId, percentage }) => `${versionId}@${percentage}`)
    .toSorted()
    .join()

/**
 * Whether two tables are the same. A version without traffic counts: every client can reach it by the version override header.
 */
export const isSameTraffic = (one: readonly Share[] | null, other: readonly Share[] | null): boolean =>
  one === null || other === null ? one === other : key(one) === key(other)

/** The versions that users reach. */
export const withTraffic = (shares: readonly Share[]): Share[] => shares.filter(({ percentage }) => percentage > 0)

/** The traffic is not what this deployment left: another one runs. */
export class ForeignDeploymentError extends Error {}

export interface Mover {
  move: (shares: readonly Share[], message: string) => Promise<void>
}

const reads = 5
const readPauseMs = 2000

/** Moves traffic that is as `start` says. `pause` waits between reads, because a read can be older than a change. */
export function createMover(
  cloudflare: Pick<Cloudflare, 'traffic' | 'setTraffic'>,
  start: readonly Share[],
  pause: (milliseconds: number) => Promise<void>,
): Mover {
  let expected = start
  /** Returns once the table is `wanted`. While it is what it was, the change may not be readable yet. */
  const confirm = async (wanted: readonly Share[], was: readonly Share[]): Promise<void> => {
    for (let read = 1; ; read += 1) {
      const found = await cloudflare.traffic()
      if (isSameTraffic(found, wanted)) return
      if (!isSameTraffic(found, was) || read === reads)
        throw new ForeignDeploymentError(
          `Another deployment changed the traffic: expected ${describeTraffic(wanted)}, found ${describeTraffic(found)}.`,
        )
      await pause(readPauseMs)
    }
  }
  return {
    move: async (shares, message) => {
      const was = expected
      await confirm(was, was)
      try {
        await cloudflare.setTraffic(shares, message)
      } catch (error) {
        // The response may be lost: what counts is the table.
        const found = await cloudflare.traffic()
        if (!isSameTraffic(found, shares)) throw error
      }
      expected = shares
      await confirm(shares, was)
    },
  }
}

const attempts = 3
const pauseMs = 5000

/**
 * Brings a traffic table back. Tries three times.
 * @throws Error of the last attempt
 */
export async function restoreTraffic(
  cloudflare: Pick<Cloudflare, 'traffic' | 'setTraffic'>,
  before: readonly Share[],
  { message, wait }: { message: string; wait: (milliseconds: number) => Promise<void> },
): Promise<void> {
  const shares = withTraffic(before)
  for (let attempt = 1; ; attempt += 1) {
    try {
      await cloudflare.setTraffic(shares, message)
      return
    } catch (error) {
      const found = await cloudflare.traffic().catch(() => null)
      if (isSameTraffic(found, shares)) return
      if (attempt === attempts) throw error
      await wait(pauseMs)
    }
  }
}
