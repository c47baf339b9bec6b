// Builds rules that have the same form.
import { eventsOf } from './logged-events.ts'
import type { Readings, Where } from './readings.ts'
import type { Absence, MeasuredName, Rule, Severity, Unit } from './rule.ts'

/** In minutes. */
export const hour = 60
export const day = 24 * hour
/** The window of an event that pages by itself. */
export const pageWindow = 15

/** Counts logged events by name. */
export const eventsMetric = 'wn_log_events_total'

type Named = Pick<Rule, 'name' | 'severity' | 'summary' | 'heldBy'>

const silence: Absence = { kind: 'quiet', why: 'an event that never happened has no data' }

/** The longest window over which events are counted. */
const mostCountedMinutes = 60

/**
 * Fires when the events that logged-events.ts assigns to the alarm were logged at least `atLeast` times within the
 * window. Resolves when they are that rare again. Of a window of more than an hour, one event is enough. While an alarm
 * fires, a further event sends nothing. An event that pages by itself therefore has `pageWindow`, so that another one
 * later in the same hour pages again; one that a cron repeats has more.
 */
export function onEvents(named: Named, windowMinutes: number, atLeast = 1): Rule {
  const events = eventsOf(named.name)
  return {
    ...named,
    unit: 'count',
    reads: [eventsMetric],
    measure: (readings) => {
      if (windowMinutes <= mostCountedMinutes) return readings.sum(eventsMetric, windowMinutes, { event: events })
      const age = readings.age(eventsMetric, { event: events })
      return age === null ? null : Number(age <= windowMinutes)
    },
    windowMinutes: Math.min(windowMinutes, mostCountedMinutes),
    firesAt: atLeast,
    clearsBelow: atLeast,
    afterMinutes: 0,
    clearAfterMinutes: 0,
    absence: silence,
  }
}

interface Share {
  readonly windowMinutes: number
  /** The percentage from which on it fires, and below which it resolves. */
  readonly percent: number
  readonly clearsBelow: number
  /** Of fewer, no share is measured: one failure of two says nothing. */
  readonly atLeast: number
  readonly afterMinutes?: number
  readonly quiet: string
}

/** The percentage; null of too few. */
export function percentOf(bad: number | null, all: number | null, atLeast: number): number | null {
  if (all === null || all < atLeast) return null
  return (100 * (bad ?? 0)) / all
}

/** Whether the freeze was on at any time of these minutes: it refuses writes and webhooks on purpose. */
export const wasFrozen = (readings: Readings, minutes: number): boolean =>
  (readings.sum('wn_safety_switch', minutes, { switch: 'freeze', state: ['recovery', 'frozen', 'locked'] }) ?? 0) > 0

/** Fires when the share of bad outcomes is too large. */
export function onShare(
  named: Named,
  metric: MeasuredName,
  bad: Where,
  { windowMinutes, percent, clearsBelow, atLeast, afterMinutes = 2, quiet }: Share,
): Rule {
  return {
    ...named,
    unit: 'percent',
    reads: [metric],
    measure: (readings) =>
      percentOf(readings.count(metric, windowMinutes, bad), readings.count(metric, windowMinutes), atLeast),
    windowMinutes,
    firesAt: percent,
    clearsBelow,
    afterMinutes,
    clearAfterMinutes: 5,
    absence: { kind: 'quiet', why: quiet },
  }
}

interface Gauge {
  readonly unit: Unit
  readonly firesAt: number
  readonly clearsBelow?: number
  readonly afterMinutes?: number
  readonly where?: Where
}

/** Minutes for which a gauge is valid: it is measured every five, and a measurement may fail. */
const freshMinutes = 12

/** Fires when a gauge is too large. Gauges are measured together: their absence is one alarm, `gauges_missing`. */
export function onGauge(
  named: Named,
  metric: MeasuredName,
  { unit, firesAt, clearsBelow = firesAt, afterMinutes = 2, where }: Gauge,
  scale: (value: number, readings: Readings) => number = (value) => value,
): Rule {
  return {
    ...named,
    unit,
    reads: [metric],
    measure: (readings) => {
      const value = readings.last(metric, freshMinutes, where)
      return value === null ? null : scale(value, readings)
    },
    windowMinutes: freshMinutes,
    firesAt,
    clearsBelow,
    afterMinutes,
    clearAfterMinutes: 5,
    absence: { kind: 'same' },
  }
}

/** Fires when a job did not succeed for too long. */
export function onHeartbeat(
  job: string,
  severity: Severity,
  minutes: number,
  summary: string,
  name = `cron_${job}_missing`,
): Rule {
  return {
    name,
    severity,
    summary,
    unit: 'minutes',
    reads: [heartbeatMetric],
    measure: (readings) => {
      const seconds = readings.latest(heartbeatMetric, { job })
      return seconds === null ? null : (readings.nowMs / 1000 - seconds) / 60
    },
    windowMinutes: 1,
    firesAt: minutes,
    clearsBelow: minutes,
    afterMinutes: 0,
    clearAfterMinutes: 0,
    // Counted from the first evaluation: a new deployment's jobs have not run yet.
    absence: { kind: 'fires', afterMinutes: minutes },
    heldBy: ['database_failing'],
  }
}

export const heartbeatMetric = 'wn_cron_last_success_timestamp_seconds'

/** Fires when something was last done too long ago. It may be older than the store keeps minutes. */
export function onAge(named: Named, metric: MeasuredName, days: number): Rule {
  return {
    ...named,
    unit: 'hours',
    reads: [metric],
    measure: (readings) => {
      const seconds = readings.latest(metric)
      return seconds === null ? null : (readings.nowMs / 1000 - seconds) / 3600
    },
    windowMinutes: 1,
    firesAt: days * 24,
    clearsBelow: days * 24,
    afterMinutes: 0,
    clearAfterMinutes: 0,
    // Counted from the first evaluation.
    absence: { kind: 'fires', afterMinutes: days * day },
  }
}
