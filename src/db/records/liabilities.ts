// What a user owes: merged from snapshots, read by keyset.
import { and, asc, eq, sql } from 'drizzle-orm'
import { liabilities } from '../../../drizzle/tables/liabilities.ts'
import type { ApiDatabase } from '../core/client.ts'
import { ofCurrentProduct, ofSharedAccount, ofShownItem } from '../core/columns.ts'
import { after, type Key, type Page, toPage } from '../core/page.ts'
import { type Identity, me, pageAsUser } from '../core/scope.ts'
import { countUnknown, mayBeSetAside, type SetAside, storeUnknown } from '../sync/set-aside.ts'
import type { Lease } from '../sync/work.ts'
import { command } from '../core/statement.ts'

export interface LiabilityFacts {
  readonly plaidAccountId: string
  readonly kind: 'credit' | 'mortgage' | 'student'
  /** Plaid's members of that kind; every number is exact decimal text. */
  readonly details: Readonly<Record<string, unknown>>
}

/**
 * The list is all that the item owes: what is not in it is gone, unless a row that could not be read may stand for
 * it. Rows of unknown accounts are set aside.
 */
export function mergeLiabilities(lease: Lease, facts: readonly LiabilityFacts[], setAside: readonly SetAside[]) {
  const unread = (['credit', 'mortgage', 'student'] as const).map(
    (kind) =>
      sql`l.kind = ${kind} and ${mayBeSetAside(
        setAside.filter((row) => row.kind === kind),
        sql`null`,
        sql`(select a.plaid_account_id from accounts a where a.id = l.account_id)`,
      )}`,
  )
  return command(sql`with told as (
        select distinct on (r."plaidAccountId", r."kind") a.id as account_id, r."plaidAccountId" as plaid_account_id,
          r."kind" as kind, r."details" as details
        from jsonb_to_recordset(${JSON.stringify(facts)}::jsonb) as r("plaidAccountId" text, "kind" text,
          "details" jsonb)
        left join accounts a on a.item_id = ${lease.itemId} and a.plaid_account_id = r."plaidAccountId"
      ), incoming as (
        select * from told where account_id is not null
      ), ${storeUnknown(
        lease,
        sql`select kind, plaid_account_id as row_key, plaid_account_id, details as payload from told
          where account_id is null`,
      )}, gone as (
        delete from liabilities l where l.item_id = ${lease.itemId} and not (${sql.join(unread, sql` or `)})
          and not exists (select 1 from told t where t.account_id is null and t.kind = l.kind)
          and not exists (select 1 from incoming i where i.account_id = l.account_id and i.kind = l.kind) returning 1
      ), merged as (
        insert into liabilities as l (user_id, item_id, account_id, kind, details)
        select ${lease.userId}::uuid, ${lease.itemId}::uuid, account_id, kind, details from incoming
        on conflict (account_id, kind) do update set details = excluded.details, updated_at = now()
        where l.details is distinct from excluded.details
        returning 1
      )
      select ${countUnknown}, set_config('app.upserted', (select count(*) from merged)::text, true),
        set_config('app.removed', (select count(*) from gone)::text, true)`)
}

export interface Liability {
  readonly id: string
  readonly accountId: string
  readonly kind: string
  readonly details: unknown
}

/** A user's liabilities, by account. */
export async function listLiabilities(
  database: ApiDatabase,
  identity: Identity,
  limit: number,
  from: Key | null,
): Promise<Page<Liability>> {
  const { found } = await pageAsUser(database, identity, {
    found: database.connection
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
          after(from, liabilities.accountId, liabilities.id, 'asc'),
        ),
      )
      .orderBy(asc(liabilities.accountId), asc(liabilities.id))
      .limit(limit + 1),
  })
  return toPage(found, limit, (liability) => [liability.accountId, liability.id])
}
