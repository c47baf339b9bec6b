// What is measured while the condition of each alarm holds, and while it does not.
import { eventsMetric } from '../../../../src/monitoring/alarms/builders.ts'
import type { Labels, Recorder } from '../../../support/metrics-history.ts'

export const minuteMs = 60_000
const hour = 60
export const day = 24 * hour

export interface Case {
  /** What is measured in each minute while the condition holds, and while it does not. */
  readonly bad: (record: Recorder, nowMs: number) => void
  readonly good: (record: Recorder, nowMs: number) => void
  /** The minutes of each. */
  readonly badMinutes?: number
  readonly goodMinutes?: number
}

export const nothing = (): void => undefined
export const requests = (record: Recorder, status: string, seconds: number, times: number): void =>
  record.observe('wn_http_request_duration_seconds', seconds, { method: 'GET', route: '/r', status }, times)

/** The rules that do not count logged events. */
const measured: Readonly<Record<string, Case>> = {
  errors_5xx: {
    bad: (record) => {
      requests(record, '2xx', 0.05, 90)
      requests(record, '5xx', 0.05, 10)
    },
    good: (record) => requests(record, '2xx', 0.05, 100),
  },
  responses_slow: {
    bad: (record) => {
      requests(record, '2xx', 0.05, 90)
      requests(record, '2xx', 2.5, 10)
    },
    good: (record) => {
      requests(record, '2xx', 0.05, 96)
      requests(record, '2xx', 2.5, 4)
    },
  },
  database_failing: {
    bad: (record) => {
      record.observe('wn_database_duration_seconds', 0.01, { statement: 'select items' }, 6)
      record.count('wn_database_errors_total', { code: 'NO_ANSWER' }, 2)
    },
    good: (record) => {
      record.observe('wn_database_duration_seconds', 0.01, { statement: 'select items' }, 6)
      // A refused statement is no outage.
      record.count('wn_database_errors_total', { code: '23505' }, 6)
    },
  },
  plaid_failing: {
    bad: (record) => {
      record.count('wn_plaid_calls_total', { endpoint: '/a', code: 'ok' }, 100)
      record.count('wn_plaid_calls_total', { endpoint: '/b', code: 'ok' }, 4)
      record.count('wn_plaid_calls_total', { endpoint: '/b', code: 'INTERNAL_SERVER_ERROR' }, 6)
    },
    good: (record) => {
      record.count('wn_plaid_calls_total', { endpoint: '/b', code: 'ok' }, 4)
      record.count('wn_plaid_calls_total', { endpoint: '/b', code: 'ITEM_LOGIN_REQUIRED' }, 6)
    },
  },
  queue_slow: {
    bad: (record) => record.observe('wn_queue_wait_seconds', 301, { kind: 'sync' }, 10),
    good: (record) => record.observe('wn_queue_wait_seconds', 4, { kind: 'sync' }, 10),
  },
}

export const days = (record: Recorder, nowMs: number, name: string, ago: number): void =>
  record.gauge(name, nowMs / 1000 - ago * 86_400)
const seconds = (name: string, bad: number, good: number, labels: Labels = {}): Case => ({
  bad: (record) => record.gauge(name, bad, labels),
  good: (record) => record.gauge(name, good, labels),
})
const runs = (record: Recorder, code: string, times: number): void =>
  record.count(
    'wn_sync_runs_total',
    { product: 'holdings', outcome: code === 'none' ? 'committed' : 'later', code },
    times,
  )
export const webhooks = (record: Recorder, outcome: string, times = 1): void =>
  record.count('wn_webhooks_total', { outcome }, times)
export const freeze = (record: Recorder, state: string): void => {
  for (const each of ['off', 'recovery', 'frozen', 'locked'])
    record.gauge('wn_safety_switch', Number(each === state), { switch: 'freeze', state: each })
}

export const synced = (record: Recorder, ratio: number, live: number, down = 0): void => {
  record.gauge('wn_items_synced_day_ratio', ratio)
  record.gauge('wn_items_live', live)
  record.gauge('wn_items', down, { status: 'institution_down' })
}

