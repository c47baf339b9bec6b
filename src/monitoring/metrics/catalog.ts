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
  wn_webhooks_total: counter(
    'Verified webhooks: `accepted`, `replay` (received before), `unmatched` (of an unknown item) or `failed` (not stored).',
    'outcome',
  ),
  wn_webhook_refusals_total: counter('Webhooks that were refused, by reason.', 'reason'),
  wn_plaid_duration_seconds: seconds('Time of a call of Plaid, by endpoint.', 'endpoint'),
  wn_plaid_calls_total: counter('Calls of Plaid, by endpoint and error code; `ok` for none.', 'endpoint', 'code'),
  wn_plaid_admissions_total: counter(
    'Calls of Plaid at our own rate limiter, by limit: `admitted`, `refused`, or `failed` (it could not be asked).',
    'limit',
    'outcome',
  ),
  wn_sync_runs_total: counter(
    'Sync runs by product, outcome and error code (`none`); outcome `later` failed and is tried again.',
    'product',
    'outcome',
    'code',
  ),
  wn_sync_duration_seconds: seconds('Time of a sync run, by product.', 'product'),
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
  wn_messages_total: counter('Deliveries of messages, by kind: `acknowledged` or `retried`.', 'kind', 'outcome'),
  wn_queue_wait_seconds: seconds(
    'Time of a message in the queue until its first delivery, without messages that are sent to be late.',
    'kind',
  ),
  wn_event_deliveries_total: counter(
    'Attempts to deliver an event: `delivered`, `failed`, or `malformed` if its row cannot be read.',
    'outcome',
  ),
  wn_event_deliveries_due: gauge(
    'Deliveries of events that are due, of endpoints that do not fail, counted up to 10,000 each for applications and others.',
  ),
  wn_event_delivery_oldest_due_seconds: gauge('How long the oldest of them has been due.'),
  wn_dead_letters_total: counter('Deliveries of messages that failed in all deliveries before.'),
  wn_cron_runs_total: counter('Runs of cron jobs, by outcome.', 'job', 'outcome'),
  wn_cron_last_success_timestamp_seconds: gauge('When a cron job last succeeded.', 'job'),
  wn_items: gauge('Items by state.', 'status'),
  wn_items_live: gauge('Items in a state in which they are synced.'),
  wn_items_synced_day_ratio: gauge(
    'Share of the live items whose products were all read within 24 hours, without those whose bank is down; 1 without items.',
  ),
  wn_sync_overdue_seconds: gauge(
    'How long the product that was read longest ago has been due beyond 24 hours, among live items; 0 if none is.',
    'product',
  ),
  wn_sync_stale_products: gauge('Products of live items that were not read within 24 hours.', 'product'),
  wn_sync_due_products: gauge('Products that the next sweep enqueues, counted up to 10,000.'),
  wn_dead_letters_open: gauge('Dead letters that were not replayed, counted up to 10,000.'),
  wn_link_exchanges_open: gauge('Exchanges of public tokens that are not finished.'),
  wn_link_exchange_oldest_age_seconds: gauge('Age of the oldest of them.'),
  wn_removals_pending: gauge(
    'Items that wait for their removal at Plaid, by reason; `orphan` has no row here.',
    'reason',
  ),
  wn_removal_oldest_age_seconds: gauge('Age of the oldest of them, by reason.', 'reason'),
  wn_database_connections: gauge('Connections of the database’s server.'),
  wn_database_connections_limit: gauge('Connections that the pooler opens at most: nine tenths of `max_connections`.'),
  wn_backup_last_success_timestamp_seconds: gauge('When the last complete backup began.'),
  wn_backup_last_verified_timestamp_seconds: gauge('When a backup was last restored and compared.'),
  wn_audit_last_verification_timestamp_seconds: gauge('When the audit trail was last verified.'),
  wn_audit_valid: gauge('Whether the last verification of the audit trail found no fault: 1 or 0.'),
  wn_audit_unchained_rows: gauge('Rows of the audit trail that have no place in a chain yet, counted up to 10,000.'),
  wn_audit_unchained_age_seconds: gauge('Age of the oldest of them.'),
  wn_safety_switch: gauge('State of a safety switch: 1 for the current one.', 'switch', 'state'),
  wn_log_events_total: counter('Log lines that fire an alarm, by event.', 'event'),
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
