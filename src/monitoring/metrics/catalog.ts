// Every metric: its name, kind, labels and meaning. The exposition, docs/metrics.md and the dashboard follow this table.

/** `seconds`: a histogram of durations. */
export type Kind = 'counter' | 'gauge' | 'seconds'

interface Described<Of extends Kind, Label extends string> {
  readonly kind: Of
  readonly labels: readonly Label[]
  readonly help: string
}

const counter = <const Label extends string = never>(
  help: string,
  ...labels: Label[]
): Described<'counter', Label> => ({
  kind: 'counter',
  labels,
  help,
})
const gauge = <const Label extends string = never>(help: string, ...labels: Label[]): Described<'gauge', Label> => ({
  kind: 'gauge',
  labels,
  help,
})
const seconds = <const Label extends string = never>(
  help: string,
  ...labels: Label[]
): Described<'seconds', Label> => ({
  kind: 'seconds',
  labels,
  help,
})

/** Values of labels come from closed lists in the code. An error code of Plaid is reduced to a plain name. */
export const catalog = {
  wn_http_request_duration_seconds: seconds(
    'Time of a request, by route and class of status.',
    'method',
    'route',
    'status',
  ),
  wn_rate_limit_refusals_total: counter('Requests that a rate limit refused.', 'policy'),
  wn_rate_limiter_failures_total: counter('Requests that could not be counted, because the rate limiter failed.'),
  wn_webhooks_total: counter('Webhooks of Plaid, by outcome.', 'outcome'),
  wn_plaid_duration_seconds: seconds('Time of a call of Plaid, by endpoint.', 'endpoint'),
  wn_plaid_calls_total: counter('Calls of Plaid, by endpoint and error code; `ok` for none.', 'endpoint', 'code'),
  wn_database_duration_seconds: seconds('Time of a call of the database, by its main statement.', 'statement'),
  wn_database_errors_total: counter(
    'Calls of the database that failed, by SQLSTATE, `TIMEOUT` or `NO_ANSWER`.',
    'code',
  ),
  wn_encryption_duration_seconds: seconds(
    'Time of sealing or opening a token. Cloudflare stops the clock while code runs, so it is 0 there.',
    'operation',
  ),
  wn_encryption_errors_total: counter('Tokens that could not be sealed or opened.', 'operation'),
  wn_messages_total: counter('Messages of the sync queue that were handled, by queue and outcome.', 'queue', 'outcome'),
  wn_queue_wait_seconds: seconds('Time of a message in the queue until its first delivery.', 'queue'),
  wn_cron_runs_total: counter('Runs of cron jobs, by outcome.', 'job', 'outcome'),
  wn_cron_last_success_timestamp_seconds: gauge('When a cron job last succeeded.', 'job'),
  wn_metrics_dropped_total: counter('Points that were not stored, by reason.', 'reason'),
} as const

type Catalog = typeof catalog
export type MetricName = keyof Catalog
type NameOf<Of extends Kind> = { [Name in MetricName]: Catalog[Name]['kind'] extends Of ? Name : never }[MetricName]
export type CounterName = NameOf<'counter'>
export type GaugeName = NameOf<'gauge'>
export type DurationName = NameOf<'seconds'>
export type LabelsOf<Name extends MetricName> = Readonly<Record<Catalog[Name]['labels'][number], string>>

export const isMetric = (name: string): name is MetricName => Object.hasOwn(catalog, name)
export const metricNames: readonly MetricName[] = Object.keys(catalog).filter(isMetric)

/** Upper bounds of the histograms' buckets, in seconds. The criterion of two seconds is one of them. */
export const bounds: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300]

/** The index of a value's bucket; the last bucket has no bound. */
export function bucketOf(value: number): number {
  const index = bounds.findIndex((bound) => value <= bound)
  return index === -1 ? bounds.length : index
}
