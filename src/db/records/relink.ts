// Keeps the rows of an earlier link under the ids of the new one: ids, notes and categories stay, and no transaction is
// duplicated. Runs inside a sync's commit, which locks the item's row and the user's counter.
import { type SQL, sql } from 'drizzle-orm'
import { incomingInvestments, type InvestmentRow } from './investments-staging.ts'
import type { Lease } from '../sync/work.ts'
import { incomingTransactions, type TransactionChange } from './transactions-merge.ts'
import { command, type Statement } from '../core/statement.ts'

/** How many days a transaction's date may move between pending and posted. */
const nearDays = 7

const currency = (row: string): SQL =>
  sql.raw(`coalesce(${row}.iso_currency_code, ''), coalesce(${row}.unofficial_currency_code, '')`)
/** First match: all of these are equal. Several equal ones are paired in order. */
const exactly = (row: string): SQL =>
  sql`${sql.raw(`${row}.account_id, ${row}.date, ${row}.amount, ${row}.name, ${row}.pending`)}, ${currency(row)}`
/** Second match, with a near date: a pending transaction may have posted meanwhile. */
const nearly = (row: string): SQL => sql`${sql.raw(`${row}.account_id, ${row}.amount, ${row}.name`)}, ${currency(row)}`
/** Third match, with a near date: a pending transaction that posted with another amount, for example with a tip. */
const settled = (row: string): SQL => sql`${sql.raw(`${row}.account_id, ${row}.name`)}, ${currency(row)}`
/**
 * Fourth match: the bank has renamed it. After the third, because the new amount of one purchase may be that of another
 * one which the bank has withdrawn.
 */
const renamed = (row: string): SQL => sql`${sql.raw(`${row}.account_id, ${row}.amount`)}, ${currency(row)}`
/** Last match: the bank has corrected the amount. */
const corrected = (row: string): SQL => sql.raw(`${row}.account_id, ${row}.date, ${row}.name, ${row}.pending`)

/**
 * Runs a statement without nested loops. The planner has no statistics for the incoming rows and would choose one, for
 * thousands of rows on both sides.
 */
export function withoutLoops(statement: Statement): Statement[] {
  // A loop that cannot be avoided then has such a high cost that PostgreSQL would compile the whole statement each
  // time, which takes seconds. JIT stays off for the rest of the transaction.
  const loops = (on: boolean) =>
    command(sql`select set_config('enable_nestloop', ${on ? 'on' : 'off'}, true), set_config('jit', 'off', true)`)
  return [loops(false), statement, loops(true)]
}

/** Runs before the merge. Matches transactions that are new to the item with those of earlier links. */
export function rebindTransactions(lease: Lease, changes: readonly TransactionChange[]) {
  return command(sql`with incoming as materialized (${incomingTransactions(lease, changes)}
      ), fresh as (
        select i.plaid_transaction_id, i.pending_transaction_id, a.id as account_id, i.date, i.amount, i.name,
          i.pending,
          i.iso_currency_code, i.unofficial_currency_code
        from incoming i join accounts a on a.item_id = ${lease.itemId} and a.plaid_account_id = i.plaid_account_id
        where not i.removed and not exists (
          select 1 from transactions t where t.item_id = ${lease.itemId}
            and t.plaid_transaction_id = i.plaid_transaction_id)
      ), known as (
        update transactions t set link_epoch = ${lease.linkEpoch} from incoming i
        where t.item_id = ${lease.itemId} and t.plaid_transaction_id = i.plaid_transaction_id and not i.removed
          and t.link_epoch < ${lease.linkEpoch}
      ), earlier as materialized (
        select * from transactions where item_id = ${lease.itemId} and link_epoch < ${lease.linkEpoch}
          and removed_at is null
          and plaid_transaction_id not in (select plaid_transaction_id from incoming where not removed)
      ), same as materialized (
        select e.id, t.plaid_transaction_id, t.pending_transaction_id from
          (select e.*, row_number() over (partition by ${exactly('e')} order by e.change_seq) as n from earlier e) e
          join (select t.*, row_number() over (partition by ${exactly('t')} order by t.plaid_transaction_id) as n
            from fresh t) t
          on (${exactly('e')}, e.n) = (${exactly('t')}, t.n)
      ), near as materialized (
        select e.id, t.plaid_transaction_id, t.pending_transaction_id from
          (select e.*, row_number() over (partition by ${nearly('e')} order by e.date, e.change_seq) as n from earlier e
            where e.id not in (select id from same)) e
          join (select t.*, row_number() over (partition by ${nearly('t')} order by t.date,
            t.plaid_transaction_id) as n from fresh t
            where t.plaid_transaction_id not in (select plaid_transaction_id from same)) t
          on (${nearly('e')}, e.n) = (${nearly('t')}, t.n) and abs(e.date - t.date) <= ${nearDays}
      ), posted as materialized (
        select e.id, t.plaid_transaction_id, t.pending_transaction_id from
          (select e.*, row_number() over (partition by ${settled('e')} order by e.date, e.change_seq) as n
            from earlier e
            where e.pending and e.id not in (select id from same union all select id from near)) e
          join (select t.*, row_number() over (partition by ${settled('t')} order by t.date,
            t.plaid_transaction_id) as n from fresh t
            where not t.pending and t.pending_transaction_id is not null
              and t.plaid_transaction_id not in (select plaid_transaction_id from same union all
                select plaid_transaction_id from near)) t
          on (${settled('e')}, e.n) = (${settled('t')}, t.n) and abs(e.date - t.date) <= ${nearDays}
      ), settled as materialized (select * from same union all select * from near union all select * from posted
      ), other as materialized (
        select e.id, t.plaid_transaction_id, t.pending_transaction_id from
          (select e.*, row_number() over (partition by ${renamed('e')} order by e.date, e.change_seq) as n
            from earlier e
            where e.id not in (select id from settled)) e
          join (select t.*, row_number() over (partition by ${renamed('t')} order by t.date,
            t.plaid_transaction_id) as n from fresh t
            where t.plaid_transaction_id not in (select plaid_transaction_id from settled)) t
          on (${renamed('e')}, e.n) = (${renamed('t')}, t.n) and abs(e.date - t.date) <= ${nearDays} and (e.pending
            or e.date = t.date)
      ), found as materialized (select * from settled union all select * from other
      ), amended as materialized (
        select e.id, t.plaid_transaction_id, t.pending_transaction_id from
          (select e.*, row_number() over (partition by ${corrected('e')} order by e.change_seq) as n from earlier e
            where e.id not in (select id from found)) e
          join (select t.*, row_number() over (partition by ${corrected('t')} order by t.plaid_transaction_id) as n
            from fresh t
            where t.plaid_transaction_id not in (select plaid_transaction_id from found)) t
          on (${corrected('e')}, e.n) = (${corrected('t')}, t.n)
      ), pairs as materialized (
        select p.*, row_number() over (order by id) as n
        from (select * from found union all select * from amended) p
      ), counter as (
        select change_seq from users where id = ${lease.userId}
      ), bound as (
        update transactions t set plaid_transaction_id = p.plaid_transaction_id,
          pending_transaction_id = p.pending_transaction_id,
          link_epoch = ${lease.linkEpoch}, change_seq = counter.change_seq + p.n, updated_at = now()
        from pairs p cross join counter where t.id = p.id and t.item_id = ${lease.itemId}
      )
      update users set change_seq = change_seq + (select count(*) from pairs)
      where id = ${lease.userId} and exists (select 1 from pairs)`)
}

