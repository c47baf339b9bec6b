// What the audit trail records: a closed list of actions, each with the kind of its target.

type TargetKind =
  | 'access_tokens'
  | 'account'
  | 'api_key'
  | 'application'
  | 'audit_trail'
  | 'backup'
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
  | 'rule'
  | 'session'
  | 'webhook_delivery'
  | 'webhook_endpoint'

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
  /** The holder of a refresh token ended its session. */
  signed_out: 'credentials',
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
  /** Plaid no longer accepts the access token: only a new link helps. */
  item_lost: 'item',
  /** The person withdrew the permission at the bank or at Plaid, for the item or for one of its accounts. */
  item_revoked: 'item',
  account_revoked: 'item',
  /** Plaid announced that the connection or the consent ends. */
  item_end_announced: 'item',
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
  /** A job used the access token: the first time on a UTC day. */
  token_used: 'item',
  token_rotation_requested: 'item',
  token_rotated: 'item',
  duplicate_resolved: 'account',
  /** Of one item, or of all where there is no target. */
  sync_requested: 'item',
  /** A rule for transactions. */
  rule_created: 'rule',
  rule_changed: 'rule',
  rule_deleted: 'rule',
  /** All rules of the user, which have no target: their order, and their application to stored transactions. */
  rules_ordered: 'rule',
  rules_applied: 'rule',
  /** Calls of Plaid that are billed. */
  refresh_requested: 'item',
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
  /** A built-in account became an administrator, or stopped being one. */
  admin_granted: 'credentials',
  admin_revoked: 'credentials',
  /** Where events are sent: created, changed, or enabled after it answered a challenge. */
  webhook_endpoint_created: 'webhook_endpoint',
  webhook_endpoint_changed: 'webhook_endpoint',
  webhook_endpoint_verified: 'webhook_endpoint',
  webhook_endpoint_deleted: 'webhook_endpoint',
  /** The endpoint is gone, fails for too long, or leads into a private network. */
  webhook_endpoint_disabled: 'webhook_endpoint',
  webhook_endpoint_tested: 'webhook_endpoint',
  webhook_secret_rotated: 'webhook_endpoint',
  /** One, or all failed ones where there is no target. */
  webhook_deliveries_replayed: 'webhook_delivery',
  /** The trail was verified. The target is the result (src/audit/verification.ts). */
  audit_verified: 'audit_trail',
  application_created: 'application',
  api_key_created: 'api_key',
  api_key_revoked: 'api_key',
  /** A key issued a token for a client of the person: the first one on a UTC day. */
  client_token_issued: 'api_key',
  /** An administrator read what the route returns. */
  admin_read: 'route',
  /** The deletion of data past their retention: before the first row is deleted. */
  retention_started: 'deleted_rows',
  /** At its end. The target is the number of rows that it deleted. */
  retention_finished: 'deleted_rows',
  /** The whole database was read and encrypted for the recipients of backups. */
  backup_created: 'backup',
  backup_failed: 'backup',
  /** Its retention has ended. */
  backup_deleted: 'backup',
  /** An administrator reports that the backup was restored into a temporary database and compared. */
  backup_verified: 'backup',
  /** This database was made from the backup, or by the provider where there is no target. */
  backup_restored: 'backup',
} as const satisfies Readonly<Record<string, TargetKind>>

export type AuditAction = keyof typeof auditActions

/** What a route that changes something records; where it records nothing, why. */
export type RouteAudit = readonly [AuditAction, ...AuditAction[]] | { readonly none: string }
