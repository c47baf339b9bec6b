// Merges incoming securities, holdings and investment transactions, from snapshots and windows. Writes only rows that
// differ; sets rows of unknown accounts aside.
import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import { holdings, securities } from '../../../drizzle/tables/investments.ts'
import { entity, type IncomingRow, upsert } from '../core/record.ts'
import { keepHoldingDay } from './holding-days.ts'
import { incomingInvestments, type InvestmentRow, investmentTransaction } from './investments-staging.ts'
import { mayBeSetAside, mayBeSetAsideWithin, type SetAside } from '../sync/set-aside.ts'
import { replaceRows } from './replace.ts'
import type { Lease } from '../sync/work.ts'
import { command } from '../core/statement.ts'

export const security = entity({
  ids: { plaidSecurityId: securities.plaidSecurityId },
  table: getTableColumns(securities),
  own: ['id', 'userId'],
})
export type PlaidSecurityRow = IncomingRow<typeof security>

const holding = entity({
  ids: { plaidAccountId: accounts.plaidAccountId, plaidSecurityId: securities.plaidSecurityId },
  table: getTableColumns(holdings),
  own: ['id', 'userId', 'itemId', 'accountId', 'securityId', 'updatedAt'],
})
/** The value is null if it follows from the price. */
export type PlaidHoldingRow = Omit<IncomingRow<typeof holding>, 'institution_value'> & {
  readonly institution_value: string | null
}

/** Each user has separate rows of securities, so that one user's holdings reveal nothing to another. */
export function mergeSecurities(lease: Lease, rows: readonly PlaidSecurityRow[]) {
  return command(
    upsert(security, {
      table: 'securities',
      as: 's',
      own: { user_id: sql`${lease.userId}::uuid`, plaid_security_id: sql`plaid_security_id` },
      key: ['user_id', 'plaid_security_id'],
      from: security.recordset(rows),
      order: ['plaid_security_id'],
    }),
  )
}

/** Inserts securities of holdings that may be missing from the list of securities. Known ones stay unchanged. */
export function addSecurities(lease: Lease, plaidSecurityIds: readonly string[]) {
  return command(sql`insert into securities (user_id, plaid_security_id)
      select ${lease.userId}::uuid, id from (select distinct unnest(${sql.param(plaidSecurityIds)}::text[]) as id) named
      where not exists (select 1 from securities s where s.user_id = ${lease.userId} and s.plaid_security_id = named.id)
      order by id on conflict (user_id, plaid_security_id) do nothing`)
}

/** The sum of several rows; null if one of them has no value. */
const sumOfAll = (value: SQL): SQL => sql`case when count(${value}) = count(*) then sum(${value}) end`

/**
 * One row for each holding. Plaid reports some holdings as several rows, one for each lot. They have the same currency
 * and are added up. The price is the common one, or else follows from the sums.
 */
function incomingHoldings(rows: readonly PlaidHoldingRow[]): SQL {
  const worth = sql`coalesce(institution_value, quantity * institution_price)`
  return sql`(
      select plaid_account_id, plaid_security_id, sum(quantity) as quantity,
        case when count(*) = 1 or count(institution_price) = count(*)
          and min(institution_price) = max(institution_price)
          then min(institution_price)
          else trim_scale(round(${sumOfAll(worth)} / nullif(sum(quantity), 0), 12)) end as institution_price,
        min(institution_price_as_of) as institution_price_as_of,
        case when count(*) = 1 then min(institution_value) else ${sumOfAll(worth)} end as institution_value,
        ${sumOfAll(sql`cost_basis`)} as cost_basis,
        min(iso_currency_code) as iso_currency_code, min(unofficial_currency_code) as unofficial_currency_code
      from ${holding.recordset(rows)} group by plaid_account_id, plaid_security_id) r`
}

/**
 * Replaces the holdings of the item: the rows are all of them. Deletes every other holding with its row of today; rows
 * of earlier days stay. Keeps a holding that may be one of the rows set aside.
 */
