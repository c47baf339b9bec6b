// Merges a sync's transactions in one set-based statement, for any number of them. Writes only rows that differ, gives
// every change the next number of the user's counter, and moves the user's edits from pending to posted transactions.
import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import { syncStaging, transactions } from '../../../drizzle/tables/transactions.ts'
import { entity, type IncomingRow } from '../core/record.ts'
import type { JobsDatabase } from '../core/client.ts'
import { editsOf, isEdited, pendingEdits } from './pending-edits.ts'
import { byUser, givenBy, isOwnCategory, isOwnHidden, placesOf, ruleList, searchedText } from './rule-matching.ts'
import { countUnknown, mayBeSetAside, type SetAside, storeUnknown } from '../sync/set-aside.ts'
import { incomingRows, stageRows } from './transactions-staging.ts'
import type { Lease } from '../sync/work.ts'
import { command } from '../core/statement.ts'

export const transaction = entity({
  ids: {
    seq: syncStaging.seq,
    removed: syncStaging.removed,
    plaidTransactionId: transactions.plaidTransactionId,
    plaidAccountId: accounts.plaidAccountId,
  },
  table: getTableColumns(transactions),
  own: [
    'id',
    'userId',
    'itemId',
    'accountId',
    'note',
    'userCategory',
    'hidden',
    'categoryBy',
    'hiddenBy',
    'linkEpoch',
    'changeSeq',
    'createdAt',
    'updatedAt',
    'removedAt',
  ],
})
type Incoming = IncomingRow<typeof transaction>
/** A transaction of Plaid; the amount is exact decimal text. */
export type PlaidTransactionRow = Omit<Incoming, 'seq' | 'removed'>

/** A change in the order in which Plaid sent it. Of several changes to one transaction, the last one counts. */
export type TransactionChange =
  | (PlaidTransactionRow & { readonly seq: number; readonly removed: false })
  | (Pick<Incoming, 'seq' | 'plaid_transaction_id'> & { readonly removed: true })

const comparedList = (prefix: string) => sql`${sql.raw(prefix)}account_id, ${transaction.list(prefix)}`

/** Stages changes until the commit, and renews the lease. Returns false if the lease was lost. */
export const stageTransactions = (jobs: JobsDatabase, lease: Lease, changes: readonly TransactionChange[]) =>
  stageRows(jobs, lease, transaction, changes)

/** The staged changes and these, one row for each transaction: of several, the last one counts. */
export const incomingTransactions = (lease: Lease, changes: readonly TransactionChange[]): SQL =>
  incomingRows(lease, transaction, 'plaid_transaction_id', changes)

/**
 * The item's row of that id, looked up in the unique index. `limit` keeps the planner from making it a join. It knows
 * almost nothing about a new item and about the staging table, so it would choose a nested loop over two sets that it
 * takes for one row each. With 50,000 rows that does not end within the time limit of a call.
 */
const heldRow = (lease: Lease, plaidTransactionId: SQL): SQL =>
  sql`(select * from transactions where item_id = ${lease.itemId} and plaid_transaction_id = ${plaidTransactionId}
    limit 1)`

/**
 * Whether a stored row takes the new values: all of them when it posts, or else the user's decision about the pending row
 * that it replaces now. What the user decided about the row itself comes first.
 */
const takes = (mark: string, isOwn: (row: string) => SQL): SQL =>
  sql`not ${isOwn('transactions')} and (transactions.pending and not excluded.pending
    or transactions.pending_transaction_id is distinct from excluded.pending_transaction_id
      and ${sql.raw(`excluded.${mark}`)} is not distinct from ${byUser})`
const takesCategory = takes('category_by', isOwnCategory)
const takesHidden = takes('hidden_by', isOwnHidden)

/**
 * The incoming rows with the places of the rules that match them. Only new ones of a user with rules are compared, and
 * stored ones that post, as after relink.ts. Each `offset 0` keeps the planner from computing a column once for each of its uses.
 */
const ruledRows = sql`(select s.*, case when s.searched is not null then ${placesOf('s')} end as places from (
    select changed.*, case when takes_rules and rule_values.ids is not null then ${searchedText('changed')} end as searched
    from changed cross join rule_values offset 0) s offset 0)`

