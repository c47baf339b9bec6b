// The states of an item: their meaning, background work, required action and successors. docs/items.md contains the
// same table; a test compares them, and another one compares the transitions that happen.

/** - `all`: all products are synced · `item`: only the item's own state is read · `none`: nothing */
export type BackgroundWork = 'all' | 'item' | 'none'

export type RequiredAction = 'update' | 'give_consent' | 'add_accounts' | 'contact_bank' | 'relink'

interface ItemStatusRule {
  readonly background: BackgroundWork
  /** The action that the user has to take, independent of announcements. */
  readonly action: RequiredAction | null
  /** The states that may follow. */
  readonly next: readonly string[]
}

/** States that Plaid may report at any time, in any order. */
const reported = [
  'healthy',
  'needs_update',
  'pending_disconnect',
  'pending_expiration',
  'bank_action_required',
  'institution_down',
  'relink_required',
  'revoked',
] as const

const live = [...reported, 'removing'] as const

export const itemStatusTable = {
  /** Linked; its first transactions are not stored yet. */
  initializing: { background: 'all', action: null, next: live },
  healthy: { background: 'all', action: null, next: live },
  /** The login no longer works; update mode repairs it. */
  needs_update: { background: 'item', action: 'update', next: live },
  /** The connection ends at `disconnect_at` unless the user logs in again. */
  pending_disconnect: { background: 'all', action: 'update', next: live },
  /** The user's consent ends at `consent_expires_at` unless they renew it. */
  pending_expiration: { background: 'all', action: 'update', next: live },
  /** The user has to contact the bank first. */
  bank_action_required: { background: 'item', action: 'contact_bank', next: live },
  /** The bank does not respond to Plaid. Temporary; hides announced states. */
  institution_down: { background: 'all', action: null, next: live },
  /** Plaid no longer has the item, or can never read its data again. */
  relink_required: { background: 'none', action: 'relink', next: ['initializing', 'removing'] },
  /** The user withdrew their permission at the bank or at Plaid. */
  revoked: { background: 'none', action: 'relink', next: ['initializing', 'removing'] },
  /** Hidden from its user; Plaid has not confirmed the removal, so it may still be billed. */
  removing: { background: 'none', action: null, next: ['removed', 'initializing'] },
  /** Removed at Plaid; its rows wait for deletion or a new link. */
  removed: { background: 'none', action: null, next: ['initializing'] },
} as const satisfies Record<string, ItemStatusRule>

export type ItemStatus = keyof typeof itemStatusTable

export const isItemStatus = (text: string): text is ItemStatus => Object.hasOwn(itemStatusTable, text)

const withBackground = (...kinds: readonly BackgroundWork[]): ItemStatus[] =>
  Object.entries(itemStatusTable).flatMap(([status, { background }]) =>
    kinds.includes(background) && isItemStatus(status) ? [status] : [],
  )

/** States in which products are not synced until the user acts, except `item`. */
export const stoppedStatuses: readonly ItemStatus[] = withBackground('item', 'none')
/** States in which nothing is read: only a new link helps, and replaces the item. */
export const lostStatuses: readonly ItemStatus[] = withBackground('none')
