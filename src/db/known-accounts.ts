// All of a user's accounts, hidden ones too, as an account that Plaid tells is compared with them (src/items/match-accounts.ts).
import { type SQL, sql } from 'drizzle-orm'
import { type ApiDatabase, type JobsDatabase, rows } from './client.ts'
import { lost } from './sync-work.ts'

/** By what accounts are told apart. Empty text is none. */
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
  /** Its item's. */
  readonly linkEpoch: number
  readonly plaidAccountId: string
  /** Its bank tells it no more, or its user took it back. */
  readonly isClosed: boolean
  /** Only a new link brings its item back. */
  readonly isLost: boolean
  /** A second view of another account of the user's, which stands for it. */
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

const known = (
  userId: SQL,
): SQL => sql`select a.id, a.created_at, a.item_id, i.institution_id, a.plaid_account_id, a.persistent_account_id, a.name, a.official_name, a.mask,
    a.type, a.subtype, coalesce(a.iso_currency_code, a.unofficial_currency_code) as currency,
    a.closed or a.revoked_at is not null as is_closed, i.status in (${lost}) as is_lost,
    a.duplicate_of is not null and a.duplicate_state <> 'kept' as is_duplicate
  from accounts a join items i on i.id = a.item_id where a.user_id = ${userId}`

/** The accounts of a user, oldest first. */
export const selectKnownAccounts = (database: ApiDatabase | JobsDatabase, userId: SQL) =>
  rows<KnownRow>(
    database,
    sql`select k.*, i.link_epoch from (${known(userId)}) k join items i on i.id = k.item_id order by k.created_at, k.id`,
  )

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

const version = (userId: string): SQL =>
  sql`(select coalesce(md5(string_agg(k::text, '' order by k.id)), '') from (${known(sql`${userId}::uuid`)}) k)`

/** What changes with anything that `selectKnownAccounts` answers. */
export const selectAccountsVersion = (jobs: JobsDatabase, userId: string) =>
  rows<{ version: string }>(jobs, sql`select ${version(userId)} as version`)

/** Refuses the batch (WN006) where the user's accounts are not what they were. Run it with the user's counter row locked. */
export const requireAccountsVersion = (jobs: JobsDatabase, userId: string, expected: string) =>
  rows(jobs, sql`select app.refuse(${version(userId)} <> ${expected}, 'WN006')`)

/** Refuses the batch (WN006) where the item has one of these accounts no more: it has gone over to another item meanwhile. */
export const requireAccounts = (jobs: JobsDatabase, itemId: string, plaidAccountIds: readonly string[]) =>
  rows(
    jobs,
    sql`select app.refuse(exists (select 1 from unnest(${sql.param(plaidAccountIds)}::text[]) as named (id) where not exists (
      select 1 from accounts a where a.item_id = ${itemId} and a.plaid_account_id = named.id)), 'WN006')`,
  )
