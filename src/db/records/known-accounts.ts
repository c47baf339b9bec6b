// All accounts of a user, those of removed items included, for the comparison with incoming accounts
// (src/items/match-accounts.ts).
import { type SQL, sql } from 'drizzle-orm'
import { type ApiDatabase, batch, type JobsDatabase, rows } from '../core/client.ts'
import { refuseWhen, sqlState } from '../core/sql-state.ts'
import { lost } from '../sync/work.ts'

/** What distinguishes accounts. Empty text counts as null. */
export interface AccountTraits {
  readonly persistentAccountId: string | null
  readonly name: string | null
  readonly officialName: string | null
  readonly mask: string | null
  readonly type: string | null
  readonly subtype: string | null
  readonly currency: string | null
}

export interface KnownAccount extends AccountTraits {
  readonly id: string
  readonly itemId: string
  readonly institutionId: string | null
  /** `link_epoch` of its item. */
  readonly linkEpoch: number
  readonly plaidAccountId: string
  /** Plaid no longer lists it, or the user revoked access to it. */
  readonly isClosed: boolean
  /** Its item can only be restored by a new link. */
  readonly isLost: boolean
  /** It duplicates another account of the user, or may do so, and that one counts. */
  readonly isDuplicate: boolean
}

interface KnownRow extends Record<string, unknown> {
  id: string
  item_id: string
  institution_id: string | null
  link_epoch: number
  plaid_account_id: string
  persistent_account_id: string | null
  name: string
  official_name: string | null
  mask: string | null
  type: string
  subtype: string | null
  currency: string | null
  is_closed: boolean
  is_lost: boolean
  is_duplicate: boolean
}

const known = (userId: SQL): SQL =>
  sql`select a.id, a.created_at, a.item_id, i.institution_id, i.link_epoch, a.plaid_account_id, a.persistent_account_id,
      a.name, a.official_name, a.mask, a.type, a.subtype, coalesce(a.iso_currency_code, a.unofficial_currency_code) as currency,
      a.closed or a.revoked_at is not null as is_closed, i.status in (${lost}) as is_lost,
      a.duplicate_of is not null and a.duplicate_state <> 'kept' as is_duplicate
    from accounts a join items i on i.id = a.item_id where a.user_id = ${userId}`

/** The accounts of a user, oldest first. */
export const selectKnownAccounts = (database: ApiDatabase | JobsDatabase, userId: SQL) =>
  rows<KnownRow>(database, sql`${known(userId)} order by a.created_at, a.id`)

export const knownAccountsIn = (found: { readonly rows: readonly KnownRow[] }): KnownAccount[] =>
  found.rows.map((row) => ({
    id: row.id,
    itemId: row.item_id,
    institutionId: row.institution_id,
    linkEpoch: row.link_epoch,
    plaidAccountId: row.plaid_account_id,
    persistentAccountId: row.persistent_account_id,
    name: row.name,
    officialName: row.official_name,
    mask: row.mask,
    type: row.type,
    subtype: row.subtype,
    currency: row.currency,
    isClosed: row.is_closed,
    isLost: row.is_lost,
    isDuplicate: row.is_duplicate,
  }))

/** Without the link epoch, which the same transaction may raise. */
const version = (userId: string): SQL =>
  sql`(select coalesce(md5(string_agg((to_jsonb(k) - 'link_epoch')::text, '' order by k.id)), '')
    from (${known(sql`${userId}::uuid`)}) k)`

export interface KnownAccounts {
  readonly accounts: readonly KnownAccount[]
  /** Differs as soon as one of the accounts does. */
  readonly version: string
}

const selectVersion = (jobs: JobsDatabase, userId: string) =>
  rows<{ version: string }>(jobs, sql`select ${version(userId)} as version`)

type Answers = readonly [{ readonly rows: readonly KnownRow[] }, { readonly rows: readonly { version: string }[] }]
const answered = ([accounts, { rows: versions }]: Answers): KnownAccounts => ({
  accounts: knownAccountsIn(accounts),
  version: versions[0]?.version ?? '',
})

/** The accounts of a user with their version. */
export async function readKnownAccounts(jobs: JobsDatabase, userId: string): Promise<KnownAccounts> {
  const answers = await batch(jobs, [selectKnownAccounts(jobs, sql`${userId}::uuid`), selectVersion(jobs, userId)])
  return answered(answers)
}

/** A stored item, as a user sees it. */
export interface StoredItem {
  readonly id: string
  readonly isOwn: boolean
}

/** The same, and the item with that id of Plaid; null where it is not stored. */
export async function readAccountsAndItem(
  jobs: JobsDatabase,
  userId: string,
  plaidItemId: string,
): Promise<KnownAccounts & { readonly item: StoredItem | null }> {
  const [items, ...answers] = await batch(jobs, [
    rows<{ id: string; is_own: boolean }>(
      jobs,
      sql`select id, user_id = ${userId} as is_own from items where plaid_item_id = ${plaidItemId}`,
    ),
    selectKnownAccounts(jobs, sql`${userId}::uuid`),
    selectVersion(jobs, userId),
  ])
  const item = items.rows[0]
  return { ...answered(answers), item: item === undefined ? null : { id: item.id, isOwn: item.is_own } }
}

/** Rolls back the batch if the user's accounts have changed since `expected` was read. Requires the lock on the user's row. */
export const requireAccountsVersion = (jobs: JobsDatabase, userId: string, expected: string) =>
  rows(jobs, sql`select ${refuseWhen(sql`${version(userId)} <> ${expected}`, sqlState.accountsChanged)}`)

/** Rolls back the batch if one of these accounts is no longer in the item: another run has moved it to another item. */
export const requireAccounts = (jobs: JobsDatabase, itemId: string, plaidAccountIds: readonly string[]) =>
  rows(
    jobs,
    sql`select ${refuseWhen(
      sql`exists (select 1 from unnest(${sql.param(plaidAccountIds)}::text[]) as named (id) where not exists (
        select 1 from accounts a where a.item_id = ${itemId} and a.plaid_account_id = named.id))`,
      sqlState.accountsChanged,
    )}`,
  )
