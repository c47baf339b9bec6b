// Writes incoming accounts of a link or a sync: the decisions about their identity, and their data.
import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import { boolean, pgTable } from 'drizzle-orm/pg-core'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import { entity, type IncomingRow } from '../core/record.ts'
import { askedAgain, fromTheStart, isResting, type Lease } from '../sync/work.ts'
import { command, idRow, query, type Statement } from '../core/statement.ts'

/** Whether Plaid sent a name and a type. If not, a new account gets a default, and a known account keeps its value. */
const sent = pgTable('sent', { hasName: boolean('has_name').notNull(), hasType: boolean('has_type').notNull() })

const account = entity({
  ids: { plaidAccountId: accounts.plaidAccountId, ...getTableColumns(sent) },
  table: getTableColumns(accounts),
  own: [
    'id',
    'userId',
    'itemId',
    'balanceAsOf',
    'closed',
    'ownName',
    'hidden',
    'inInsights',
    'revokedAt',
    'linkEpoch',
    'duplicateOf',
    'duplicateState',
    'createdAt',
    'updatedAt',
  ],
})
/** An account of Plaid; amounts are exact decimal text. */
export type PlaidAccountRow = IncomingRow<typeof account>

/** Whose accounts are written: those of a run's lease, or of a new link. */
export interface AccountsOwner {
  readonly itemId: string
  readonly userId: string
  readonly linkEpoch: number
  /** When the run began. Its data may be older than a revocation that arrived since. */
  readonly startedAt?: string
}

/**
 * Shows the transactions of earlier links again when a revoked account is shared again. The next run matches them
 * with Plaid's, so the user's notes are kept. Run it after `renameAccounts` and before `mergeAccounts`, which clears
 * `revoked_at`.
 */
function showSharedAgain(owner: AccountsOwner, rows: readonly PlaidAccountRow[]) {
  const listed = sql`${sql.param(rows.map((row) => row.plaid_account_id))}::text[]`
  return command(sql`with counter as (
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
      where id = ${owner.userId} and exists (select 1 from again)`)
}

/**
 * Writes accounts and today's balances. With `complete`, the rows are all open accounts: these are opened and others
 * closed. Otherwise nothing is inferred, because responses with transactions also contain closed accounts, without a
 * balance. Without `closes`, accounts that are missing from a complete list stay open.
 */
function mergeAccounts(owner: AccountsOwner, rows: readonly PlaidAccountRow[], complete: boolean, closes: boolean) {
  const isShared = sql`(${complete} and coalesce(accounts.revoked_at <
    coalesce(${owner.startedAt ?? null}::timestamptz, now()), true))`
  const known = {
    name: sql`case when i.has_name then i.name else coalesce(k.name, i.name) end`,
    type: sql`case when i.has_type then i.type else coalesce(k.type, i.type) end`,
    persistent_account_id: sql`coalesce(i.persistent_account_id, k.persistent_account_id)`,
  }
  return command(sql`with incoming as (select * from ${account.recordset(rows)}
      ), closing as (
        update accounts a set closed = true, updated_at = now()
        where ${complete && closes} and a.item_id = ${owner.itemId} and not a.closed
          and not exists (select 1 from incoming i where i.plaid_account_id = a.plaid_account_id)
      ), merged as (
        insert into accounts (user_id, item_id, plaid_account_id, ${account.list()}, balance_as_of, link_epoch)
        select ${owner.userId}::uuid, ${owner.itemId}::uuid, i.plaid_account_id, ${account.list('i.', known)},
          now(), ${owner.linkEpoch}
        from incoming i left join accounts k
          on k.item_id = ${owner.itemId} and k.plaid_account_id = i.plaid_account_id
        order by i.plaid_account_id
        on conflict (item_id, plaid_account_id) do update set ${account.updates},
          balance_as_of = excluded.balance_as_of, closed = accounts.closed and not ${isShared},
          revoked_at = case when ${isShared} then null else accounts.revoked_at end,
          link_epoch = excluded.link_epoch, updated_at = now()
        returning id, closed, current_balance, available_balance, credit_limit, iso_currency_code,
          unofficial_currency_code, balance_as_of
      )
      insert into account_balances (account_id, day, user_id, current, available, credit_limit, iso_currency_code,
        unofficial_currency_code, as_of)
      select id, (now() at time zone 'UTC')::date, ${owner.userId}::uuid, current_balance, available_balance,
        credit_limit, iso_currency_code, unofficial_currency_code, balance_as_of from merged where not closed
      on conflict (account_id, day) do update set current = excluded.current, available = excluded.available,
        credit_limit = excluded.credit_limit, iso_currency_code = excluded.iso_currency_code,
        unofficial_currency_code = excluded.unofficial_currency_code, as_of = excluded.as_of`)
}