/**
 * Runs after the merge of a complete history. Removes transactions of an earlier link that the new link does not list,
 * within the period that the new link covers. Older transactions, and those of accounts no longer shared, stay. Does
 * nothing while transactions are set aside, because the unmatched ones may be among them.
 */
export function dropUnmatched(lease: Lease) {
  return command(sql`with listed as (
        select account_id, min(date) as since from transactions
        where item_id = ${lease.itemId} and link_epoch = ${lease.linkEpoch} group by account_id
      ), gone as materialized (
        select t.id, row_number() over (order by t.date, t.id) as n from transactions t
          join listed on listed.account_id = t.account_id
        where t.item_id = ${lease.itemId} and t.link_epoch < ${lease.linkEpoch} and t.removed_at is null
          and (t.pending or t.date >= listed.since)
          and not exists (select 1 from set_aside_rows s where s.item_id = ${lease.itemId}
            and s.product = 'transactions' and s.kind = 'transaction')
      ), counter as (
        select change_seq from users where id = ${lease.userId}
      ), removals as (
        update transactions t set removed_at = now(), updated_at = now(), change_seq = counter.change_seq + gone.n
        from gone cross join counter where t.id = gone.id and t.item_id = ${lease.itemId}
      )
      update users set change_seq = change_seq + (select count(*) from gone)
      where id = ${lease.userId} and exists (select 1 from gone)`)
}

/**
 * Runs after the merge. Compares the transactions of new accounts, and of those that may be duplicates, with the
 * user's other accounts. Many equal transactions prove that two accounts are the same: then a closed or lost one is
 * merged with its successor, and of two live ones only one counts.
 */
export const settleDuplicates = (lease: Lease) => command(sql`select app.settle_duplicates(${lease.itemId}::uuid)`)

/** Runs before the merge. The same for investment transactions, by all of Plaid's fields. */
export function rebindInvestmentTransactions(lease: Lease, held: readonly InvestmentRow[]) {
  const alike = (row: string): SQL =>
    sql`${sql.raw(
      `${row}.account_id, coalesce(${row}.security_id::text, ''), ${row}.date, ${row}.amount, ${row}.quantity,
        ${row}.type, ${row}.subtype, ${row}.name`,
    )}, ${currency(row)}`
  return command(sql`with incoming as materialized (${incomingInvestments(lease, held)}
      ), unknown as (
        select i.*, i.plaid_investment_transaction_id as plaid_id from incoming i
        where i.account_id is not null and not exists (select 1 from investment_transactions t
          where t.item_id = ${lease.itemId}
          and t.plaid_investment_transaction_id = i.plaid_investment_transaction_id)
      )
      update investment_transactions t set plaid_investment_transaction_id = p.plaid_id, link_epoch = ${lease.linkEpoch}
      from (
        select e.id, t.plaid_id from
          (select e.*, row_number() over (partition by ${alike('e')} order by e.created_at, e.id) as n
            from investment_transactions e
            where e.item_id = ${lease.itemId} and e.link_epoch < ${lease.linkEpoch} and e.removed_at is null) e
          join (select t.*, row_number() over (partition by ${alike('t')} order by t.plaid_id) as n from unknown t) t
          on (${alike('e')}, e.n) = (${alike('t')}, t.n)
      ) p where t.id = p.id and t.item_id = ${lease.itemId}`)
}
