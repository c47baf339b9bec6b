// Moves the user's edits of a pending transaction when it posts: to the posted transaction that refers to it, or
// without a reference to the most similar one. Values of rules do not move: the posted transaction is new, so the merge
// compares it with the rules itself. Parts of the merge's statement, with almost no cost for users without edits.
import { type SQL, sql } from 'drizzle-orm'
import type { Lease } from '../sync/work.ts'
import { byUser, isOwnCategory, isOwnHidden } from './rule-matching.ts'

/** The longest time between a pending transaction and its posted one, and since the pending one was removed. */
const mostDays = 7

/** Whether the row has something to keep when it posts: an edit of the user. */
export const isEdited = (row: string): SQL =>
  sql`(${sql.raw(`${row}.note`)} is not null or ${isOwnCategory(row)} or ${isOwnHidden(row)})`

/** The user's edits of a row as columns. A mark is set where the user decided; elsewhere, mark and value are null. */
export const editsOf = (row: string, prefix = ''): SQL => {
  const own = (isOwn: SQL, value: SQL, name: string) =>
    sql`case when ${isOwn} then ${value} end as ${sql.raw(prefix + name)}`
  const column = (name: string) => sql.raw(`${row}.${name}`)
  return sql`${column('note')} as ${sql.raw(`${prefix}note`)},
    ${own(isOwnCategory(row), column('user_category'), 'user_category')},
    ${own(isOwnHidden(row), column('hidden'), 'hidden')},
    ${own(isOwnCategory(row), byUser, 'category_by')}, ${own(isOwnHidden(row), byUser, 'hidden_by')}`
}

const hasSameName = sql.raw(
  '(lower(c.name) = lower(p.name) or coalesce(lower(c.merchant_name) = lower(p.merchant_name), false))',
)

/**
 * CTEs on top of `changed` (incoming rows with the pending row that they refer to, `linked_…`) and `gone`. `edits` has
 * at most one row for each transaction, and each pending transaction's edits are in at most one row. `moved_from` are
 * the pending transactions whose edits move without a reference.
 *
 * A pending transaction that was removed without a successor, now or in an earlier commit, is paired with a new posted
 * one of the same account, currency and sign: first by equal amount and name, then by equal amount, then by equal name
 * or merchant; of several the nearest day. Removed ones without edits take part, so that no transaction gets the edits
 * of another.
 */
export const pendingEdits = (lease: Lease): SQL => sql`posted_range as materialized (
      select min(date) - ${mostDays}::int as first_day, max(date) + ${mostDays}::int as last_day from changed
      where is_new and not pending and pending_transaction_id is null
    ), edited as materialized (
      select id from gone where pending and is_edited
      union all
      select r.id from posted_range cross join accounts a cross join lateral (
        select * from transactions where account_id = a.id and date between first_day and last_day offset 0) r
      where a.item_id = ${lease.itemId} and r.pending and ${isEdited('r')}
        and r.removed_at > now() - make_interval(days => ${mostDays}::int)
    ), orphans as materialized (
      select p.*, ${isEdited('p')} as is_edited from (
        select id from edited
        union all
        select id from gone where pending and not is_edited and exists (select 1 from edited)) went
      cross join lateral (select * from transactions where id = went.id limit 1) p
      where not exists (select 1 from changed c
          where c.pending_transaction_id = p.plaid_transaction_id or c.plaid_transaction_id = p.plaid_transaction_id)
        and ${hasNoSuccessor('p.account_id', 'p.date', 'p.plaid_transaction_id', 'p.plaid_transaction_id')}
    ), pairs as materialized (
      select p.id, ${editsOf('p')}, p.is_edited, c.plaid_transaction_id,
        row_number() over (order by case when c.amount <> p.amount then 2 when ${hasSameName} then 0 else 1 end,
          abs(coalesce(c.authorized_date, c.date) - coalesce(p.authorized_date, p.date)), abs(c.date - p.date),
          p.date, p.plaid_transaction_id, c.plaid_transaction_id) as place
      from orphans p join changed c on c.account_id = p.account_id and c.is_new and not c.pending
        and c.pending_transaction_id is null and abs(c.date - p.date) <= ${mostDays}::int
        and c.iso_currency_code is not distinct from p.iso_currency_code
        and c.unofficial_currency_code is not distinct from p.unofficial_currency_code
        and sign(c.amount) = sign(p.amount) and (c.amount = p.amount or ${hasSameName})
    ), picked(place, ids, plaid_ids) as (
      select 0::bigint, '{}'::uuid[], '{}'::text[]
      union all
      select best.place, ids || best.id, plaid_ids || best.plaid_transaction_id from picked cross join lateral (
        select * from pairs where pairs.place > picked.place and pairs.id <> all(ids)
          and pairs.plaid_transaction_id <> all(plaid_ids) order by pairs.place limit 1) best
    ), moved_from as materialized (
      select pairs.* from picked join pairs on pairs.place = picked.place where is_edited
    ), edits as materialized (
      (select distinct on (pending_transaction_id) plaid_transaction_id, linked_note as note,
          linked_user_category as user_category, linked_hidden as hidden, linked_category_by as category_by,
          linked_hidden_by as hidden_by
        from changed c where num_nonnulls(linked_note, linked_category_by, linked_hidden_by) > 0
          and ${hasNoSuccessor('c.account_id', 'c.linked_date', 'c.pending_transaction_id', 'c.plaid_transaction_id')}
        order by pending_transaction_id, amount = linked_amount desc, lower(name) = lower(linked_name) desc, n)
      union all
      select plaid_transaction_id, note, user_category, hidden, category_by, hidden_by from moved_from
    )`

/**
 * Whether the stored transactions, except `self`, include no successor of a pending one. Searches by account and day,
 * because no index has the pending id. A scalar subquery: with `not exists` the planner may choose a join that reads
 * the whole table.
 */
function hasNoSuccessor(accountId: string, date: string, plaidTransactionId: string, self: string): SQL {
  return sql.raw(`(select s.id from transactions s where s.account_id = ${accountId} and s.date >= ${date} - ${mostDays}
    and s.pending_transaction_id = ${plaidTransactionId} and s.plaid_transaction_id <> ${self}
    and s.removed_at is null and s.id not in (select id from gone) limit 1) is null`)
}
