// Securities, holdings and investment transactions on their way in, from snapshots and windows. Only rows that differ
// are written; rows of unknown accounts are set aside.
import { type SQL, sql } from 'drizzle-orm'
import { keepHoldingDay } from './holding-days.ts'
import { incomingInvestments, type InvestmentRow } from './investments-staging.ts'
import { countUnknown, mayBeSetAside, mayBeSetAsideWithin, type SetAside, storeUnknown } from '../sync/set-aside.ts'
import type { Lease } from '../sync/work.ts'
import { command } from '../core/statement.ts'

interface Currency {
  readonly isoCurrencyCode: string | null
  readonly unofficialCurrencyCode: string | null
}

/** Amounts and prices in all of these are exact decimal text. */
export interface SecurityFacts extends Currency {
  readonly plaidSecurityId: string
  readonly name: string | null
  readonly tickerSymbol: string | null
  readonly type: string | null
  readonly isCashEquivalent: boolean | null
  readonly closePrice: string | null
  readonly closePriceAsOf: string | null
}

export interface HoldingFacts extends Currency {
  readonly plaidAccountId: string
  readonly plaidSecurityId: string
  readonly quantity: string
  readonly institutionPrice: string | null
  readonly institutionPriceAsOf: string | null
  /** Null where it follows from the price. */
  readonly institutionValue: string | null
  readonly costBasis: string | null
}

/** Securities are the user's own rows: what one user holds tells another nothing. */
export function mergeSecurities(lease: Lease, facts: readonly SecurityFacts[]) {
  return command(sql`insert into securities as s (user_id, plaid_security_id, name, ticker_symbol, type,
    is_cash_equivalent, close_price, close_price_as_of,
        iso_currency_code, unofficial_currency_code)
      select ${lease.userId}::uuid, "plaidSecurityId", "name", "tickerSymbol", "type", "isCashEquivalent",
        "closePrice", "closePriceAsOf",
        "isoCurrencyCode", "unofficialCurrencyCode"
      from jsonb_to_recordset(${JSON.stringify(facts)}::jsonb) as r("plaidSecurityId" text, "name" text,
        "tickerSymbol" text, "type" text,
        "isCashEquivalent" boolean, "closePrice" numeric, "closePriceAsOf" date, "isoCurrencyCode" text,
          "unofficialCurrencyCode" text)
      order by "plaidSecurityId"
      on conflict (user_id, plaid_security_id) do update set name = excluded.name,
        ticker_symbol = excluded.ticker_symbol,
        type = excluded.type, is_cash_equivalent = excluded.is_cash_equivalent, close_price = excluded.close_price,
        close_price_as_of = excluded.close_price_as_of, iso_currency_code = excluded.iso_currency_code,
        unofficial_currency_code = excluded.unofficial_currency_code
      where (s.name, s.ticker_symbol, s.type, s.is_cash_equivalent, s.close_price, s.close_price_as_of,
        s.iso_currency_code, s.unofficial_currency_code)
        is distinct from (excluded.name, excluded.ticker_symbol, excluded.type, excluded.is_cash_equivalent,
          excluded.close_price,
          excluded.close_price_as_of, excluded.iso_currency_code, excluded.unofficial_currency_code)`)
}

/** Securities that a list of positions names and the list of securities may not: known ones stay as they are. */
export function addSecurities(lease: Lease, plaidSecurityIds: readonly string[]) {
  return command(sql`insert into securities (user_id, plaid_security_id)
      select ${lease.userId}::uuid, id from (select distinct unnest(${sql.param(plaidSecurityIds)}::text[]) as id) named
      where not exists (select 1 from securities s where s.user_id = ${lease.userId} and s.plaid_security_id = named.id)
      order by id on conflict (user_id, plaid_security_id) do nothing`)
}

/** What several rows sum up to; null where one of them does not say it. */
const sumOfAll = (value: SQL): SQL => sql`case when count(${value}) = count(*) then sum(${value}) end`

/**
 * One row for each position: several rows of one, as lots are sometimes reported, are added up. They are in one
 * currency. Their price is the one that all have, or else follows from the sums.
 */
