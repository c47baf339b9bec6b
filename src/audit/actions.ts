// What the audit trail records: a closed list of actions, each with the kind of its target.

type TargetKind =
  | 'access_tokens'
  | 'account'
  /** Those of the person in whose trail the row is. The row has no id of the account: an erasure could not delete it. */
  | 'credentials'
  | 'dead_letter'
  | 'deleted_rows'
  | 'encryption_key'
  | 'erasure'
  | 'freeze'
  | 'item'
  | 'link_session'
  | 'person'
  | 'route'
  | 'session'

/** Action → what its target is. */
export const auditActions = {
  registration_requested: 'credentials',
  account_created: 'credentials',
  signed_in: 'session',
  /** A wrong password or code: a row an hour and network. */
  sign_in_refused: 'credentials',
  /** One session, by its id. */
  session_ended: 'session',
  /** All sessions of an account, and its devices. */
  sessions_ended: 'credentials',
  /** A refresh token was used again, which ended its session. */
  session_reused: 'session',
  password_changed: 'credentials',
  password_reset_requested: 'credentials',
  password_reset: 'credentials',
  totp_enrolled: 'credentials',
  totp_enabled: 'credentials',
  totp_disabled: 'credentials',
  link_token_created: 'link_session',
  /** A public token was exchanged: the access token of the future item is stored. */
  access_token_obtained: 'item',
  item_linked: 'item',
  /** A link took the place of an earlier one. */
  item_relinked: 'item',
  /** A link continues accounts of other items of the user. */
  accounts_taken_over: 'item',
  /** The exchange ended without an item: a duplicate, too many items, or none of the user's. */
  link_refused: 'item',
  item_repaired: 'item',
  /** Everything that is stored about the person was read. */
  data_exported: 'person',
  /** What the person allows. */
  consents_changed: 'person',
  /** From then on the person's tokens are refused. */
  erasure_begun: 'erasure',
  /** Hidden from its user, and its removal at Plaid queued. */
  item_removed: 'item',
  /** Removed, or removed before, and now due for deletion at once. */
  item_purged: 'item',
  token_rotation_requested: 'item',
  token_rotated: 'item',
  duplicate_resolved: 'account',
  /** Of one item, or of all where there is no target. */
  sync_requested: 'item',
  item_resynced: 'item',
  item_rechecked: 'item',
  /** One, or all where there is no target. */
  dead_letters_replayed: 'dead_letter',
  /** The re-encryption of every stored secret, under the key that the target names. */
  key_rotation_started: 'encryption_key',
  /** The freeze of the deployment, now in the state that the target names. */
  freeze_changed: 'freeze',
  /** The rotation of every access token that is older than the time that the target names. */
  token_rotation_started: 'access_tokens',
  /** An administrator read what the route returns. */
  admin_read: 'route',
  /** The deletion of data past their retention: before the first row is deleted. */
  retention_started: 'deleted_rows',
  /** At its end. The target is the number of rows that it deleted. */
  retention_finished: 'deleted_rows',
} as const satisfies Readonly<Record<string, TargetKind>>

export type AuditAction = keyof typeof auditActions

/** What a route that changes something records; where it records nothing, why. */
export type RouteAudit = readonly [AuditAction, ...AuditAction[]] | { readonly none: string }
