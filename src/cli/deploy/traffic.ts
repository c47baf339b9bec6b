// Moves traffic, and never moves what another deployment moved in the meantime. Cloudflare has no compare-and-set: the table is
// read immediately before and after each change.
import type { Cloudflare, Deployment, Share } from '../lib/cloudflare.ts'

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

/** What Cloudflare keeps with each step of a deployment, so that any machine knows which version served before. */
export const stepMessage = (percentage: number, before: string): string => `deploy: ${percentage} %, before ${before}`
const stepPattern = /^deploy: \d+ %, before ([0-9a-f-]{36})$/

/** The version that served before the steps of a deployment, as its message says; null for another kind of deployment. */
export const servedBefore = ({ message }: Deployment): string | null => stepPattern.exec(message ?? '')?.[1] ?? null

/** The traffic is not what this deployment left: another one runs. */
export class ForeignDeploymentError extends Error {}

export interface Mover {
  move: (shares: readonly Share[], message: string) => Promise<void>
}

/** A minute: Cloudflare is eventually consistent. */
const reads = 30
const readPauseMs = 2000

/**
 * Moves traffic that is as `start` says. `pause` waits between reads, because a read can be older than a change. A table
 * that this deployment found or left is an old read and not another deployment, so a failure is undone.
 */
export function createMover(
  cloudflare: Pick<Cloudflare, 'traffic' | 'setTraffic'>,
  start: readonly Share[],
  pause: (milliseconds: number) => Promise<void>,
): Mover {
  let expected = start
  const own: (readonly Share[])[] = [start]
  /** Returns once the table is `wanted`. */
  const confirm = async (wanted: readonly Share[]): Promise<void> => {
    for (let read = 1; ; read += 1) {
      const found = await cloudflare.traffic()
      if (isSameTraffic(found, wanted)) return
      const difference = `expected ${describeTraffic(wanted)}, found ${describeTraffic(found)}`
      if (!own.some((table) => isSameTraffic(found, table)))
        throw new ForeignDeploymentError(`Another deployment changed the traffic: ${difference}.`)
      if (read === reads) throw new Error(`Cloudflare still shows an older traffic table: ${difference}.`)
      await pause(readPauseMs)
    }
  }
  return {
    move: async (shares, message) => {
      await confirm(expected)
      own.push(shares)
      try {
        await cloudflare.setTraffic(shares, message)
      } catch (error) {
        // The response may be lost: what counts is the table.
        const found = await cloudflare.traffic()
        if (!isSameTraffic(found, shares)) throw error
      }
      expected = shares
      await confirm(shares)
    },
  }
}

const attempts = 3
const pauseMs = 5000

/** Tries three times. @throws Error of the last attempt */
export async function insist<T>(work: () => Promise<T>, pause: (milliseconds: number) => Promise<void>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt === attempts) throw error
      await pause(pauseMs)
    }
  }
}

/**
 * Brings a traffic table back, also where it already reads so: that read can be older than a change. Tries three times.
 * @throws Error of the last attempt
 */
export async function restoreTraffic(
  cloudflare: Pick<Cloudflare, 'traffic' | 'setTraffic'>,
  before: readonly Share[],
  { message, wait }: { message: string; wait: (milliseconds: number) => Promise<void> },
): Promise<void> {
  const shares = withTraffic(before)
  try {
    await insist(() => cloudflare.setTraffic(shares, message), wait)
  } catch (error) {
    // The responses may be lost: what counts is the table.
    const found = await cloudflare.traffic().catch(() => null)
    if (!isSameTraffic(found, shares)) throw error
  }
}