/** The user's decision about the pending row, or else the value of the first rule that matches the row itself. */
function editedValues(): SQL {
  const { category, categoryRule, hiddenRule } = givenBy('c')
  return sql`e.note,
    case when e.category_by is not null then e.user_category else ${category} end, coalesce(e.category_by, ${categoryRule}),
    case when e.hidden_by is not null then e.hidden else ${hiddenRule} is not null end, coalesce(e.hidden_by, ${hiddenRule})`
}

/** The values of a removed row: without the user's edits if `moved` says that they moved, and with those of rules. */
function keptValues(moved: SQL): SQL {
  const kept = (name: string, isOwn: SQL, empty: SQL) =>
    sql`${sql.raw(name)} = case when ${moved} and ${isOwn} then ${empty} else ${sql.raw(`t.${name}`)} end`
  const [category, hidden, none] = [isOwnCategory('t'), isOwnHidden('t'), sql.raw('null')]
  return sql`note = case when not ${moved} then t.note end,
    ${kept('user_category', category, none)}, ${kept('category_by', category, none)},
    ${kept('hidden', hidden, sql.raw('false'))}, ${kept('hidden_by', hidden, none)}`
}

/** The rows to remove. `not in` is a hash table, also with wrong estimates of the planner. */
function removedRows(lease: Lease, isUnread: SQL): SQL {
  if (lease.cursor === null)
    return sql`select id, date, pending, ${isEdited('transactions')} as is_edited from transactions
      where item_id = ${lease.itemId} and link_epoch = ${lease.linkEpoch}
      and removed_at is null and plaid_transaction_id not in (select plaid_transaction_id from incoming
        where not removed)
      and not ${isUnread}`
  return sql`select t.id, t.date, t.pending, ${isEdited('t')} as is_edited from incoming i cross
    join lateral ${heldRow(lease, sql`i.plaid_transaction_id`)} t
    where i.removed and t.link_epoch = ${lease.linkEpoch} and t.removed_at is null`
}

/** Columns that are not fields of Plaid's transaction, or have another name there. */
const renamed = [
  'seq',
  'removed',
  'plaid_transaction_id',
  'plaid_account_id',
  'merchant_logo_url',
  'merchant_website',
  'category_primary',
  'category_detailed',
  'category_confidence',
  'category_version',
]

/** Transactions of unknown accounts in Plaid's form, so that a later run can read them again. */
const unknownTransactions = (lease: Lease): SQL =>
  sql`select 'transaction' as kind, i.plaid_transaction_id as row_key, i.plaid_account_id,
      to_jsonb(i) - ${sql.param(renamed)}::text[] || jsonb_build_object(
        'transaction_id', i.plaid_transaction_id, 'account_id', i.plaid_account_id,
        'logo_url', i.merchant_logo_url, 'website', i.merchant_website,
        'personal_finance_category', jsonb_build_object('primary', i.category_primary, 'detailed', i.category_detailed,
          'confidence_level', i.category_confidence, 'version', i.category_version)) as payload
    from incoming i where not i.removed and not exists (
      select 1 from accounts a where a.item_id = ${lease.itemId} and a.plaid_account_id = i.plaid_account_id)`

/**
 * Merges the staged changes and these. Runs after `app.begin_commit`, which locks the user's counter row.
 * - A run that began without a cursor has read everything, so other transactions are removed: Plaid lists no removals
 *   then. Those of an earlier link are matched by src/db/records/relink.ts.
 * - Changes to accounts that the user revoked are dropped: `rereadByAccounts` marks them to be read again.
 * - Changes to unknown accounts are set aside.
 * - A transaction that may be one of the unreadable rows is not removed.
 * - Transactions that are new or post get the values of the user's rules. What the user decided stays.
 * - Transactions older than `keptDays` are not stored: the retention has deleted them (src/retention/policy.ts).
 */
