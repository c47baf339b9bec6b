// What the evaluation measures about itself. The store does not contain it.
import type { Book } from './book.ts'
import type { Series } from '../metrics/types.ts'

/** Minutes since the evaluation before this one. */
export const interruptionMetric = 'alarms_interruption_minutes'
/** Minutes for which the oldest notification waits for the receiver. */
export const undeliveredMetric = 'alarms_undelivered_minutes'

const gauge = (name: string, value: number, nowMs: number): Series => ({
  name,
  labels: {},
  minuteMs: nowMs,
  sum: value,
  count: 1,
  max: value,
  last: value,
})

export type OwnMetricName = typeof interruptionMetric | typeof undeliveredMetric

export function measureBook({ evaluatedAtMs, outbox }: Book, nowMs: number): readonly Series[] {
  const tried = outbox.filter(({ attempts, alarm }) => attempts > 0 && alarm !== 'alarms_undelivered')
  const oldestMs = Math.min(nowMs, ...tried.map(({ atMs }) => atMs))
  return [
    gauge(interruptionMetric, (nowMs - evaluatedAtMs) / 60_000, nowMs),
    gauge(undeliveredMetric, (nowMs - oldestMs) / 60_000, nowMs),
  ]
}
