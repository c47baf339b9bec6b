// Accounts and their balances: today's on the account, one row a day beside it.
import { and, asc, eq, gte, lte, type SQL, sql } from 'drizzle-orm'
import { accountBalances, accounts } from '../../drizzle/tables/accounts.ts'
import { type ApiDatabase, type JobsDatabase, rows, type Statement } from './client.ts'
import { currencyOf, exactOrNull, ofShownItem } from './columns.ts'
import { after, type Key, type Page, pageOf } from './page.ts'
import { asUser, type Identity, me, pageAsUser } from './scope.ts'
import { askedAgain, fromTheStart, isResting, type Lease } from './sync-work.ts'

/** An account as a bank tells it; amounts are exact decimal text. */
export interface AccountFacts {
  readonly plaidAccountId: string
  readonly persistentAccountId: string | null
  readonly name: string
  readonly officialName: string | null
  readonly mask: string | null
  readonly type: string
  readonly subtype: string | null
  readonly current: string | null
  readonly available: string | null
  readonly limit: string | null
  readonly isoCurrencyCode: string | null
  readonly unofficialCurrencyCode: string | null
}

/** Whose accounts are written: a run's lease, or a new link. */
export interface AccountsOwner {
  readonly itemId: string
  readonly userId: string
  readonly linkEpoch: number
  /** When the run began: what it read may be older than a revocation that arrived since. */
  readonly startedAt?: string
}

interface FactsToMatch {
  readonly persistentAccountId: string | null
  readonly name: string | null
  readonly mask: string | null
  readonly subtype: string | null
}

/** Facts as rows to match accounts with. */
export const accountsToMatch = (facts: readonly FactsToMatch[], name: string): SQL =>
  sql`jsonb_to_recordset(${JSON.stringify(facts)}::jsonb) as ${sql.raw(name)}("plaidAccountId" text, "persistentAccountId" text, "name" text, "mask" text, "subtype" text)`

/**
 * Whether a stored account and an incoming one are the same account at the bank: by Plaid's persistent id, or without one by
 * name and mask (Plaid's advice on duplicate items).
 */
export const isSameAccount = (here: string, told: string): SQL =>
  sql.raw(`(${here}.persistent_account_id = ${told}."persistentAccountId" or ${here}.name = ${told}."name" and ${here}.mask = ${told}."mask"
    and coalesce(${here}.subtype = ${told}."subtype", true)
    and coalesce(${here}.persistent_account_id = ${told}."persistentAccountId", true))`)

/**
 * After a relink: accounts that an earlier link told of go on under the ids that they have now. To run before
 * `mergeAccounts`, by whoever holds the item's row. Several alike are paired in order.
 */
function rebindAccounts(jobs: JobsDatabase, owner: AccountsOwner, facts: readonly AccountFacts[]) {
  return rows(
    jobs,
    sql`with told as (
        select t.*, row_number() over (partition by "persistentAccountId", "name", "mask", "subtype" order by "plaidAccountId") as n
        from ${accountsToMatch(facts, 't')}
        where not exists (select 1 from accounts k where k.item_id = ${owner.itemId} and k.plaid_account_id = t."plaidAccountId")
      ), earlier as (
        select a.*, row_number() over (partition by persistent_account_id, name, mask, subtype order by created_at, id) as n
        from accounts a where item_id = ${owner.itemId} and link_epoch < ${owner.linkEpoch}
      ), pairs as (
        select distinct on (e.id) e.id, t."plaidAccountId" as plaid_account_id from earlier e join told t
          on e.n = t.n and ${isSameAccount('e', 't')}
        order by e.id, (e.persistent_account_id = t."persistentAccountId") desc nulls last, t."plaidAccountId"
      )
      update accounts a set plaid_account_id = p.plaid_account_id, link_epoch = ${owner.linkEpoch}, updated_at = now()
      from (select distinct on (plaid_account_id) * from pairs order by plaid_account_id, id) p where a.id = p.id`,
  )
}

/**
 * Shows the transactions of earlier links again when a revoked account is shared again. The next run matches them with
 * Plaid's, so the user's notes are kept. Run it after `rebindAccounts` and before `mergeAccounts`, which clears `revoked_at`.
 */
function showSharedAgain(jobs: JobsDatabase, owner: AccountsOwner, facts: readonly AccountFacts[]) {
  const listed = sql`${sql.param(facts.map(({ plaidAccountId }) => plaidAccountId))}::text[]`
  return rows(
    jobs,
    sql`with counter as (
        select change_seq from users where id = ${owner.userId}
      ), again as materialized (
        select t.id, row_number() over (order by t.date, t.id) as n
        from accounts a cross join lateral (
          select id, date from transactions
          where account_id = a.id and link_epoch < ${owner.linkEpoch} and removed_at >= a.revoked_at offset 0) t
        where a.item_id = ${owner.itemId} and a.plaid_account_id = any(${listed})
          and a.revoked_at < coalesce(${owner.startedAt ?? null}::timestamptz, now())
      ), shown as (
        update transactions t set removed_at = null, change_seq = counter.change_seq + again.n, updated_at = now()
        from again cross join counter where t.id = again.id
      )
      update users set change_seq = change_seq + (select count(*) from again)
      where id = ${owner.userId} and exists (select 1 from again)`,
  )
}

