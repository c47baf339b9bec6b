// What was sent in a phase and what came back, and whether that meets the brief's criteria.
import { rounded } from '../bench/result.ts'

/** One response, or one request without any. */
export interface Outcome {
  /** 0 where no response arrived. */
  readonly status: number
  readonly ms: number
}

export interface Traffic {
  readonly name: string
  readonly requests: number
  readonly perSecond: number
  /** The share of requests with a 2xx response. */
  readonly good: number
  /** How many requests had each status; `none` for those without a response. */
  readonly statuses: Readonly<Record<string, number>>
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** A measured value, and where there is a target, whether it is met. */
export interface Finding {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it is compared with, measured in the same run, in the same unit. */
  readonly against?: number
  readonly target?: string
  readonly ok?: boolean
}

/** The smallest value that at least this share of the values does not exceed. NaN without values. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

const isGood = ({ status }: Outcome): boolean => status >= 200 && status < 300

/** Requests without a response have no time. */
export function trafficOf(name: string, outcomes: readonly Outcome[], seconds: number): Traffic {
  const times = Float64Array.from(outcomes.filter(({ status }) => status > 0).map(({ ms }) => ms)).sort()
  const statuses: Record<string, number> = {}
  for (const { status } of outcomes) {
    const key = status === 0 ? 'none' : String(status)
    statuses[key] = (statuses[key] ?? 0) + 1
  }
  return {
    name,
    requests: outcomes.length,
    perSecond: rounded(outcomes.length / seconds),
    good: outcomes.filter(isGood).length / outcomes.length,
    statuses,
    meanMs: rounded(times.reduce((sum, ms) => sum + ms, 0) / times.length),
    p50Ms: rounded(percentile(times, 0.5)),
    p99Ms: rounded(percentile(times, 0.99)),
    maxMs: rounded(percentile(times, 1)),
  }
}

/** Rounded down: 99.9 is at least that. */
export const percent = (share: number): number => Math.floor(share * 1e5) / 1000

const leastGood = 0.999
const mostMeanMs = 2000

/** The brief's criteria for a phase. Without a single request, neither is met. */
export function criteriaOf({ name, good, meanMs }: Traffic): Finding[] {
  const share = { name: `${name}: good responses`, value: percent(good), unit: '%' }
  const mean = { name: `${name}: mean response time`, value: meanMs, unit: 'ms' }
  return [
    { ...share, target: `≥ ${leastGood * 100} %`, ok: good >= leastGood },
    { ...mean, target: `< ${mostMeanMs} ms`, ok: meanMs < mostMeanMs },
  ]
}
