// Sums over a user's accounts and transactions, always one currency at a time and exact: PostgreSQL adds `numeric`
// values and returns text. An amount with an unknown currency counts under null, separately from all others.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import { transactions } from '../../../drizzle/tables/transactions.ts'
import type { ApiDatabase } from '../core/client.ts'
import { currencyOf } from '../core/columns.ts'
import { countedAccounts, countedOnce } from './counted-once.ts'
import { plan, unsorted } from '../core/plans.ts'
import { estimateParts } from './estimates.ts'
import { countsAsMoney } from './money-rules.ts'
import { asUser, type Identity } from '../core/scope.ts'
import { shown } from '../records/transactions.ts'
import { idRow, query } from '../core/statement.ts'

/** Days, inclusive. */
export interface Window {
  readonly from: string
  readonly to: string
}

const worth = z.object({
  day: z.string(),
  currency: z.string().nullable(),
  /** Whether a balance of the day is estimated. */
  estimated: z.boolean(),
  /** How many accounts of this currency count on the day. */
  accounts: z.int(),
  assets: z.string(),
  liabilities: z.string(),
  net: z.string(),
})
export type Worth = z.output<typeof worth>

const total = (amounts: SQL): SQL => sql`trim_scale(coalesce(${amounts}, 0))::text`

/** The balance that counts: the available one for a depository account without a current one. */
const balance = sql`coalesce(current, case when mine.type = 'depository' then available end)`

export interface NetWorth {
  /** Oldest first. */
  readonly days: readonly Worth[]
  /** Open and shared accounts without a known balance by the last day. */
  readonly withoutBalance: readonly string[]
}

/**
 * Assets and liabilities of each day. A day without a balance uses the last known one, a day before the first one an
 * estimate (./estimates.ts). An account counts from its first balance or estimate until it ends (./counted-once.ts).
 * Estimates are computed only for accounts without a balance at the start of the window.
 */
export async function netWorth(database: ApiDatabase, identity: Identity, { from, to }: Window): Promise<NetWorth> {
  const mine = sql`mine as (
      select id, type, type in ('credit', 'loan') as owes, first_day, last_day from (${countedAccounts}) counting
    )`
  const withoutStart = sql`select id, type from mine where not exists (
      select from account_balances where account_id = mine.id and day <= ${from}::date)`
  const { days, withoutBalance } = await asUser(database, identity, {
    planned: plan(unsorted),
    days: query(
      worth,
      sql`with ${mine}, ${estimateParts(withoutStart, sql`${from}::date`)}, known as (
          select mine.*, b.*, lead(b.day) over (partition by mine.id order by b.day) as next_day from mine
          cross join lateral (
            (select day, ${balance} as amount, iso_currency_code, unofficial_currency_code, false as estimated
              from account_balances
              where account_id = mine.id and ${balance} is not null and day < ${from}::date order by day desc limit 1)
            union all
            select day, ${balance} as amount, iso_currency_code, unofficial_currency_code, false from account_balances
              where account_id = mine.id and ${balance} is not null and day between ${from}::date and ${to}::date
            union all
            select day, amount, iso_currency_code, unofficial_currency_code, true from estimates
              where estimates.id = mine.id and day <= ${to}::date
          ) b
        ), daily as (
          select d::date as day, coalesce(iso_currency_code, unofficial_currency_code) as currency, owes, amount,
            estimated
            from known
          cross join lateral generate_series(greatest(day, first_day, ${from}::date)::timestamp,
            least(next_day - 1, last_day, ${to}::date)::timestamp, '1 day') d
        )
        select day::text as day, currency, bool_or(estimated) as estimated, count(*)::int as accounts,
          ${total(sql`sum(amount) filter (where not owes)`)} as assets,
          ${total(sql`sum(amount) filter (where owes)`)} as liabilities,
          ${total(sql`sum(case when owes then -amount else amount end)`)} as net
        from daily group by day, currency order by day, currency nulls last`,
    ),
    withoutBalance: query(
      idRow,
      sql`with ${mine} select id from mine where last_day is null and not exists (
          select 1 from account_balances where account_id = mine.id and ${balance} is not null and day <= ${to}::date)
        order by id`,
    ),
  })
  return { days: days, withoutBalance: withoutBalance }
}

