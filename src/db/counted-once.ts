// Which days and transactions of an account count in a sum, so that no money is counted twice. An account that is, or may
// be, a second view of another one counts only from where that one ends.
import { type SQL, sql } from 'drizzle-orm'
import { transactions } from '../../drizzle/tables/transactions.ts'
import { me } from './scope.ts'

/**
 * The last day on which account `a` counts, null while it lives: a closed one's is that of its last balance, a revoked
 * one's the day before its revocation, and a lost item's the day before its loss.
 */
const lastDay = (a: string): SQL =>
  sql.raw(`least((${a}.revoked_at at time zone 'UTC')::date - 1,
    (select (lost.lost_since at time zone 'UTC')::date - 1 from items lost where lost.id = ${a}.item_id),
    case when ${a}.closed then (select coalesce(max(day), '-infinity') from account_balances where account_id = ${a}.id) end)`)

/**
 * Whether account `o`, which is shown, is a view of the same account as `d` and goes before it: the one that `d` names, or an
 * older one that names the same. Of one login that tells two such, they are two accounts.
 */
const goesBefore = (o: string, d: string): SQL =>
  sql`${sql.raw(`${o}.user_id`)} = ${me} and ${sql.raw(`${d}.duplicate_of is not null and ${d}.duplicate_state <> 'kept' and (${o}.id = ${d}.duplicate_of
    or ${o}.duplicate_of = ${d}.duplicate_of and ${o}.duplicate_state <> 'kept' and (${o}.created_at, ${o}.id) < (${d}.created_at, ${d}.id)
      and (${o}.item_id <> ${d}.item_id or ${o}.closed))`)}
    and exists (select 1 from items shown where shown.id = ${sql.raw(o)}.item_id and shown.removed_at is null)`

/**
 * The user's accounts with the days on which their balances count: `id`, `type`, and `first_day` and `last_day`, null where
 * there is no bound. Accounts that do not count at all are not among them.
 */
export const countedAccounts: SQL = sql`select * from (
    select a.id, a.type, ${lastDay('a')} as last_day, before.all_end, before.last_day + 1 as first_day
    from accounts a cross join lateral (
      select coalesce(bool_and(last_day is not null), true) as all_end, max(last_day) as last_day
      from (select ${lastDay('o')} as last_day from accounts o where ${goesBefore('o', 'a')}) ends
    ) before
    where a.user_id = ${me} and exists (select 1 from items shown where shown.id = a.item_id and shown.removed_at is null)
  ) spans where all_end`

const secondViews = sql`array(select d.id from accounts d where d.user_id = ${me} and d.duplicate_of is not null and d.duplicate_state <> 'kept')`

/** Whether a transaction is of an account that no other one stands for, or later than all that the others tell. */
export const countedOnce: SQL = sql`not (${transactions.accountId} = any(${secondViews}) and exists (
    select 1 from accounts d join accounts o on ${goesBefore('o', 'd')}
    where d.id = ${transactions.accountId} and (${lastDay('o')} is null or ${transactions.date} <= (
      select coalesce(max(t.date), '-infinity') from transactions t where t.account_id = o.id and t.removed_at is null))))`
