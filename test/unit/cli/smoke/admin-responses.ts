// What the admin routes would respond, in the forms of the routes.

export const now = new Date('2026-11-29T12:00:00Z')
export const ago = (hours: number): string => new Date(now.getTime() - hours * 3_600_000).toISOString()
const uuid = '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11'
export const repeated = <Row>(count: number, row: (index: number) => Row): Row[] =>
  Array.from({ length: count }, (_, index) => row(index))
export const list = (data: readonly unknown[], next: string | null = null) => ({ data, next_cursor: next })

export const run = (hours: number, outcome = 'committed') => ({
  id: uuid,
  user_id: uuid,
  item_id: uuid,
  product: 'transactions',
  trigger: 'webhook',
  outcome,
  error_code: outcome === 'failed' ? 'ITEM_LOGIN_REQUIRED' : null,
  pages: 1,
  restarts: 0,
  upserted: 1,
  removed: 0,
  set_aside: 0,
  started_at: ago(hours),
  finished_at: ago(hours),
  request_id: null,
  plaid_request_ids: [],
})
export const webhook = (hours: number) => ({
  id: uuid,
  scheme: 'plaid',
  webhook_type: 'TRANSACTIONS',
  webhook_code: 'SYNC_UPDATES_AVAILABLE',
  plaid_item_id: 'x',
  item_id: uuid,
  user_id: uuid,
  received_at: ago(hours),
})
export const item = (missed = 0) => ({
  id: uuid,
  user_id: uuid,
  plaid_item_id: 'x',
  institution_id: null,
  status: 'healthy',
  status_reason: null,
  missed_webhooks: missed,
  created_at: ago(100),
  removed_at: null,
  products: [],
})
export const letter = {
  id: uuid,
  queue: 'sync',
  message_id: 'm',
  item_product_id: uuid,
  reason: 'retries_exhausted',
  created_at: ago(1),
  replayed_at: null,
  replays: 0,
}
export const usage = (ok: number, failed: number) => ({
  from: '2026-11-28',
  to: '2026-11-29',
  data: [
    { day: '2026-11-29', endpoint: '/transactions/sync', outcome: 'ok', calls: ok, cost: null },
    { day: '2026-11-29', endpoint: '/transactions/sync', outcome: 'INTERNAL_SERVER_ERROR', calls: failed, cost: null },
  ],
  calls: ok + failed,
  cost: '0',
})
const backup = { id: '20261129T021100Z-5f0c8a1e', place: 'bucket', state: 'complete', problem: null }
export const backupOf = (hours: number, verifiedHours: number | null) => ({
  ...backup,
  started_at: ago(hours),
  finished_at: ago(hours),
  rows: 1,
  bytes: 1,
  verified_at: verifiedHours === null ? null : ago(verifiedHours),
})
export const backups = (changed: object = {}) => ({
  enabled: true,
  overdue: false,
  last_backup: backupOf(10, null),
  last_verified: backupOf(100, 50),
  data: [],
  ...changed,
})
export const trail = (changed: object = {}, last: object | null = {}) => ({
  last:
    last === null
      ? null
      : { verified_at: ago(5), valid: true, rows: 9, chains: 1, waiting: 0, checkpoint: null, fault: null, ...last },
  waiting: 0,
  waiting_since: null,
  ...changed,
})
export const auditRow = (action: string, hours = 1) => ({ action, at: ago(hours) })
export const metricsText = (ok: number, failed: number, meanSeconds = 0.1, slow = 0) => {
  const point = (name: string, labels: string, value: number) =>
    `wn_http_request_duration_seconds_${name}{${labels}} ${value}`
  const series = (status: string, count: number) => [
    point('bucket', `route="/health",status="${status}",le="2"`, Math.max(0, count - slow)),
    point('bucket', `route="/health",status="${status}",le="+Inf"`, count),
    point('sum', `route="/health",status="${status}"`, count * meanSeconds),
    point('count', `route="/health",status="${status}"`, count),
  ]
  return ['# HELP x y', ...series('2xx', ok), ...series('5xx', failed), 'wn_items_synced_day_ratio 1', ''].join('\n')
}
export const alarmOf = (state: string) => ({
  name: 'backup_overdue',
  severity: 'page',
  summary: 'No backup is complete.',
  state,
  since: ago(1),
  value: 30,
  threshold: 26,
  unit: 'hours',
  runbook: 'docs/runbook.md#backup_overdue',
})
export const alarmStates = (state: string, evaluatedHours: number | null = 0) => ({
  evaluated_at: evaluatedHours === null ? null : ago(evaluatedHours),
  waiting: 0,
  data: [alarmOf(state)],
})

/** The response of each route; a status alone for one that fails. */
export type Responses = Readonly<Record<string, object | string | number>>
export const healthy: Responses = {
  metrics: metricsText(10_000, 1),
  alarms: alarmStates('ok'),
  'sync/runs': list([...repeated(20, () => run(2)), run(30, 'failed')]),
  webhooks: list(repeated(7, () => webhook(3))),
  items: list([item()]),
  'dead-letters': list([]),
  usage: usage(99, 1),
  backups: backups(),
  'audit/verify': trail(),
  audit: list([auditRow('signed_in')]),
}
