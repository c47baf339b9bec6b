// How much of a long proof runs: a sample in `npm test`, all of it in CI (`PROOFS=all`).
import { inject } from 'vitest'

/** Whether proofs of minutes that cannot be sampled run: in CI, and with `PROOFS=all`. */
export const runsLongProofs = (): boolean => inject('proofs') === 'all'

/** How many cases a proof draws: `few` in `npm test`, `all` in CI. */
export const sampleSize = ({ all, few }: { all: number; few: number }): number => (runsLongProofs() ? all : few)

/** Every nth case, beginning with number `first` modulo `nth`; all cases in CI. */
export function sampled<Case>(cases: readonly Case[], nth: number, first = 0): Case[] {
  if (runsLongProofs()) return [...cases]
  const sample = cases.filter((_, index) => index % nth === first % nth)
  if (sample.length === 0) throw new RangeError(`A sample of ${cases.length} cases is empty: sample more of them.`)
  return sample
}

/** A sample of 1 to `count`: the calls at which a proof injects a failure. */
export const sampledCalls = (count: number, nth: number, first = 0): number[] =>
  sampled(
    Array.from({ length: count }, (_, index) => index + 1),
    nth,
    first,
  )
