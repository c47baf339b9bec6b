// Pages of a user's rows for the export, as JSON text that PostgreSQL writes: exact decimals, RFC 3339 times. Each page
// is read behind `app.enter`, so that row-level security decides whose rows they are.
import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import * as z from 'zod'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import { type AuditRow, recordAudit } from '../audit/record.ts'
import type { ApiDatabase, IdentityDatabase } from '../core/client.ts'
import { byIndex, plan } from '../core/plans.ts'
import { asUser, type Identity, me, pageAsUser } from '../core/scope.ts'
import { idRow, query } from '../core/statement.ts'
import { ask, sessionKey, type SessionKey } from '../identity/credentials.ts'
import type { ExportedTable } from './exported-tables.ts'

const defaultPageSize = 500

/** `text`: documents and lists as text, for a cell. */
export type Documents = 'json' | 'text'

export interface ExportedColumn {
  readonly name: string
  /** An exact decimal, as text. */
  readonly isNumeric: boolean
}

const byType = (column: PgColumn, documents: Documents): SQL => {
  const type = column.getSQLType()
  if (type === 'numeric') return sql`trim_scale(${column})::text`
  if (type.startsWith('timestamp')) return sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
  if (documents === 'text' && (type === 'jsonb' || type.endsWith('[]'))) return sql`to_jsonb(${column})::text`
  return sql`${column}`
}

const exportedOf = ({ table, leftOut = {} }: ExportedTable): PgColumn[] =>
  Object.values(getTableColumns(table)).filter(({ name }) => !Object.hasOwn(leftOut, name))

/** The columns of a table that are exported, in the order of the schema. */
export const columnsOf = (exported: ExportedTable): ExportedColumn[] =>
  exportedOf(exported).map((column) => ({ name: column.name, isNumeric: column.getSQLType() === 'numeric' }))

const pageRow = z.object({ line: z.string(), key: z.array(z.string()) })

export interface ExportPage {
  /** A JSON object a row. */
  readonly lines: readonly string[]
  /** Where the next page begins; null for the last page. */
  readonly next: readonly string[] | null
}

export interface PageWanted {
  readonly documents: Documents
  readonly after: readonly string[] | null
  /** For a table that is read account by account. */
  readonly accountId: string | null
}

const list = (parts: readonly SQL[]): SQL => sql.join([...parts], sql`, `)

/** A page of a table. */
export async function exportPage(
  database: ApiDatabase,
  identity: Identity,
  exported: ExportedTable,
  { documents, after, accountId }: PageWanted,
): Promise<ExportPage> {
  const { table, owner, key, byAccount, isIndexed = false, pageSize = defaultPageSize } = exported
  const members = exportedOf(exported).flatMap((column) => [sql`${column.name}::text`, byType(column, documents)])
  const place =
    after === null
      ? sql`true`
      : sql`(${list(key.map((column) => sql`${column}`))}) > (${list(
          key.map((column, index) => sql`${after[index] ?? null}::${sql.raw(column.getSQLType())}`),
        )})`
  const page = query(
    pageRow,
    sql`select json_build_object(${list(members)})::text as line,
        to_jsonb(array[${list(key.map((column) => sql`${column}::text`))}]) as key
      from ${table} where ${owner} = ${me} and ${byAccount === undefined ? sql`true` : sql`${byAccount} = ${accountId}`}
        and ${place} order by ${list(key.map((column) => sql`${column}`))} limit ${pageSize}`,
  )
  const { rows } = isIndexed
    ? await pageAsUser(database, identity, { rows: page })
    : await asUser(database, identity, { planned: plan(byIndex), rows: page })
  return {
    lines: rows.map(({ line }) => line),
    next: rows.length < pageSize ? null : (rows.at(-1)?.key ?? null),
  }
}

/** Records that the export begins. */
export async function recordExport(database: ApiDatabase, identity: Identity, audit: AuditRow): Promise<void> {
  await asUser(database, identity, { audited: recordAudit(audit) })
}

/** The user's accounts, hidden ones too. */
export async function exportedAccountIds(database: ApiDatabase, identity: Identity): Promise<readonly string[]> {
  const { ids } = await asUser(database, identity, {
    ids: query(idRow, sql`select id from ${accounts} where user_id = ${me} order by id`),
  })
  return ids
}

const loginRow = z.object({ name: z.string(), line: z.string() })

/** What is stored of the built-in account of a live session, as named JSON objects; empty if the session has ended. */
export async function exportLogin(
  database: IdentityDatabase,
  key: SessionKey,
): Promise<readonly z.output<typeof loginRow>[]> {
  return await ask(database, loginRow, sql`select name, line from identity.export_account(${sessionKey(key)})`)
}