/** The user's category takes precedence over Plaid's. */
const category = sql`coalesce(${transactions.userCategory}, ${transactions.categoryPrimary})`

/** Hidden transactions, and those of accounts that the user left out, do not count; pending ones do. */
const counted = sql`${shown} and not ${transactions.hidden} and ${accounts.inInsights} and ${countedOnce}
  and ${countsAsMoney({
    userCategory: sql`${transactions.userCategory}`,
    primary: sql`${transactions.categoryPrimary}`,
    detailed: sql`${transactions.categoryDetailed}`,
    accountType: sql`${accounts.type}`,
    amount: sql`${transactions.amount}`,
  })}`

/** The transactions with their accounts, because `counted` needs the account's type. */
const withAccounts = sql`${transactions} join ${accounts} on ${accounts.id} = ${transactions.accountId}`

const inWindow = ({ from, to }: Window): SQL => sql`${transactions.date} between ${from}::date and ${to}::date`

export type Interval = 'day' | 'week' | 'month'

const flow = z.object({
  /** First and last day, within the window. */
  start: z.string(),
  end: z.string(),
  currency: z.string().nullable(),
  inflow: z.string(),
  outflow: z.string(),
  net: z.string(),
})
export type Flow = z.output<typeof flow>

/** Income and spending of each day, week (from Monday) or month with any, oldest first. */
export async function cashFlow(
  database: ApiDatabase,
  identity: Identity,
  window: Window,
  interval: Interval,
): Promise<readonly Flow[]> {
  const { found } = await asUser(database, identity, {
    found: query(
      flow,
      sql`with moved as (
          select date_trunc(${interval}, ${transactions.date}::timestamp)::date as start,
            ${currencyOf(transactions)} as currency,
            ${transactions.amount} as amount
          from ${withAccounts} where ${counted} and ${inWindow(window)}
        )
        select greatest(start, ${window.from}::date)::text as start,
          least((start + ('1 ' || ${interval})::interval)::date - 1, ${window.to}::date)::text as end, currency,
          ${total(sql`sum(-amount) filter (where amount < 0)`)} as inflow,
          ${total(sql`sum(amount) filter (where amount > 0)`)} as outflow,
          ${total(sql`sum(-amount)`)} as net
        from moved group by moved.start, currency order by moved.start, currency nulls last`,
    ),
  })
  return found
}

const spendingRow = z.object({
  currency: z.string().nullable(),
  category: z.string().nullable(),
  total: z.string(),
  returned: z.string(),
  count: z.number(),
})
export type Spending = z.output<typeof spendingRow>

/** Spending and refunds by category, the largest first within each currency. */
export async function spending(
  database: ApiDatabase,
  identity: Identity,
  window: Window,
): Promise<readonly Spending[]> {
  const { found } = await asUser(database, identity, {
    found: query(
      spendingRow,
      sql`select ${currencyOf(transactions)} as currency, ${category} as category,
          ${total(sql`sum(${transactions.amount}) filter (where ${transactions.amount} > 0)`)} as total,
          ${total(sql`sum(-${transactions.amount}) filter (where ${transactions.amount} < 0)`)} as returned,
          (count(*) filter (where ${transactions.amount} > 0))::int as count
        from ${withAccounts} where ${counted} and ${inWindow(window)}
        group by 1, 2 having count(*) filter (where ${transactions.amount} > 0) > 0
        order by 1 nulls last, sum(${transactions.amount}) filter (where ${transactions.amount} > 0) desc,
          2 nulls last`,
    ),
  })
  return found
}
