// Accounts that duplicate, or may duplicate, other accounts of the same user, and the user's decisions about them.
import { type AuditRow, recordAudit } from '../audit/record.ts'
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { originalOf } from '../records/accounts-merge.ts'
import { execute, type ApiDatabase, type JobsDatabase } from '../core/client.ts'
import { sqlState, sqlStateOf } from '../core/sql-state.ts'
import { requireAccountsVersion } from '../records/known-accounts.ts'
import { asUser, type Identity, me } from '../core/scope.ts'
import { trimTombstones } from '../records/tombstones.ts'
import { anyRow, command, query, type Statement } from '../core/statement.ts'

export interface Duplicate {
  readonly accountId: string
  /** The account that it duplicates or may duplicate. */
  readonly of: string
  readonly state: 'possible' | 'same'
}

const duplicateRow = z
  .object({
    id: z.string(),
    duplicate_of: z.string(),
    duplicate_state: z.enum(['possible', 'same']),
  })
  .transform((row): Duplicate => ({ accountId: row.id, of: row.duplicate_of, state: row.duplicate_state }))

/** The duplicates in one item, oldest first; null if the user has no such item. */
export async function listDuplicates(
  database: ApiDatabase,
  identity: Identity,
  itemId: string,
): Promise<readonly Duplicate[] | null> {
  const { item, found } = await asUser(database, identity, {
    item: query(anyRow, sql`select 1 from items where id = ${itemId} and user_id = ${me} and removed_at is null`),
    found: query(
      duplicateRow,
      sql`select a.id, a.duplicate_of, a.duplicate_state from accounts a join accounts o on o.id = a.duplicate_of
        join items i on i.id = o.item_id and i.removed_at is null
        where a.item_id = ${itemId} and a.user_id = ${me} and a.duplicate_state <> 'kept' order by a.created_at, a.id`,
    ),
  })
  return item.length === 0 ? null : found
}

export interface Resolution {
  readonly userId: string
  readonly accountId: string
  /**
   * `merge`: becomes one row with `into` · `same`: is the same account as `into`, but both items are live, so both
   * rows stay · `keep`: is a different account
   */
  readonly kind: 'merge' | 'same' | 'keep'
  /** Null for `keep`. */
  readonly into: string | null
  /** The version of the accounts on which the decision is based. */
  readonly version: string
}

/** Returns false if the user's accounts have changed since `version`; read them again then. */
export async function resolveDuplicate(jobs: JobsDatabase, resolution: Resolution, audit: AuditRow): Promise<boolean> {
  const { userId, accountId, into, version } = resolution
  try {
    await execute(jobs, [
      // Lock order: the item's row before its other rows.
      command(sql`select 1 from items where user_id = ${userId} and id in (
          select item_id from accounts where id in (${accountId}::uuid, ${into}::uuid)) order by id for no key update`),
      command(sql`select 1 from users where id = ${userId} for no key update`),
      requireAccountsVersion(userId, version),
      recordAudit(audit),
      statementOf(resolution),
      trimTombstones(sql`select ${userId}::uuid as user_id`),
    ])
    return true
  } catch (error) {
    if (sqlStateOf(error) === sqlState.accountsChanged) return false
    throw error
  }
}

function statementOf({ userId, accountId, kind, into }: Resolution): Statement {
  if (kind === 'merge') return command(sql`select app.merge_accounts(${into}::uuid, ${accountId}::uuid)`)
  const state = kind === 'keep' ? 'kept' : 'same'
  const original = into === null ? sql`duplicate_of` : originalOf(sql`${into}::uuid`)
  return command(sql`update accounts set duplicate_state = ${state}, duplicate_of = ${original}, updated_at = now()
      where id = ${accountId} and user_id = ${userId}`)
}
