// What the audit trail records: a closed list of actions, each with the kind of its target.

type TargetKind = 'item' | 'encryption_key' | 'person' | 'erasure' | 'freeze' | 'access_tokens'

/** Action → what its target is. */
export const auditActions = {
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
  /** The re-encryption of every stored secret, under the key that the target names. */
  key_rotation_started: 'encryption_key',
  /** The freeze of the deployment, now in the state that the target names. */
  freeze_changed: 'freeze',
  /** The rotation of every access token that is older than the time that the target names. */
  token_rotation_started: 'access_tokens',
} as const satisfies Readonly<Record<string, TargetKind>>

export type AuditAction = keyof typeof auditActions