export function mergeTransactions(
  lease: Lease,
  changes: readonly TransactionChange[],
  setAside: readonly SetAside[],
  keptDays: number,
) {
  const isUnread = mayBeSetAside(
    setAside.filter(({ kind }) => kind === 'transaction'),
    sql`transactions.plaid_transaction_id`,
    sql`(select a.plaid_account_id from accounts a where a.id = transactions.account_id)`,
  )
  return command(sql`with recursive incoming as materialized (${incomingTransactions(lease, changes)}
      ), counter as (
        select change_seq from users where id = ${lease.userId}
      ), changed as materialized (
        select i.plaid_transaction_id, a.id as account_id, ${transaction.list('i.')},
          t.id is null as is_new, t.id is null or t.pending and not i.pending as takes_rules,
          ${editsOf('p', 'linked_')},
          p.amount as linked_amount, p.name as linked_name, p.date as linked_date,
          row_number() over (order by i.date, i.plaid_transaction_id) as n
        from incoming i
        left join accounts a on a.item_id = ${lease.itemId} and a.plaid_account_id = i.plaid_account_id
        left join lateral ${heldRow(lease, sql`i.plaid_transaction_id`)} t on true
        left join lateral ${heldRow(lease, sql`i.pending_transaction_id`)} p on true
        where not i.removed and a.id is not null and a.revoked_at is null
          and (t.id is not null or i.date >= (now() at time zone 'utc')::date - ${keptDays}::int)
          and (t.id is null or t.removed_at is not null
          or (t.account_id, ${transaction.list('t.')}) is distinct from (a.id, ${transaction.list('i.')}))
      ), ${storeUnknown(lease, unknownTransactions(lease))}, sent_again as (
        delete from set_aside_rows s using incoming i where ${lease.hasSetAside} and s.item_id = ${lease.itemId}
          and s.product = ${lease.product}
          and s.kind = 'transaction' and s.row_key = i.plaid_transaction_id and s.run_id <> ${lease.runId}
          and (i.removed or exists (select 1 from accounts a where a.item_id = ${lease.itemId}
            and a.plaid_account_id = i.plaid_account_id))
      ), gone as materialized (
        select id, pending, is_edited, row_number() over (order by date, id) as n
          from (${removedRows(lease, isUnread)}) taken_back
      ), ${pendingEdits(lease)}, ${ruleList(sql`select * from rules where user_id = ${lease.userId}`)}, merged as (
        insert into transactions (user_id, item_id, plaid_transaction_id, ${comparedList('')}, note, user_category,
          category_by, hidden, hidden_by, change_seq, link_epoch)
        select ${lease.userId}::uuid, ${lease.itemId}::uuid, c.plaid_transaction_id, ${comparedList('c.')},
          ${editedValues()}, counter.change_seq + c.n, ${lease.linkEpoch}::smallint
        from ${ruledRows} c cross join counter cross join rule_values
          left join edits e on e.plaid_transaction_id = c.plaid_transaction_id
        on conflict (item_id, plaid_transaction_id) do update set account_id = excluded.account_id,
          ${transaction.updates},
          note = case when transactions.pending_transaction_id is distinct from excluded.pending_transaction_id
            then coalesce(transactions.note, excluded.note) else transactions.note end,
          user_category = case when ${takesCategory} then excluded.user_category else transactions.user_category end,
          category_by = case when ${takesCategory} then excluded.category_by else transactions.category_by end,
          hidden = case when ${takesHidden} then excluded.hidden else transactions.hidden end,
          hidden_by = case when ${takesHidden} then excluded.hidden_by else transactions.hidden_by end,
          change_seq = excluded.change_seq, removed_at = null, updated_at = now()
      ), removals as (
        update transactions t set removed_at = now(), updated_at = now(),
          change_seq = counter.change_seq + (select count(*) from changed) + gone.n,
          ${keptValues(sql.raw('(m.id is not null)'))}
        from gone cross join counter left join moved_from m on m.id = gone.id where t.id = gone.id
      ), emptied as (
        update transactions t set ${keptValues(sql.raw('true'))}, updated_at = now()
        from moved_from m where t.id = m.id and t.removed_at is not null
      ), counted as (
        update users set change_seq = change_seq + (select count(*) from changed) + (select count(*) from gone)
        where id = ${lease.userId} and (exists (select 1 from changed) or exists (select 1 from gone))
      )
      select ${countUnknown}, set_config('app.upserted', (select count(*) from changed)::text, true),
        set_config('app.removed', (select count(*) from gone)::text, true)`)
}
