// Alarms about syncs, webhooks and the queue.
import { hour, onEvents, onGauge, onShare, percentOf, wasFrozen } from '../builders.ts'
import { expectedCodes } from './expected-codes.ts'
import type { Readings } from '../readings.ts'
import type { Rule } from '../rule.ts'

const runsMetric = 'wn_sync_runs_total'
const webhooksMetric = 'wn_webhooks_total'
const leastRuns = 10
const leastFailedWebhooks = 3

/** Of fewer, one slow message would be one of twenty. */
const leastMessages = 20

const ratioMetric = 'wn_items_synced_day_ratio'
const liveMetric = 'wn_items_live'
const itemsMetric = 'wn_items'
/** In a small deployment, one item would be more than 1 %; `sync_lag` reports single ones. */
const leastStaleItems = 5

/** The percentage; 0 of too few items. Those whose bank is down are in neither number. */
function shareNotSynced(ratio: number, readings: Readings): number {
  const down = readings.last(itemsMetric, 12, { status: 'institution_down' }) ?? 0
  const reachable = (readings.last(liveMetric, 12) ?? 0) - down
  return Math.round((1 - ratio) * reachable) < leastStaleItems ? 0 : 100 * (1 - ratio)
}

/** Syncs, webhooks and the queue. */
export const syncs: readonly Rule[] = [
  {
    name: 'syncs_failing',
    severity: 'page',
    summary: 'Many sync runs fail.',
    unit: 'percent',
    reads: [runsMetric],
    measure: (readings) => {
      const codes = readings.valuesOf(runsMetric, 30, 'code').filter((code) => !expectedCodes.has(code))
      const failed = readings.sum(runsMetric, 30, { outcome: 'later', code: codes })
      return percentOf(failed, readings.sum(runsMetric, 30), leastRuns)
    },
    windowMinutes: 30,
    firesAt: 20,
    clearsBelow: 10,
    afterMinutes: 5,
    clearAfterMinutes: 5,
    absence: { kind: 'quiet', why: 'without live items there are no runs; items_not_synced counts items' },
    heldBy: ['database_failing', 'plaid_failing'],
  },
  {
    ...onGauge(
      {
        name: 'items_not_synced',
        severity: 'page',
        summary: 'More than 1 % of the live items were not synced within 24 hours.',
      },
      ratioMetric,
      { unit: 'percent', firesAt: 1, clearsBelow: 0.8, afterMinutes: 10 },
      shareNotSynced,
    ),
    reads: [ratioMetric, liveMetric, itemsMetric],
  },
  onGauge(
    { name: 'sync_lag', severity: 'ticket', summary: 'A product of a live item is overdue for its daily sync.' },
    'wn_sync_overdue_seconds',
    { unit: 'seconds', firesAt: 6 * 3600, clearsBelow: 3600, afterMinutes: 10 },
  ),
  onGauge(
    { name: 'sweep_behind', severity: 'ticket', summary: 'The sweep has more products to enqueue than it can count.' },
    'wn_sync_due_products',
    { unit: 'count', firesAt: 10_000, clearsBelow: 5000, afterMinutes: 30 },
  ),
  onGauge(
    {
      name: 'exchanges_stuck',
      severity: 'ticket',
      summary: 'An exchange of a public token is not finished for hours.',
    },
    'wn_link_exchange_oldest_age_seconds',
    { unit: 'hours', firesAt: 2, afterMinutes: 0 },
    (seconds) => seconds / 3600,
  ),
  onGauge(
    {
      name: 'removals_stuck',
      severity: 'ticket',
      summary: 'An item waits for days to be removed at Plaid, which bills it.',
    },
    'wn_removal_oldest_age_seconds',
    { unit: 'hours', firesAt: 72, afterMinutes: 0 },
    (seconds) => seconds / 3600,
  ),
  {
    name: 'queue_slow',
    severity: 'ticket',
    summary: 'Messages wait too long in the queue.',
    unit: 'seconds',
    reads: ['wn_queue_wait_seconds'],
    measure: (readings) =>
      (readings.count('wn_queue_wait_seconds', 15) ?? 0) < leastMessages
        ? null
        : readings.percentile('wn_queue_wait_seconds', 15, 0.95),
    windowMinutes: 15,
    firesAt: 300,
    clearsBelow: 300,
    afterMinutes: 5,
    clearAfterMinutes: 10,
    absence: { kind: 'quiet', why: 'an empty queue delivers nothing; sweep_behind notices a queue that stands still' },
  },
  onEvents(
    { name: 'dead_letters', severity: 'ticket', summary: 'Messages of the queue failed in all deliveries.' },
    hour,
  ),
  onEvents(
    {
      name: 'messages_malformed',
      severity: 'ticket',
      summary: 'The queue delivered messages that this version cannot read.',
    },
    hour,
  ),
  onEvents(
    { name: 'events_not_sendable', severity: 'ticket', summary: 'Events for applications cannot be sent.' },
    hour,
  ),
  {
    ...onGauge(
      { name: 'events_overdue', severity: 'ticket', summary: 'Events for applications are not sent in time.' },
      'wn_event_delivery_oldest_due_seconds',
      { unit: 'seconds', firesAt: 900, clearsBelow: 300, afterMinutes: 10 },
      // A freeze sends nothing.
      (seconds, readings) => (wasFrozen(readings, hour) ? 0 : seconds),
    ),
    reads: ['wn_event_delivery_oldest_due_seconds', 'wn_safety_switch'],
    heldBy: ['database_failing'],
  },
  onEvents(
    { name: 'commits_refused', severity: 'ticket', summary: 'The database refused the result of a sync run.' },
    hour,
  ),
  {
    name: 'webhooks_failing',
    severity: 'page',
    summary: 'Webhooks are not stored.',
    unit: 'percent',
    // Verified deliveries alone: anyone can send others, which get 503 while their keys cannot be read.
    reads: [webhooksMetric],
    measure: (readings) => {
      const failed = readings.sum(webhooksMetric, 15, { outcome: 'failed' }) ?? 0
      return failed < leastFailedWebhooks ? null : percentOf(failed, readings.sum(webhooksMetric, 15), 1)
    },
    windowMinutes: 15,
    firesAt: 20,
    clearsBelow: 5,
    afterMinutes: 2,
    clearAfterMinutes: 5,
    absence: { kind: 'quiet', why: 'without webhooks nothing is lost: the sweep finds what changed' },
    heldBy: ['database_failing'],
  },
  onShare(
    {
      name: 'webhooks_unmatched',
      severity: 'ticket',
      summary: 'Many webhooks are about items that are not stored here.',
    },
    webhooksMetric,
    { outcome: 'unmatched' },
    {
      windowMinutes: hour,
      percent: 50,
      clearsBelow: 25,
      atLeast: 20,
      quiet: 'without webhooks none is unmatched; the sweep finds what changed',
    },
  ),
  onEvents(
    {
      name: 'webhooks_unverified',
      severity: 'ticket',
      summary: 'One client sends many webhooks that fail verification.',
    },
    30,
  ),
  onEvents(
    {
      name: 'webhook_keys_unavailable',
      severity: 'ticket',
      summary: 'Plaid’s keys cannot be read, so webhooks cannot be verified.',
    },
    30,
    3,
  ),
]
