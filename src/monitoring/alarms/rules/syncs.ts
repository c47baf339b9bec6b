// Alarms about syncs, webhooks and the queue.
import { hour, onEvents } from '../builders.ts'
import type { Rule } from '../rule.ts'

/** Syncs, webhooks and the queue. */
export const syncs: readonly Rule[] = [
  {
    name: 'queue_slow',
    severity: 'ticket',
    summary: 'Messages wait too long in the queue.',
    unit: 'seconds',
    reads: ['wn_queue_wait_seconds'],
    measure: (readings) => readings.percentile('wn_queue_wait_seconds', 15, 0.95),
    windowMinutes: 15,
    firesAt: 300,
    clearsBelow: 300,
    afterMinutes: 5,
    clearAfterMinutes: 10,
    absence: { kind: 'quiet', why: 'an empty queue delivers nothing; sync_lag notices a queue that stands still' },
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
    { name: 'commits_refused', severity: 'ticket', summary: 'The database refused the result of a sync run.' },
    hour,
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