/**
 * Writes accounts and today's balance. With `complete`, the list is all that the bank has open, and what is not in it
 * is closed, what is in it open; without, nothing is inferred: transactions name closed accounts too, which have no
 * balance any more. Without `closes`, accounts that are not in a complete list stay open.
 */
function mergeAccounts(
  jobs: JobsDatabase,
  owner: AccountsOwner,
  facts: readonly AccountFacts[],
  complete: boolean,
  closes: boolean,
) {
  const isShared = sql`(${complete} and coalesce(accounts.revoked_at < coalesce(${owner.startedAt ?? null}::timestamptz, now()), true))`
  return rows(
    jobs,
    sql`with incoming as (
        select * from jsonb_to_recordset(${JSON.stringify(facts)}::jsonb) as r("plaidAccountId" text, "persistentAccountId" text,
          "name" text, "officialName" text, "mask" text, "type" text, "subtype" text, "current" numeric, "available" numeric,
          "limit" numeric, "isoCurrencyCode" text, "unofficialCurrencyCode" text)
      ), closing as (
        update accounts a set closed = true, updated_at = now()
        where ${complete && closes} and a.item_id = ${owner.itemId} and not a.closed
          and not exists (select 1 from incoming i where i."plaidAccountId" = a.plaid_account_id)
      ), merged as (
        insert into accounts (user_id, item_id, plaid_account_id, persistent_account_id, name, official_name, mask, type, subtype,
          current_balance, available_balance, credit_limit, iso_currency_code, unofficial_currency_code, balance_as_of, link_epoch)
        select ${owner.userId}::uuid, ${owner.itemId}::uuid, i."plaidAccountId", i."persistentAccountId", i."name", i."officialName", i."mask",
          i."type", i."subtype", i."current", i."available", i."limit", i."isoCurrencyCode", i."unofficialCurrencyCode", now(), ${owner.linkEpoch}
        from incoming i order by i."plaidAccountId"
        on conflict (item_id, plaid_account_id) do update set persistent_account_id = coalesce(excluded.persistent_account_id, accounts.persistent_account_id),
          name = excluded.name, official_name = excluded.official_name, mask = excluded.mask, type = excluded.type, subtype = excluded.subtype,
          current_balance = excluded.current_balance, available_balance = excluded.available_balance, credit_limit = excluded.credit_limit,
          iso_currency_code = excluded.iso_currency_code, unofficial_currency_code = excluded.unofficial_currency_code,
          balance_as_of = excluded.balance_as_of, closed = accounts.closed and not ${isShared},
          revoked_at = case when ${isShared} then null else accounts.revoked_at end, link_epoch = excluded.link_epoch, updated_at = now()
        returning id, closed, current_balance, available_balance, credit_limit, iso_currency_code, unofficial_currency_code, balance_as_of
      )
      insert into account_balances (account_id, day, user_id, current, available, credit_limit, iso_currency_code, unofficial_currency_code, as_of)
      select id, (now() at time zone 'UTC')::date, ${owner.userId}::uuid, current_balance, available_balance, credit_limit, iso_currency_code,
        unofficial_currency_code, balance_as_of from merged where not closed
      on conflict (account_id, day) do update set current = excluded.current, available = excluded.available,
        credit_limit = excluded.credit_limit, iso_currency_code = excluded.iso_currency_code,
        unofficial_currency_code = excluded.unofficial_currency_code, as_of = excluded.as_of`,
  )
}

/**
 * Has the transactions read again from the start if Plaid lists an account as open that was revoked before the run: its
 * transactions were hidden, and some of those that Plaid sent meanwhile were not kept. A new account can bring a product that
 * Plaid refused before, so refused products are read again too. Must run before `writeAccounts`, which clears the revocation
 * and inserts the new accounts. Returns the products' ids.
 */
export function rereadByAccounts(jobs: JobsDatabase, lease: Lease, facts: readonly AccountFacts[]) {
  const listed = sql`${sql.param(facts.map(({ plaidAccountId }) => plaidAccountId))}::text[]`
  return rows<{ id: string }>(
    jobs,
    sql`with shared as (
        update item_products p set ${fromTheStart}, ${askedAgain('p')}
        where item_id = ${lease.itemId} and product = 'transactions' and exists (
          select 1 from accounts a where a.item_id = ${lease.itemId} and a.revoked_at < ${lease.startedAt}::timestamptz
            and a.plaid_account_id = any(${listed}))
        returning id
      ), asked as (
        update item_products p set dirty_seq = dirty_seq + 1, next_attempt_at = now(), ${askedAgain('p')}
        where item_id = ${lease.itemId} and ${isResting('p')} and id not in (select id from shared) and exists (
          select 1 from unnest(${listed}) as listed(id) where not exists (
            select 1 from accounts a where a.item_id = ${lease.itemId} and a.plaid_account_id = listed.id))
        returning id
      ) select id from shared union all select id from asked`,
  )
}

