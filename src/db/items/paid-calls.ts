// Counts the calls that Plaid bills, before they are made: for each item, user and deployment, by UTC day.
import { type AuditRow, recorded } from '../audit/record.ts'
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import type { ApiDatabase } from '../core/client.ts'
import { asUser, type Identity, me } from '../core/scope.ts'
import { query } from '../core/statement.ts'

export const refreshable = ['transactions', 'investments'] as const
export type Refreshable = (typeof refreshable)[number]

const itemRow = z
  .object({
    id: z.string(),
    user_id: z.string(),
    access_token_sealed: z.string(),
    status: z.string(),
    products: z.array(z.enum(refreshable)),
  })
  .transform((row) => ({
    itemId: row.id,
    userId: row.user_id,
    sealed: row.access_token_sealed,
    status: row.status,
    products: row.products,
  }))
export type RefreshedItem = z.output<typeof itemRow>

/**
 * An item of the user with the products that Plaid can refresh: those that were read. Null if there is no such item.
 */
export async function readRefreshed(
  database: ApiDatabase,
  identity: Identity,
  id: string,
): Promise<RefreshedItem | null> {
  const { found } = await asUser(database, identity, {
    found: query(
      itemRow,
      sql`select i.id, i.user_id, i.access_token_sealed, i.status, to_jsonb(array(
          select case p.product when 'holdings' then 'investments' else p.product end from item_products p
          where p.item_id = i.id and p.product in ('transactions', 'holdings') and p.status in ('ok', 'error')
            and p.last_synced_at is not null order by p.product desc)) as products
        from items i where i.id = ${id} and i.user_id = ${me} and i.removed_at is null`,
    ),
  })
  return found[0] ?? null
}

export interface PaidLimits {
  readonly perItem: number
  readonly perUser: number
  readonly perDay: number
}

const takenRow = z.object({ outcome: z.enum(['taken', 'item', 'user', 'day', 'gone']) })

/**
 * Counts the calls if all limits allow them, with the row of the audit trail. Returns which limit refuses them. A call
 * that fails stays counted: whether Plaid bills it is not known.
 */
export async function takePaidCalls(
  database: ApiDatabase,
  identity: Identity,
  id: string,
  calls: number,
  limits: PaidLimits,
  audit: AuditRow,
): Promise<z.output<typeof takenRow>['outcome']> {
  const { taken } = await asUser(database, identity, {
    taken: query(
      takenRow,
      sql`with taken as materialized (
          select app.take_paid_calls(${id}::uuid, ${calls}::integer, ${limits.perItem}::integer,
            ${limits.perUser}::integer, ${limits.perDay}::integer) as outcome
        ) select outcome, ${recorded(audit, sql`outcome = 'taken'`)} from taken`,
    ),
  })
  return taken[0]?.outcome ?? 'gone'
}
