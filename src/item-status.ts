// The life of an item as one table: what each state means, what runs in it, what it asks of the user, and where it may
// lead. docs/items.md shows the same table; a test compares them, and another one the moves that really happen.

/** - `all`: everything is kept in sync · `item`: only the item's own state is looked at · `none`: nothing */
export type BackgroundWork = 'all' | 'item' | 'none'

export type RequiredAction = 'update' | 'give_consent' | 'add_accounts' | 'contact_bank' | 'relink'

interface ItemStatusRule {
  readonly background: BackgroundWork
  /** What the user is asked to do, whatever else is announced of the item. */
  readonly action: RequiredAction | null
  /** The states that may follow. */
  readonly next: readonly string[]
}

/** States of an item that Plaid may tell at any time, in any order. */
const told = [
  'healthy',
  'needs_update',
  'pending_disconnect',
  'pending_expiration',
  'bank_action_required',
  'institution_down',
  'relink_required',
  'revoked',
] as const

const live = [...told, 'removing'] as const

export const itemStatusTable = {
  /** Linked; its first transactions are not here yet. */
  initializing: { background: 'all', action: null, next: live },
  healthy: { background: 'all', action: null, next: live },
  /** The login does not work any more; update mode repairs it. */
  needs_update: { background: 'item', action: 'update', next: live },
  /** The connection ends at `disconnect_at` unless the user logs in again. */
  pending_disconnect: { background: 'all', action: 'update', next: live },
  /** The user's consent ends at `consent_expires_at` unless they renew it. */
  pending_expiration: { background: 'all', action: 'update', next: live },
  /** Something has to be settled with the bank itself first. */
  bank_action_required: { background: 'item', action: 'contact_bank', next: live },
  /** The bank does not answer Plaid; it passes by itself. Lies over what else is true of the item. */
  institution_down: { background: 'all', action: null, next: live },
  /** Plaid no longer has the item, or can never read its data again. */
  relink_required: { background: 'none', action: 'relink', next: ['initializing', 'removing'] },
  /** The user withdrew their permission at the bank or at Plaid. */
  revoked: { background: 'none', action: 'relink', next: ['initializing', 'removing'] },
  /** Hidden from its user; Plaid has not confirmed its end yet, so it may still be billed. */
  removing: { background: 'none', action: null, next: ['removed', 'initializing'] },
  /** Ended at Plaid; its rows wait for their deletion or for a new link. */
  removed: { background: 'none', action: null, next: ['initializing'] },
} as const satisfies Record<string, ItemStatusRule>

export type ItemStatus = keyof typeof itemStatusTable

export const isItemStatus = (text: string): text is ItemStatus => Object.hasOwn(itemStatusTable, text)

const withBackground = (...kinds: readonly BackgroundWork[]): ItemStatus[] =>
  Object.entries(itemStatusTable).flatMap(([status, { background }]) =>
    kinds.includes(background) && isItemStatus(status) ? [status] : [],
  )

/** In these background calls stop until the user has acted, but for a look at the item's own state. */
export const stoppedStatuses: readonly ItemStatus[] = withBackground('item', 'none')
/** In these nothing is worth a look: only a new link helps, and takes the item's place. */
export const lostStatuses: readonly ItemStatus[] = withBackground('none')
