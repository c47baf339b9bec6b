// Estimates the balances of an account before the first day with a reported one: walks its posted transactions
// backwards from that day to its oldest transaction. Computed when it is read, so that it follows every change of the
// history and costs a sync nothing. A reported day is never replaced.
import { type SQL, sql } from 'drizzle-orm'
import { me } from '../core/scope.ts'

/**
 * Why there are no earlier estimates: `oldest_transaction`: the walk reached the oldest transaction ·
 * `history_incomplete`: Plaid has not sent the whole history yet · `currency`: a transaction or a balance has another
 * currency · `balance_mismatch`: the transactions do not explain the next reported balance · `pending_in_doubt`: the
 * reported balance may include pending transactions · `unreadable_transactions`: some transactions could not be read ·
 * `no_transactions` · `no_balance`: the first reported day has no current balance · `account_type`: the signs of this
 * type are not known.
 */
export const estimateEnds = [
  'oldest_transaction',
  'history_incomplete',
  'currency',
  'balance_mismatch',
  'pending_in_doubt',
  'unreadable_transactions',
  'no_transactions',
  'no_balance',
  'account_type',
] as const
export type EstimateEnd = (typeof estimateEnds)[number]

/** Types whose balance falls when money goes out, and those whose balance is a debt. */
const sign = sql.raw(`case when a.type = 'depository' then 1 when a.type in ('credit', 'loan') then -1 end`)

const sameCurrency = (one: string, other: string): SQL =>
  sql.raw(
    `(${one}.iso_currency_code, ${one}.unofficial_currency_code)
      is not distinct from (${other}.iso_currency_code, ${other}.unofficial_currency_code)`,
  )

/**
 * Whether a row is of the account. A range, so that the order by account and date is that of one index alone. Without
 * statistics, the planner would read all of the user's transactions for each account. Sorting must be off
 * (../core/plans.ts).
 */
const ofAccount = (row: string, account: string): SQL =>
  sql.raw(`${row}.account_id between ${account}.id and ${account}.id`)

/**
 * CTEs over the accounts of `chosen` (a query with the columns `id` and `type`): `estimate_spans` has one row for each
 * account with a reported day, with the first estimated day and the reason why it is the first. `estimates` has the
 * balance at the end of each day with a posted transaction in the span; it is that of the following days too, until the
 * next one or the first reported day. With `since`, days that end before it are left out of `estimates`.
 *
 * The balance at the end of a day is the first reported balance with the amounts of all later days up to it taken back.
 * Whether it includes the transactions of the reported day depends on when it was reported: the next reported balance
 * decides.
 */
export const estimateParts = (chosen: SQL, since: SQL): SQL => sql`estimate_anchors as materialized (
    select a.id, a.item_id, a.plaid_account_id, a.type, ${sign} as direction, b.*, n.day as next_day,
      n.current as next_current, n.day is not null and not ${sameCurrency('n', 'b')} as next_is_foreign
    from (${chosen}) chosen join accounts a on a.id = chosen.id and a.user_id = ${me}
    cross join lateral (
      select day, current, available, iso_currency_code, unofficial_currency_code from account_balances
      where account_id = a.id order by day limit 1) b
    left join lateral (
      select day, current, iso_currency_code, unofficial_currency_code from account_balances
      where account_id = a.id and day > b.day order by day limit 1) n on true
  ), estimate_moves as materialized (
    select f.id, m.* from estimate_anchors f cross join lateral (
      select t.date, not bool_and(${sameCurrency('t', 'f')}) as is_foreign,
        coalesce(sum(t.amount) filter (where ${sameCurrency('t', 'f')}), 0) * f.direction as moved
      from (
        select account_id, date, amount, iso_currency_code, unofficial_currency_code from transactions
        where ${ofAccount('transactions', 'f')} and date <= coalesce(f.next_day, f.day) and num_nulls(removed_at) = 1
          and not pending order by account_id, date offset 0
      ) t group by t.date) m
  ), estimate_sums as (
    select f.id, min(m.date) filter (where m.date <= f.day) as oldest,
      max(m.date) filter (where m.is_foreign and m.date <= f.day) as foreign_day,
      coalesce(sum(m.moved) filter (where m.date = f.day), 0) as first_moved,
      coalesce(sum(m.moved) filter (where m.date > f.day and m.date < f.next_day), 0) as between_moved,
      coalesce(sum(m.moved) filter (where m.date = f.next_day), 0) as next_moved
    from estimate_anchors f left join estimate_moves m on m.id = f.id group by f.id
  ), estimate_checks as materialized (
    select f.*, s.oldest, s.foreign_day, s.first_moved,
      f.current - f.next_current in (s.between_moved, s.between_moved + s.next_moved) as fits,
      f.current - f.next_current in
        (s.first_moved + s.between_moved, s.first_moved + s.between_moved + s.next_moved) as fits_without_first,
      (f.next_day is null and f.type = 'depository' and f.available = f.current and exists (
        select from transactions p where p.account_id = f.id and p.date <= f.day and p.pending
          and num_nulls(p.removed_at) = 1))
        as is_pending_in_doubt,
      exists (select from set_aside_rows r where r.user_id = ${me} and r.item_id = f.item_id
        and r.product = 'transactions' and r.kind = 'transaction'
        and coalesce(r.plaid_account_id = f.plaid_account_id, true)) as has_unreadable,
      exists (select from item_products p where p.item_id = f.item_id and p.product = 'transactions'
        and (p.cursor is null or p.history_status <> 'HISTORICAL_UPDATE_COMPLETE')) as is_incomplete
    from estimate_anchors f join estimate_sums s on s.id = f.id
  ), estimate_spans as materialized (
    select c.*, case when refusal is null and greatest(c.oldest, c.foreign_day) < c.day
        then greatest(c.oldest, c.foreign_day) end as estimated_from,
      coalesce(refusal, case when c.foreign_day is not null then 'currency'
        when c.is_incomplete then 'history_incomplete' else 'oldest_transaction' end) as ends,
      case when c.next_current is not null and not c.fits then c.first_moved else 0 end as not_included
    from estimate_checks c cross join lateral (
      select case when c.direction is null then 'account_type' when c.current is null then 'no_balance'
        when c.has_unreadable then 'unreadable_transactions' when c.next_is_foreign then 'currency'
        when c.next_current is not null and not c.fits and not c.fits_without_first then 'balance_mismatch'
        when c.is_pending_in_doubt then 'pending_in_doubt' when c.oldest is null then 'no_transactions' end as refusal
    ) refused
  ), estimates as materialized (
    select id, date as day, amount, iso_currency_code, unofficial_currency_code from (
      select s.id, m.date, s.day as first_day, s.iso_currency_code, s.unofficial_currency_code,
        s.current - s.not_included
          + sum(m.moved) over (partition by s.id order by m.date desc) - m.moved as amount,
        lead(m.date) over (partition by s.id order by m.date) as until
      from estimate_spans s join estimate_moves m on m.id = s.id
        and m.date between s.estimated_from and s.day
    ) walked
    where date < first_day and coalesce(until, first_day) > ${since}
  )`
