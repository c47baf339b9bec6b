// All accounts of a user, including those of removed items, for the comparison with incoming accounts
// (src/items/match-accounts.ts).
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, type JobsDatabase } from '../core/client.ts'
import { refuseWhen, sqlState } from '../core/sql-state.ts'
import { lost } from '../sync/work.ts'
import { command, query } from '../core/statement.ts'

/** The fields that distinguish accounts. Empty text counts as null. */
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

const knownAccount = z
  .object({
    id: z.string(),
    item_id: z.string(),
    institution_id: z.string().nullable(),
    link_epoch: z.number(),
    plaid_account_id: z.string(),
    persistent_account_id: z.string().nullable(),
    name: z.string(),
    official_name: z.string().nullable(),
    mask: z.string().nullable(),
    type: z.string(),
    subtype: z.string().nullable(),
    currency: z.string().nullable(),
    is_closed: z.boolean(),
    is_lost: z.boolean(),
    is_duplicate: z.boolean(),
  })
  .transform((row): KnownAccount => ({
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

const known = (userId: SQL): SQL =>
  sql`select a.id, a.created_at, a.item_id, i.institution_id, i.link_epoch, a.plaid_account_id, a.persistent_account_id,
      a.name, a.official_name, a.mask, a.type, a.subtype, coalesce(a.iso_currency_code,
        a.unofficial_currency_code) as currency,
      a.closed or a.revoked_at is not null as is_closed, i.status in (${lost}) as is_lost,
      a.duplicate_of is not null and a.duplicate_state <> 'kept' as is_duplicate
    from accounts a join items i on i.id = a.item_id where a.user_id = ${userId}`

/** The accounts of a user, oldest first. */
export const selectKnownAccounts = (userId: SQL) =>
  query(knownAccount, sql`${known(userId)} order by a.created_at, a.id`)

/** Without the link epoch, which the same transaction can increase. */
const version = (userId: string): SQL =>
  sql`(select coalesce(md5(string_agg((to_jsonb(k) - 'link_epoch')::text, '' order by k.id)), '')
    from (${known(sql`${userId}::uuid`)}) k)`

export interface KnownAccounts {
  readonly accounts: readonly KnownAccount[]
  /** Changes when one of the accounts changes. */
  readonly version: string
}

const versionRow = z.object({ version: z.string() }).transform(({ version: text }) => text)
const selectVersion = (userId: string) => query(versionRow, sql`select ${version(userId)} as version`)

/**
 * The accounts of a user with their version. The version is read first: each statement of a batch sees what was
 * committed before it, so accounts that change in between do not have this version, and the commit that requires it is
 * refused.
 */
export async function readKnownAccounts(jobs: JobsDatabase, userId: string): Promise<KnownAccounts> {
  const { accounts, versions } = await batch(jobs, {
    versions: selectVersion(userId),
    accounts: selectKnownAccounts(sql`${userId}::uuid`),
  })
  return { accounts, version: versions[0] ?? '' }
}

/** A stored item, as a user sees it. */
export interface StoredItem {
  readonly id: string
  readonly isOwn: boolean
}

const storedItem = z
  .object({ id: z.string(), is_own: z.boolean() })
  .transform((row): StoredItem => ({ id: row.id, isOwn: row.is_own }))

const lostToken = z
  .object({ id: z.string(), access_token_sealed: z.string() })
  .transform((row): readonly [string, string] => [row.id, row.access_token_sealed])

/**
 * The same, with the item with that Plaid item id, null if it is not stored, and the sealed tokens of the items that
 * only a new link continues, by item.
 */
export async function readAccountsAndItem(
  jobs: JobsDatabase,
  userId: string,
  plaidItemId: string,
): Promise<KnownAccounts & { readonly item: StoredItem | null; readonly lostTokens: ReadonlyMap<string, string> }> {
  const { items, accounts, versions, tokens } = await batch(jobs, {
    versions: selectVersion(userId),
    items: query(
      storedItem,
      sql`select id, user_id = ${userId} as is_own from items where plaid_item_id = ${plaidItemId}`,
    ),
    accounts: selectKnownAccounts(sql`${userId}::uuid`),
    tokens: query(
      lostToken,
      sql`select id, access_token_sealed from items where user_id = ${userId}
        and status in ('relink_required', 'revoked')`,
    ),
  })
  return { accounts, version: versions[0] ?? '', item: items[0] ?? null, lostTokens: new Map(tokens) }
}

/**
 * Rolls back the batch if the user's accounts have changed since `expected` was read. Requires the lock on the user's
 * row.
 */
export const requireAccountsVersion = (userId: string, expected: string) =>
  command(sql`select ${refuseWhen(sql`${version(userId)} <> ${expected}`, sqlState.accountsChanged)}`)

/** Rolls back the batch if one of these accounts is no longer in the item: another run has moved it to another item. */
export const requireAccounts = (itemId: string, plaidAccountIds: readonly string[]) =>
  command(
    sql`select ${refuseWhen(
      sql`exists (select 1 from unnest(${sql.param(plaidAccountIds)}::text[]) as named (id) where not exists (
        select 1 from accounts a where a.item_id = ${itemId} and a.plaid_account_id = named.id))`,
      sqlState.accountsChanged,
    )}`,
  )
