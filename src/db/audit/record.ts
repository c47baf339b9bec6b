// Writes a row of the audit trail (migrations/0027). The row's id is made before the batch is sent: sending the batch
// again writes nothing new.
import { type SQL, sql } from 'drizzle-orm'
import { LOCAL_ISSUER } from '../../auth/access-token.ts'
import { command, type Statement } from '../core/statement.ts'
import { auditJson, type AuditRow } from './row.ts'

export type { AuditOwner, AuditRow } from './row.ts'

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