/** The rules over gauges and over what the gauges' job stores. */
const gauges: Readonly<Record<string, Case>> = {
  database_connections: {
    bad: (record) => {
      record.gauge('wn_database_connections', 81)
      record.gauge('wn_database_connections_limit', 100)
    },
    good: (record) => {
      record.gauge('wn_database_connections', 60)
      record.gauge('wn_database_connections_limit', 100)
    },
  },
  syncs_failing: {
    bad: (record) => {
      runs(record, 'none', 7)
      runs(record, 'INTERNAL_SERVER_ERROR', 3)
    },
    good: (record) => {
      runs(record, 'none', 7)
      runs(record, 'PRODUCT_NOT_READY', 3)
    },
  },
  items_not_synced: {
    bad: (record) => synced(record, 0.98, 500),
    good: (record) => synced(record, 0.995, 5000),
    badMinutes: 20,
  },
  sync_lag: { ...seconds('wn_sync_overdue_seconds', 22_000, 0, { product: 'holdings' }), badMinutes: 20 },
  sweep_behind: { ...seconds('wn_sync_due_products', 10_000, 10), badMinutes: 40 },
  exchanges_stuck: seconds('wn_link_exchange_oldest_age_seconds', 7300, 60),
  events_overdue: { ...seconds('wn_event_delivery_oldest_due_seconds', 1000, 60), badMinutes: 20 },
  removals_stuck: seconds('wn_removal_oldest_age_seconds', 260_000, 60, { reason: 'removed' }),
  webhooks_failing: {
    bad: (record) => {
      webhooks(record, 'accepted', 3)
      webhooks(record, 'failed', 2)
    },
    // Unverified deliveries, which anyone can send, get 503 while their keys cannot be read.
    good: (record) => {
      webhooks(record, 'accepted', 3)
      const labels = { method: 'POST', route: '/api/v1/plaid/webhook', status: '5xx' }
      record.observe('wn_http_request_duration_seconds', 0.05, labels, 100)
    },
  },
  webhooks_unmatched: {
    bad: (record) => {
      webhooks(record, 'accepted')
      webhooks(record, 'unmatched')
    },
    good: (record) => webhooks(record, 'accepted'),
    badMinutes: 30,
  },
  item_losses_stopped: seconds('wn_safety_switch', 1, 0, { switch: 'item_loss', state: 'tripped' }),
  backup_not_verified: {
    bad: (record, nowMs) => days(record, nowMs, 'wn_backup_last_verified_timestamp_seconds', 35),
    good: (record, nowMs) => days(record, nowMs, 'wn_backup_last_verified_timestamp_seconds', 1),
  },
  'item_losses_stopped by its event': {
    bad: (record) => record.count(eventsMetric, { event: 'item_losses_stopped' }),
    good: (record) => record.gauge('wn_safety_switch', 0, { switch: 'item_loss', state: 'tripped' }),
  },
  audit_trail_broken: seconds('wn_audit_valid', 0, 1),
  audit_not_verified: {
    bad: (record, nowMs) => days(record, nowMs, 'wn_audit_last_verification_timestamp_seconds', 14),
    good: (record, nowMs) => days(record, nowMs, 'wn_audit_last_verification_timestamp_seconds', 1),
  },
  audit_chain_behind: seconds('wn_audit_unchained_age_seconds', 601, 20),
  frozen_for_long: {
    bad: (record) => freeze(record, 'locked'),
    good: (record) => freeze(record, 'off'),
    badMinutes: 245,
  },
}

/** A job that ends, and one that runs again; each run is a heartbeat. */
export const heartbeat = (job: string, minutes: number): Case => ({
  bad: nothing,
  good: (record, nowMs) => record.gauge('wn_cron_last_success_timestamp_seconds', nowMs / 1000, { job }),
  badMinutes: minutes + 2,
  goodMinutes: 5,
})
/** The chain is a part of its job. */
export const jobOf = (name: string): string => (name === 'audit' ? 'chain' : name)
export const heartbeats: Readonly<Record<string, number>> = {
  audit: 10,
  sweep: 20,
  sync: 130,
  backup: 26 * hour,
  retention: 26 * hour,
  cleanup: 8 * day,
}

export const cases: Readonly<Record<string, Case>> = {
  ...measured,
  ...gauges,
  gauges_missing: heartbeat('gauges', 15),
  ...Object.fromEntries(
    Object.entries(heartbeats).map(([name, minutes]) => [`cron_${name}_missing`, heartbeat(jobOf(name), minutes)]),
  ),
}