/** Writes accounts from an answer of Plaid; after a relink, finds those of the earlier link first. */
export function writeAccounts(
  jobs: JobsDatabase,
  owner: AccountsOwner,
  facts: readonly AccountFacts[],
  complete: boolean,
  closes = complete,
): Statement[] {
  const merge = mergeAccounts(jobs, owner, facts, complete, closes)
  if (owner.linkEpoch === 0) return [merge]
  return [rebindAccounts(jobs, owner, facts), ...(complete ? [showSharedAgain(jobs, owner, facts)] : []), merge]
}

const accountColumns = {
  id: accounts.id,
  plaidAccountId: accounts.plaidAccountId,
  itemId: accounts.itemId,
  name: accounts.name,
  officialName: accounts.officialName,
  mask: accounts.mask,
  type: accounts.type,
  subtype: accounts.subtype,
  current: exactOrNull(accounts.currentBalance),
  available: exactOrNull(accounts.availableBalance),
  limit: exactOrNull(accounts.creditLimit),
  currency: currencyOf(accounts),
  balanceAsOf: accounts.balanceAsOf,
  closed: accounts.closed,
  createdAt: accounts.createdAt,
}

export interface Account {
  readonly id: string
  readonly plaidAccountId: string
  readonly itemId: string
  readonly name: string
  readonly officialName: string | null
  readonly mask: string | null
  readonly type: string
  readonly subtype: string | null
  readonly current: string | null
  readonly available: string | null
  readonly limit: string | null
  readonly currency: string | null
  readonly balanceAsOf: Date | null
  readonly closed: boolean
  readonly createdAt: Date
}

const mine = and(eq(accounts.userId, me), ofShownItem(accounts.itemId))

/** A user's accounts, oldest first, closed ones too. */
export async function listAccounts(
  database: ApiDatabase,
  identity: Identity,
  limit: number,
  from: Key | null,
): Promise<Page<Account>> {
  const [found] = await pageAsUser(
    database,
    identity,
    database.connection
      .select(accountColumns)
      .from(accounts)
      .where(and(mine, after(from, accounts.createdAt, accounts.id, 'asc')))
      .orderBy(asc(accounts.createdAt), asc(accounts.id))
      .limit(limit + 1),
  )
  return pageOf(found, limit, (account) => [account.createdAt.toISOString(), account.id])
}

/** One account of the user's, or null. */
export async function getAccount(database: ApiDatabase, identity: Identity, id: string): Promise<Account | null> {
  const [found] = await asUser(
    database,
    identity,
    database.connection
      .select(accountColumns)
      .from(accounts)
      .where(and(mine, eq(accounts.id, id))),
  )
  return found[0] ?? null
}

export interface DayBalance {
  readonly day: string
  readonly current: string | null
  readonly available: string | null
  readonly limit: string | null
  readonly currency: string | null
  readonly asOf: Date
}

export interface BalanceWindow {
  readonly from: string | null
  readonly to: string | null
  readonly limit: number
  /** The day after which to go on. */
  readonly after: string | null
}

/** An account's balance day by day, oldest first; null when the account is not the user's. */
export async function listBalances(
  database: ApiDatabase,
  identity: Identity,
  accountId: string,
  window: BalanceWindow,
): Promise<{ rows: DayBalance[]; next: string | null } | null> {
  const { connection } = database
  const [owned, found] = await pageAsUser(
    database,
    identity,
    connection
      .select({ id: accounts.id })
      .from(accounts)
      .where(and(mine, eq(accounts.id, accountId))),
    connection
      .select({
        day: accountBalances.day,
        current: exactOrNull(accountBalances.current),
        available: exactOrNull(accountBalances.available),
        limit: exactOrNull(accountBalances.creditLimit),
        currency: currencyOf(accountBalances),
        asOf: accountBalances.asOf,
      })
      .from(accountBalances)
      .where(
        and(
          eq(accountBalances.accountId, accountId),
          eq(accountBalances.userId, me),
          window.from === null ? undefined : gte(accountBalances.day, window.from),
          window.to === null ? undefined : lte(accountBalances.day, window.to),
          window.after === null ? undefined : sql`${accountBalances.day} > ${window.after}`,
        ),
      )
      .orderBy(asc(accountBalances.day))
      .limit(window.limit + 1),
  )
  if (owned.length === 0) return null
  const last = found.length > window.limit ? found[window.limit - 1] : undefined
  return { rows: found.slice(0, window.limit), next: last?.day ?? null }
}
