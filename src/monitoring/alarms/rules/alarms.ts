// Alarms about the alarms.
import { onGauge, onHeartbeat } from '../builders.ts'
import type { Rule } from '../rule.ts'

import { interruptionMetric, undeliveredMetric } from '../own-metrics.ts'

/** Also sent without the store, when that cannot be read. */
export const interruptedRule: Rule = {
  ...onGauge(
    { name: 'alarms_interrupted', severity: 'page', summary: 'The alarms were not evaluated for a time.' },
    interruptionMetric,
    { unit: 'minutes', firesAt: 5, afterMinutes: 0 },
  ),
  absence: { kind: 'quiet', why: 'the evaluation itself measures it' },
}

/** The alarms themselves. */
export const alarms: readonly Rule[] = [
  onHeartbeat(
    'gauges',
    'page',
    15,
    'The state of the deployment is not measured, so other alarms are blind.',
    'gauges_missing',
  ),
  interruptedRule,
  {
    ...onGauge(
      { name: 'alarms_undelivered', severity: 'page', summary: 'The receiver of alarms does not accept them.' },
      undeliveredMetric,
      { unit: 'minutes', firesAt: 10, afterMinutes: 0 },
    ),
    absence: { kind: 'quiet', why: 'the evaluation itself measures it' },
  },
]
