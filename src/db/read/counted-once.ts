// Selects the days and transactions of each account that count in sums, so that no money is counted twice. An account
// that duplicates another one, or may do so, counts only after the end of the other.
import { type SQL, sql } from 'drizzle-orm'
import { transactions } from '../../../drizzle/tables/transactions.ts'
import { me } from '../core/scope.ts'

/**
 * The last day on which account `a` counts; null for a live one. For a closed account: the day of its last balance.
 * For a revoked one: the day before the revocation. In a lost item: the day before the loss.
 */
const lastDay = (a: string): SQL =>
  sql.raw(`least((${a}.revoked_at at time zone 'UTC')::date - 1,
    (select (lost.lost_since at time zone 'UTC')::date - 1 from items lost where lost.id = ${a}.item_id),
    case when ${a}.closed then (select coalesce(max(day), '-infinity') from account_balances
      where account_id = ${a}.id) end)`)

/**
 * Whether account `o` counts before its duplicate `d`: `d` refers to it, or both refer to the same account and `o` is
 * older. Two open accounts of one item are different accounts. Accounts of removed items do not count.
 */
const goesBefore = (o: string, d: string): SQL =>
  sql`${sql.raw(`${o}.user_id`)} = ${me} and
    ${sql.raw(`${d}.duplicate_of is not null and ${d}.duplicate_state <> 'kept' and (${o}.id = ${d}.duplicate_of
    or ${o}.duplicate_of = ${d}.duplicate_of and ${o}.duplicate_state <> 'kept' and (${o}.created_at,
      ${o}.id) < (${d}.created_at, ${d}.id)
      and (${o}.item_id <> ${d}.item_id or ${o}.closed))`)}
    and exists (select 1 from items shown where shown.id = ${sql.raw(o)}.item_id and shown.removed_at is null)`

/**
 * The user's accounts whose balances count, without those that the user left out, with the columns `id`, `type`,
 * `first_day` and `last_day` (null: unbounded).
 */
export const countedAccounts: SQL = sql`select * from (
    select a.id, a.type, a.in_insights, ${lastDay('a')} as last_day, before.all_end, before.last_day + 1 as first_day
    from accounts a cross join lateral (
      select coalesce(bool_and(last_day is not null), true) as all_end, max(last_day) as last_day
      from (select ${lastDay('o')} as last_day from accounts o where ${goesBefore('o', 'a')}) ends
    ) before
    where a.user_id = ${me} and exists (select 1 from items shown where shown.id = a.item_id
      and shown.removed_at is null)
  ) spans where all_end and in_insights`

const duplicates = sql`array(
  select d.id from accounts d where d.user_id = ${me} and d.duplicate_of is not null and d.duplicate_state <> 'kept')`

/**
 * Whether a transaction counts: its account is no duplicate, or it is later than all transactions of the accounts
 * before it.
 */
export const countedOnce: SQL = sql`not (${transactions.accountId} = any(${duplicates}) and exists (
    select 1 from accounts d join accounts o on ${goesBefore('o', 'd')}
    where d.id = ${transactions.accountId} and (${lastDay('o')} is null or ${transactions.date} <= (
      select coalesce(max(t.date), '-infinity') from transactions t where t.account_id = o.id
        and t.removed_at is null))))`
