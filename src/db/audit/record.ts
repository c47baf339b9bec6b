// Writes a row of the audit trail (migrations/0027). The row's id is made before the batch is sent: sending the batch
// again writes nothing new.
import { type SQL, sql } from 'drizzle-orm'
import { encodeHex, type Bytes } from '../../crypto/encoding.ts'
import { LOCAL_ISSUER } from '../../auth/access-token.ts'
import type { Identity } from '../core/scope.ts'
import { command, type Statement } from '../core/statement.ts'

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
  /** Who acted, and the salt of the hash in hexadecimal; null for an actor that is no person. */
  readonly actor: (Identity & { readonly salt: string }) | null
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

const auditArgument = (row: AuditRow): SQL => sql`${auditJson(row)}::jsonb`

/** Records the row; `when` is the condition under which the batch changes anything, where it may not. */
export const recordAudit = (row: AuditRow, when: SQL = sql`true`): Statement =>
  command(sql`select app.record_audit(${auditArgument(row)}) where ${when}`)

/**
 * The same in the select or returning list of the statement that makes the change: recorded where the statement has a
 * row, and the condition over the row is true.
 */
export const recorded = (row: AuditRow, when: SQL = sql`true`): SQL =>
  sql`case when ${when} then app.record_audit(${auditArgument(row)}) end as recorded`

/** The same in the trail of a built-in account that only the statement knows. */
export const recordedFor = (row: AuditRow, accountId: SQL, when: SQL): SQL =>
  sql`case when ${when} then app.record_audit(${auditArgument(row)} || jsonb_build_object('owner',
    jsonb_build_object('issuer', ${LOCAL_ISSUER}::text, 'subject', ${accountId}))) end as recorded`