function incomingHoldings(facts: readonly HoldingFacts[]): SQL {
  const worth = sql`coalesce("institutionValue", "quantity" * "institutionPrice")`
  return sql`(
      select "plaidAccountId", "plaidSecurityId", sum("quantity") as "quantity",
        case when count(*) = 1 or count("institutionPrice") = count(*)
          and min("institutionPrice") = max("institutionPrice")
          then min("institutionPrice") else trim_scale(round(${sumOfAll(worth)} / nullif(sum("quantity"), 0),
            12)) end as "institutionPrice",
        min("institutionPriceAsOf") as "institutionPriceAsOf",
        case when count(*) = 1 then min("institutionValue") else ${sumOfAll(worth)} end as "institutionValue",
        ${sumOfAll(sql`"costBasis"`)} as "costBasis",
        min("isoCurrencyCode") as "isoCurrencyCode", min("unofficialCurrencyCode") as "unofficialCurrencyCode"
      from jsonb_to_recordset(${JSON.stringify(facts)}::jsonb) as listed("plaidAccountId" text,
        "plaidSecurityId" text, "quantity" numeric,
        "institutionPrice" numeric, "institutionPriceAsOf" date, "institutionValue" numeric, "costBasis" numeric,
        "isoCurrencyCode" text, "unofficialCurrencyCode" text)
      group by "plaidAccountId", "plaidSecurityId") r`
}

/**
 * The list is all that the item holds: a position that is not in it is gone, today too; earlier days stay. A position
 * that may be one of the rows that could not be read, or that name an unknown account, stays as it was.
 */
export function mergeHoldings(lease: Lease, facts: readonly HoldingFacts[], setAside: readonly SetAside[]) {
  const isUnread = mayBeSetAsideWithin(
    setAside.filter(({ kind }) => kind === 'holding'),
    sql`(select s.plaid_security_id from securities s where s.id = h.security_id)`,
    sql`(select a.plaid_account_id from accounts a where a.id = h.account_id)`,
  )
  return command(sql`with told as materialized (
        select a.id as account_id, s.id as security_id, r.* from ${incomingHoldings(facts)}
        left join accounts a on a.item_id = ${lease.itemId} and a.plaid_account_id = r."plaidAccountId"
        left join securities s on s.user_id = ${lease.userId} and s.plaid_security_id = r."plaidSecurityId"
      ), ${storeUnknown(
        lease,
        sql`select 'holding' as kind, t."plaidAccountId" || ' ' || t."plaidSecurityId" as row_key,
          t."plaidAccountId" as plaid_account_id,
          to_jsonb(t) - 'account_id' - 'security_id' as payload from told t where t.account_id is null`,
      )}, incoming as (
        select account_id, security_id, "quantity", "institutionPrice", "institutionPriceAsOf",
          coalesce("institutionValue", "quantity" * "institutionPrice") as "institutionValue", "costBasis",
            "isoCurrencyCode", "unofficialCurrencyCode"
        from told where account_id is not null
        union all
        select h.account_id, h.security_id, h.quantity, h.institution_price, h.institution_price_as_of,
          h.institution_value, h.cost_basis,
          h.iso_currency_code, h.unofficial_currency_code
        from holdings h where h.item_id = ${lease.itemId}
          and (${isUnread} or exists (select 1 from told t where t.account_id is null
            and t.security_id = h.security_id))
          and not exists (select 1 from told t where t.account_id = h.account_id and t.security_id = h.security_id)
      ), gone as (
        delete from holdings h where h.item_id = ${lease.itemId}
          and not exists (select 1 from incoming i where i.account_id = h.account_id
            and i.security_id = h.security_id) returning 1
      ), merged as (
        insert into holdings as h (user_id, item_id, account_id, security_id, quantity, institution_price,
          institution_price_as_of, institution_value,
          cost_basis, iso_currency_code, unofficial_currency_code)
        select ${lease.userId}::uuid, ${lease.itemId}::uuid, account_id, security_id, "quantity", "institutionPrice",
          "institutionPriceAsOf",
          "institutionValue", "costBasis", "isoCurrencyCode", "unofficialCurrencyCode" from incoming
            order by account_id, security_id
        on conflict (account_id, security_id) do update set quantity = excluded.quantity,
          institution_price = excluded.institution_price,
          institution_price_as_of = excluded.institution_price_as_of, institution_value = excluded.institution_value,
          cost_basis = excluded.cost_basis, iso_currency_code = excluded.iso_currency_code,
          unofficial_currency_code = excluded.unofficial_currency_code, updated_at = now()
        where (h.quantity, h.institution_price, h.institution_price_as_of, h.institution_value, h.cost_basis,
          h.iso_currency_code, h.unofficial_currency_code)
          is distinct from (excluded.quantity, excluded.institution_price, excluded.institution_price_as_of,
            excluded.institution_value,
            excluded.cost_basis, excluded.iso_currency_code, excluded.unofficial_currency_code)
        returning 1
      ), ${keepHoldingDay(lease)}
      select ${countUnknown}, set_config('app.upserted', (select count(*) from merged)::text, true),
        set_config('app.removed', (select count(*) from gone)::text, true)`)
}

