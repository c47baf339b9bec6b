// Availability and response times of samples, against the brief's success criteria. Time without a sample is unknown.
import * as z from 'zod'
import type { Sample } from './sample.ts'

const targetShare = 0.999
const targetMeanMs = 2000
/** A sample may be late by this share of the interval. */
const tolerance = 0.5

const sampleSchema = z.object({
  at: z.iso.datetime(),
  up: z.boolean(),
  ms: z.number().nullable(),
  status: z.number().nullable(),
  reason: z.string().nullable(),
})

/** The samples of a file. @throws Error that names the first line that is not a sample */
export function parseSamples(text: string): Sample[] {
  return text
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, number }) => {
      try {
        return sampleSchema.parse(JSON.parse(line))
      } catch {
        throw new Error(`Line ${number} is not a sample of npm run probe.`)
      }
    })
}

export interface Summary {
  readonly from: string | null
  readonly to: string | null
  readonly up: number
  readonly down: number
  /** Missing samples: they were due, and the file has none. */
  readonly missing: number
  /** Gaps without samples, the longest first. */
  readonly gaps: readonly { readonly from: string; readonly to: string; readonly missing: number }[]
  /** Of the samples that exist; null without one. */
  readonly observedShare: number | null
  /** The availability if missing samples count as down; null without a sample. */
  readonly leastShare: number | null
  readonly meanMs: number | null
  readonly worstMs: number | null
  /** How often each reason was seen. */
  readonly reasons: readonly (readonly [reason: string, count: number])[]
}

function gapsOf(times: readonly number[], everyMs: number): Summary['gaps'] {
  return times
    .slice(1)
    .flatMap((time, index) => {
      const before = times[index] ?? time
      const missing = time - before > everyMs * (1 + tolerance) ? Math.round((time - before) / everyMs) - 1 : 0
      const text = (ms: number) => new Date(ms).toISOString()
      return missing > 0 ? [{ from: text(before), to: text(time), missing }] : []
    })
    .toSorted((one, other) => other.missing - one.missing)
}

/**
 * @param everySeconds how often a sample was due
 * @param until the end of the time; a probe that stopped before it left a gap
 */
export function summarize(samples: readonly Sample[], everySeconds: number, until: Date): Summary {
  const ordered = samples.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at))
  const sampled = ordered.map(({ at }) => Date.parse(at))
  const gaps = gapsOf(sampled.length === 0 ? [] : [...sampled, until.getTime()], everySeconds * 1000)
  const missing = gaps.reduce((sum, gap) => sum + gap.missing, 0)
  const up = ordered.filter((sample) => sample.up).length
  const times = ordered.flatMap(({ ms }) => (ms === null ? [] : [ms]))
  const counts = new Map<string, number>()
  for (const { reason } of ordered) if (reason !== null) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return {
    from: ordered[0]?.at ?? null,
    to: ordered.at(-1)?.at ?? null,
    up,
    down: ordered.length - up,
    missing,
    gaps,
    observedShare: ordered.length === 0 ? null : up / ordered.length,
    leastShare: ordered.length === 0 ? null : up / (ordered.length + missing),
    meanMs: times.length === 0 ? null : times.reduce((sum, ms) => sum + ms, 0) / times.length,
    worstMs: times.length === 0 ? null : Math.max(...times),
    reasons: [...counts].toSorted((one, other) => other[1] - one[1]),
  }
}

/** Whether both targets are met also if the service was down whenever there is no sample. */
export const meetsTargets = ({ leastShare, meanMs }: Summary): boolean =>
  leastShare !== null && leastShare >= targetShare && meanMs !== null && meanMs < targetMeanMs

/** Rounds down, so that 99.99 % of a failure never reads 100 %. */
const percent = (share: number): string => `${(Math.floor(share * 100_000) / 1000).toFixed(3)} %`

const shownGaps = 5
const shownReasons = 5

export function describeSummary(summary: Summary): string[] {
  const { from, to, up, down, missing, observedShare, leastShare, meanMs, worstMs } = summary
  if (observedShare === null || leastShare === null) return ['There is no sample: nothing is known.']
  const verdict = leastShare >= targetShare ? 'met' : observedShare >= targetShare ? 'unknown' : 'missed'
  return [
    `${up + down} samples from ${from} to ${to}: ${up} available, ${down} not, ${missing} missing.`,
    `availability: ${percent(observedShare)} of the samples, at least ${percent(leastShare)} of the time; target 99.9 %: ${verdict}`,
    meanMs === null || worstMs === null
      ? 'response time: unknown, nothing responded'
      : `response time: ${Math.round(meanMs)} ms on average, ${worstMs} ms at worst; ` +
        `target 2 s on average: ${meanMs < targetMeanMs ? 'met' : 'missed'}`,
    ...summary.gaps
      .slice(0, shownGaps)
      .map((gap) => `unknown from ${gap.from} to ${gap.to}: ${gap.missing} samples are missing`),
    ...summary.reasons.slice(0, shownReasons).map(([reason, count]) => `${count} × ${reason}`),
  ]
}
