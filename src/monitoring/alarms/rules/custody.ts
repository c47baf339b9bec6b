// Alarms about items, access tokens and money: each event matters by itself.
import { day, eventsMetric, hour, onEvents, pageWindow } from '../builders.ts'
import { eventsOf } from '../logged-events.ts'
import type { Rule } from '../rule.ts'

const switchMetric = 'wn_safety_switch'

/** Fires on the event at once, and as long as the switch is tripped. */
const itemLosses: Rule = {
  ...onEvents(
    {
      name: 'item_losses_stopped',
      severity: 'page',
      summary: 'Many items were lost at once; the circuit breaker is open.',
    },
    15,
  ),
  reads: [eventsMetric, switchMetric],
  measure: (readings) => {
    const logged = readings.sum(eventsMetric, 15, { event: eventsOf('item_losses_stopped') }) ?? 0
    const tripped = readings.last(switchMetric, 15, { switch: 'item_loss', state: 'tripped' })
    return tripped === null && logged === 0 ? null : Math.max(logged, tripped ?? 0)
  },
  absence: { kind: 'same' },
}

/** Items, access tokens and money: each event matters by itself. */
export const custody: readonly Rule[] = [
  onEvents(
    { name: 'access_token_lost', severity: 'page', summary: 'An access token cannot be read or was lost.' },
    pageWindow,
  ),
  itemLosses,
  onEvents({ name: 'items_orphaned', severity: 'ticket', summary: 'Billed items at Plaid have no row here.' }, day),
  onEvents(
    {
      name: 'items_not_removed',
      severity: 'ticket',
      summary: 'Items that users removed stay at Plaid and are billed.',
    },
    hour,
    5,
  ),
  onEvents(
    {
      name: 'orphan_removal_limit_reached',
      severity: 'page',
      summary: 'More orphans wait for their removal than a day allows.',
    },
    hour,
  ),
  onEvents(
    { name: 'user_mismatch', severity: 'page', summary: 'An item at Plaid belongs to another user.' },
    pageWindow,
  ),
  onEvents({ name: 'plaid_users_missing', severity: 'ticket', summary: 'Many users have no Plaid user.' }, 130),
  onEvents(
    {
      name: 'rotations_failing',
      severity: 'ticket',
      summary: 'A rotation of access tokens or keys does not complete.',
    },
    hour,
  ),
]