export function mergeHoldings(lease: Lease, rows: readonly PlaidHoldingRow[], setAside: readonly SetAside[]) {
  const isUnread = mayBeSetAsideWithin(
    setAside.filter(({ kind }) => kind === 'holding'),
    sql`(select s.plaid_security_id from securities s where s.id = h.security_id)`,
    sql`(select a.plaid_account_id from accounts a where a.id = h.account_id)`,
  )
  return replaceRows(lease, {
    read: sql`listed as materialized (
        select a.id as account_id, s.id as security_id, r.* from ${incomingHoldings(rows)}
        left join accounts a on a.item_id = ${lease.itemId} and a.plaid_account_id = r.plaid_account_id
        left join securities s on s.user_id = ${lease.userId} and s.plaid_security_id = r.plaid_security_id
      )`,
    unknown: sql`select 'holding' as kind, l.plaid_account_id || ' ' || l.plaid_security_id as row_key,
      l.plaid_account_id,
        to_jsonb(l) - 'account_id' - 'security_id' as payload from listed l where l.account_id is null`,
    and: sql`incoming as (
        select account_id, security_id, quantity, institution_price, institution_price_as_of,
          coalesce(institution_value, quantity * institution_price) as institution_value, cost_basis,
          iso_currency_code, unofficial_currency_code
        from listed where account_id is not null
        union all
        select h.account_id, h.security_id, ${holding.list('h.')} from holdings h where h.item_id = ${lease.itemId}
          and (${isUnread}
            or exists (select 1 from listed l where l.account_id is null and l.security_id = h.security_id))
          and not exists (
            select 1 from listed l where l.account_id = h.account_id and l.security_id = h.security_id)
      )`,
    remove: sql`delete from holdings h where h.item_id = ${lease.itemId} and not exists (
        select 1 from incoming i where i.account_id = h.account_id and i.security_id = h.security_id)`,
    upsert: upsert(holding, {
      table: 'holdings',
      as: 'h',
      own: {
        user_id: sql`${lease.userId}::uuid`,
        item_id: sql`${lease.itemId}::uuid`,
        account_id: sql`account_id`,
        security_id: sql`security_id`,
      },
      key: ['account_id', 'security_id'],
      from: sql`incoming`,
      order: ['account_id', 'security_id'],
      set: sql`updated_at = now()`,
    }),
    also: keepHoldingDay(lease),
  })
}

/**
 * Replaces a window: the staged rows and these are all investment transactions from day `from` to day `to`. Marks other
 * stored rows of the window as removed, unless their account is no longer shared or a row set aside may be one of them.
 * Without a window, marks nothing as removed.
 */
export function mergeInvestmentTransactions(
  lease: Lease,
  window: { from: string; to: string } | null,
  held: readonly InvestmentRow[],
  setAside: readonly SetAside[],
) {
  const isUnread = mayBeSetAside(
    setAside.filter(({ kind }) => kind === 'investment_transaction'),
    sql`t.plaid_investment_transaction_id`,
    sql`(select a.plaid_account_id from accounts a where a.id = t.account_id)`,
  )
  const days = sql`${window?.from ?? null}::date and ${window?.to ?? null}::date`
  return replaceRows(lease, {
    read: sql`incoming as materialized (${incomingInvestments(lease, held)})`,
    unknown: sql`select 'investment_transaction' as kind, i.plaid_investment_transaction_id as row_key,
      i.plaid_account_id,
        to_jsonb(i) - 'account_id' - 'security_id' - 'seq' as payload from incoming i where i.account_id is null`,
    remove: sql`update investment_transactions t set removed_at = now()
        where t.item_id = ${lease.itemId} and t.removed_at is null and t.date between ${days}
          and t.plaid_investment_transaction_id not in (select plaid_investment_transaction_id from incoming)
          and not ${isUnread}
          and exists (select 1 from accounts a where a.id = t.account_id and a.item_id = ${lease.itemId}
            and a.link_epoch = ${lease.linkEpoch})`,
    upsert: upsert(investmentTransaction, {
      table: 'investment_transactions',
      as: 't',
      own: {
        user_id: sql`${lease.userId}::uuid`,
        item_id: sql`${lease.itemId}::uuid`,
        account_id: sql`account_id`,
        security_id: sql`security_id`,
        plaid_investment_transaction_id: sql`plaid_investment_transaction_id`,
        link_epoch: sql`${lease.linkEpoch}::smallint`,
      },
      key: ['item_id', 'plaid_investment_transaction_id'],
      updated: ['account_id', 'security_id'],
      from: sql`incoming where account_id is not null`,
      order: ['plaid_investment_transaction_id'],
      set: sql`removed_at = null`,
      or: sql`t.removed_at is not null`,
    }),
  })
}
