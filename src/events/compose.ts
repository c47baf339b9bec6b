// Makes the body of an event from its stored row. The same row makes the same body, however often it is sent.
import type { StoredEvent } from '../db/events/work.ts'
import { AppError } from '../errors.ts'
import { actionRequired } from '../items/action-required.ts'
import { type EventBody, eventSchemas, isEventType } from './types.ts'

/** Clients see an item that waits for its removal at Plaid as removed. */
const shownStatus = (status: unknown): unknown => (status === 'removing' ? 'removed' : status)

const instant = (value: unknown): string | null => (typeof value === 'string' ? new Date(value).toISOString() : null)

function statusChange({ from, to, new_accounts: added, consent_needed: consent, deadline }: StoredEvent['data']) {
  const products = consent === true ? [{ status: 'consent_needed' }] : []
  return {
    from: shownStatus(from),
    to,
    action_required: actionRequired({ status: String(to), newAccountsAvailable: added === true, products }),
    deadline: instant(deadline),
  }
}

/** @throws AppError `internal` for a row that no version of this code writes */
export function eventBody({ type, createdAt, userId, subject, itemId, data }: StoredEvent): EventBody {
  const timestamp = createdAt.toISOString()
  if (type === 'ping') return { type, timestamp, data: {} }
  if (!isEventType(type)) throw new AppError('internal', 'An event is malformed.', { reason: `event type ${type}` })
  const own = type === 'item.status_changed' ? statusChange(data) : data
  const whose = { ...(userId === null ? {} : { user: userId }), ...(subject === null ? {} : { subject }) }
  const parsed = eventSchemas[type].safeParse({ ...whose, item: itemId, ...own })
  if (parsed.success) return { type, timestamp, data: parsed.data }
  throw new AppError('internal', 'An event is malformed.', { reason: `event ${type}` })
}
