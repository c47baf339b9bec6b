// Liabilities: merged from snapshots, listed by keyset.
import { and, asc, eq, getTableColumns, type SQL, sql } from 'drizzle-orm'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import { liabilities } from '../../../drizzle/tables/liabilities.ts'
import type { ApiDatabase } from '../core/client.ts'
import { ofCurrentProduct, ofListedAccount, ofSharedAccount, ofShownItem } from '../core/columns.ts'
import { after, type Key, type Page, toPage } from '../core/page.ts'
import { type Identity, me, pageAsUser } from '../core/scope.ts'
import { mayBeSetAside, type SetAside } from '../sync/set-aside.ts'
import { entity, type IncomingRow, upsert } from '../core/record.ts'
import { replaceRows } from './replace.ts'
import type { Lease } from '../sync/work.ts'

const liability = entity({
  ids: { plaidAccountId: accounts.plaidAccountId, kind: liabilities.kind },
  table: getTableColumns(liabilities),
  own: ['id', 'userId', 'itemId', 'accountId', 'updatedAt'],
})
const kinds = ['credit', 'mortgage', 'student'] as const
/** In `details`, every number is exact decimal text. */
export type PlaidLiabilityRow = IncomingRow<typeof liability> & { readonly kind: (typeof kinds)[number] }

/**
 * The rows are all liabilities of the item: deletes others, unless a set-aside row may be one of them. Sets rows of
 * unknown accounts aside.
 */
export function mergeLiabilities(lease: Lease, rows: readonly PlaidLiabilityRow[], setAside: readonly SetAside[]) {
  const unread = kinds.map(
    (kind) =>
      sql`l.kind = ${kind} and ${mayBeSetAside(
        setAside.filter((row) => row.kind === kind),
        sql`null`,
        sql`(select a.plaid_account_id from accounts a where a.id = l.account_id)`,
      )}`,
  )
  return replaceRows(lease, {
    read: sql`listed as (
        select distinct on (r.plaid_account_id, r.kind) a.id as account_id, r.* from ${liability.recordset(rows)}
        left join accounts a on a.item_id = ${lease.itemId} and a.plaid_account_id = r.plaid_account_id
      )`,
    unknown: sql`select kind, plaid_account_id as row_key, plaid_account_id, details as payload
      from listed where account_id is null`,
    remove: sql`delete from liabilities l where l.item_id = ${lease.itemId} and not (${sql.join(unread, sql` or `)})
        and not exists (select 1 from listed r where r.kind = l.kind
          and (r.account_id is null or r.account_id = l.account_id))`,
    upsert: upsert(liability, {
      table: 'liabilities',
      as: 'l',
      own: {
        user_id: sql`${lease.userId}::uuid`,
        item_id: sql`${lease.itemId}::uuid`,
        account_id: sql`account_id`,
        kind: sql`kind`,
      },
      key: ['account_id', 'kind'],
      from: sql`listed where account_id is not null`,
      order: ['account_id', 'kind'],
      set: sql`updated_at = now()`,
    }),
  })
}

export interface Liability {
  readonly id: string
  readonly accountId: string
  readonly kind: string
  readonly details: unknown
}

const selectLiabilities = ({ connection }: ApiDatabase, matching: SQL | undefined) =>
  connection
    .select({
      id: liabilities.id,
      accountId: liabilities.accountId,
      kind: liabilities.kind,
      details: liabilities.details,
    })
    .from(liabilities)
    .where(
      and(
        eq(liabilities.userId, me),
        ofShownItem(liabilities.itemId),
        ofSharedAccount(liabilities.accountId),
        ofCurrentProduct(liabilities.itemId, 'liabilities'),
        matching,
      ),
    )
    .$dynamic()

export const liabilityRows = {
  page: (database: ApiDatabase, limit: number, from: Key | null, withHidden = false) =>
    selectLiabilities(
      database,
      and(
        withHidden ? undefined : ofListedAccount(liabilities.accountId),
        after(from, liabilities.accountId, liabilities.id, 'asc'),
      ),
    )
      .orderBy(asc(liabilities.accountId), asc(liabilities.id))
      .limit(limit + 1),
  named: (database: ApiDatabase, ids: SQL) => selectLiabilities(database, sql`${liabilities.id} = any(${ids})`),
  keyOf: ({ accountId, id }: Liability): Key => [accountId, id],
}

/** A user's liabilities, by account. */
export async function listLiabilities(
  database: ApiDatabase,
  identity: Identity,
  limit: number,
  from: Key | null,
  withHidden = false,
): Promise<Page<Liability>> {
  const { found } = await pageAsUser(database, identity, {
    found: liabilityRows.page(database, limit, from, withHidden),
  })
  return toPage(found, limit, liabilityRows.keyOf)
}