/**
 * What is staged and held is all that happened from day `from` to day `to`: what is stored of that window and not
 * among it was cancelled, unless its account is not shared any more or it may be one of the rows that could not be
 * read. Without a window nothing was cancelled.
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
  return command(sql`with incoming as materialized (${incomingInvestments(lease, held)}
      ), ${storeUnknown(
        lease,
        sql`select 'investment_transaction' as kind, i.plaid_investment_transaction_id as row_key, i.plaid_account_id,
          to_jsonb(i) - 'account_id' - 'security_id' - 'seq' as payload from incoming i where i.account_id is null`,
      )}, gone as (
        update investment_transactions t set removed_at = now()
        where t.item_id = ${lease.itemId} and t.removed_at is null and t.date between ${window?.from ?? null}::date
          and ${window?.to ?? null}::date
          and t.plaid_investment_transaction_id not in (select plaid_investment_transaction_id from incoming)
            and not ${isUnread}
          and exists (select 1 from accounts a where a.id = t.account_id and a.item_id = ${lease.itemId}
            and a.link_epoch = ${lease.linkEpoch}) returning 1
      ), merged as (
        insert into investment_transactions as t (user_id, item_id, account_id, security_id,
          plaid_investment_transaction_id, date, name, quantity,
          amount, price, fees, type, subtype, iso_currency_code, unofficial_currency_code, link_epoch)
        select ${lease.userId}::uuid, ${lease.itemId}::uuid, account_id, security_id, plaid_investment_transaction_id,
          date, name, quantity,
          amount, price, fees, type, subtype, iso_currency_code, unofficial_currency_code, ${lease.linkEpoch}::smallint
        from incoming where account_id is not null order by plaid_investment_transaction_id
        on conflict (item_id, plaid_investment_transaction_id) do update set account_id = excluded.account_id,
          security_id = excluded.security_id,
          date = excluded.date, name = excluded.name, quantity = excluded.quantity, amount = excluded.amount,
            price = excluded.price,
          fees = excluded.fees, type = excluded.type, subtype = excluded.subtype,
            iso_currency_code = excluded.iso_currency_code,
          unofficial_currency_code = excluded.unofficial_currency_code, removed_at = null
        where (t.account_id, t.security_id, t.date, t.name, t.quantity, t.amount, t.price, t.fees, t.type, t.subtype,
          t.iso_currency_code,
            t.unofficial_currency_code, t.removed_at)
          is distinct from (excluded.account_id, excluded.security_id, excluded.date, excluded.name,
            excluded.quantity, excluded.amount,
            excluded.price, excluded.fees, excluded.type, excluded.subtype, excluded.iso_currency_code,
              excluded.unofficial_currency_code,
            null::timestamptz)
        returning 1
      )
      select ${countUnknown}, set_config('app.upserted', (select count(*) from merged)::text, true),
        set_config('app.removed', (select count(*) from gone)::text, true)`)
}
