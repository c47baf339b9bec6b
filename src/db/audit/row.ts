// A row of the audit trail as `app.record_audit` takes it. Without the query builder, whose 130 MB the commands do not
// need.
import { type Bytes, encodeHex } from '../../crypto/encoding.ts'
import type { Identity } from '../core/scope.ts'

/** A person, or what leads to one. Where it leads to no person, the row is in the system's trail. */
export type AuditOwner =
  | Identity
  | { readonly userId: string }
  | { readonly itemId: string }
  | { readonly email: string }

export interface AuditRow {
  readonly id: string
  readonly at: Date
  readonly actorKind: string
  readonly actorHash: Bytes | null
  readonly action: string
  readonly targetKind: string
  readonly targetId: string | null
  readonly requestId: string
  readonly correlationId: string | null
  readonly network: string | null
  readonly keyId: string
  readonly mac: Bytes
  /**
   * Who acted, the salt of the hash in hexadecimal, and the first characters of their API key; null for an actor that
   * is no person.
   */
  readonly actor: (Identity & { readonly salt: string; readonly apiKey: string | null }) | null
  /** In whose trail the row is; null for the system's. */
  readonly owner: AuditOwner | null
}

/** The row as the argument of `app.record_audit`, in JSON. */
export const auditJson = ({ actorHash, mac, at, ...row }: AuditRow): string =>
  JSON.stringify({
    ...row,
    at: at.toISOString(),
    actorHash: actorHash === null ? null : encodeHex(actorHash),
    mac: encodeHex(mac),
  })