/**
 * Marks the transactions to be read from the start if Plaid lists an account as open that was revoked before the run:
 * its transactions were hidden, and some that Plaid sent meanwhile were not stored. A new account can have a product
 * that Plaid refused before, so refused products are read again too. Must run before `writeAccounts`, which clears the
 * revocation and inserts the new accounts. Returns the products' ids.
 */
export function rereadByAccounts(lease: Lease, rows: readonly PlaidAccountRow[]) {
  const listed = sql`${sql.param(rows.map((row) => row.plaid_account_id))}::text[]`
  return query(
    idRow,
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

/** Decisions about accounts with new ids (src/items/decide-accounts.ts), based on the accounts of `version`. */
export interface AccountDecisions {
  readonly version: string
  /** Known accounts of this item that get a new Plaid id. */
  readonly renamed: readonly { readonly accountId: string; readonly plaidAccountId: string }[]
  /** Known accounts of other items that move to this item. */
  readonly moved: readonly { readonly accountId: string; readonly plaidAccountId: string }[]
  /** New accounts that duplicate, or may duplicate, a known one. */
  readonly duplicates: readonly {
    readonly plaidAccountId: string
    readonly of: string
    readonly state: 'possible' | 'same'
  }[]
}

const column = <Row>(list: readonly Row[], valueOf: (row: Row) => string, type: string): SQL =>
  sql`${sql.param(list.map(valueOf))}::${sql.raw(type)}[]`

function renameAccounts(owner: AccountsOwner, { renamed }: AccountDecisions): Statement {
  return command(sql`update accounts a set plaid_account_id = r.plaid_account_id, link_epoch = ${owner.linkEpoch},
    updated_at = now()
      from unnest(${column(renamed, ({ accountId }) => accountId, 'uuid')},
        ${column(renamed, ({ plaidAccountId }) => plaidAccountId, 'text')})
        as r (id, plaid_account_id) where a.id = r.id and a.item_id = ${owner.itemId}`)
}

function moveAccounts(owner: AccountsOwner, { moved }: AccountDecisions): Statement {
  return command(sql`select app.move_account(m.id, ${owner.itemId}::uuid, m.plaid_account_id)
      from unnest(${column(moved, ({ accountId }) => accountId, 'uuid')},
        ${column(moved, ({ plaidAccountId }) => plaidAccountId, 'text')})
        as m (id, plaid_account_id)`)
}

/** The account that counts for the given one. All duplicates of an account refer to the same row. */
export const originalOf = (id: SQL): SQL =>
  sql`coalesce((select o.duplicate_of from accounts o where o.id = ${id} and o.duplicate_state <> 'kept'), ${id})`

function markDuplicates(owner: AccountsOwner, { duplicates }: AccountDecisions): Statement {
  return command(sql`update accounts a set duplicate_of = ${originalOf(sql`d.original`)}, duplicate_state = d.state,
    updated_at = now()
      from unnest(${column(duplicates, ({ plaidAccountId }) => plaidAccountId, 'text')},
        ${column(duplicates, ({ of }) => of, 'uuid')},
        ${column(duplicates, ({ state }) => state, 'text')}) as d (plaid_account_id, original, state)
      where a.item_id = ${owner.itemId} and a.plaid_account_id = d.plaid_account_id and a.duplicate_state is null`)
}

/**
 * Writes accounts of a response. If it has accounts with new ids, `decisions` are required, and the transaction must
 * begin with `requireAccountsVersion`.
 */
export function writeAccounts(
  owner: AccountsOwner,
  rows: readonly PlaidAccountRow[],
  complete: boolean,
  decisions: AccountDecisions | null,
  closes = complete,
): Statement[] {
  return [
    ...(decisions === null || decisions.renamed.length === 0 ? [] : [renameAccounts(owner, decisions)]),
    ...(decisions === null || decisions.moved.length === 0 ? [] : [moveAccounts(owner, decisions)]),
    ...(complete && owner.linkEpoch > 0 ? [showSharedAgain(owner, rows)] : []),
    mergeAccounts(owner, rows, complete, closes),
    ...(decisions === null || decisions.duplicates.length === 0 ? [] : [markDuplicates(owner, decisions)]),
  ]
}

/**
 * Marks all products of the item to be read from the start as after a new link, because known accounts have new ids.
 * The next runs match the incoming rows with the stored ones (src/db/records/relink.ts). Returns the products' ids.
 */
export function rereadAsRelinked(lease: Lease) {
  return query(
    idRow,
    sql`with item as (
        update items set link_epoch = link_epoch + 1, updated_at = now() where id = ${lease.itemId} returning id
      ) update item_products p set ${fromTheStart} from item where p.item_id = item.id and not ${isResting('p')}
        returning p.id`,
  )
}
