// Removes an item at its user's request: hides it in one short transaction, then publishes it in the change feed in
// portions, so that an item of any size can be removed. Uses the jobs' login, which waits for a commit that locks the
// item; the caller has checked that the item belongs to the user.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { execute, batch, type JobsDatabase } from '../core/client.ts'
import { type AuditRow, recordAudit } from '../audit/record.ts'
import type { OwnedItem } from './items.ts'
import { type MovedToken, refuseReplacedToken } from './moved-token.ts'
import { byIndex, plan } from '../core/plans.ts'
import { command, query } from '../core/statement.ts'

/** About half a second's work. */
const portion = 5000

export interface RemovalTerms {
  /** The item's rows are deleted after so many days. */
  readonly keepDays: number
  /** Null for an item that does not exist. */
  readonly token: MovedToken | null
  /** A condition over the item's row; without it, nothing changes. */
  readonly onlyIf?: SQL
}

/**
 * Hides an item and queues its removal at Plaid. A repeated call can only bring the deletion forward. `publishRemoval`
 * must follow; until it has run, the removal stays queued.
 * @throws AppError with `tokenReplaced` if the item has another token by now
 */
export async function beginRemoval(
  jobs: JobsDatabase,
  { id, userId }: OwnedItem,
  { keepDays, token, onlyIf = sql`true` }: RemovalTerms,
  audit: AuditRow,
): Promise<void> {
  const item = sql`id = ${id} and user_id = ${userId} and ${onlyIf}`
  const purgeAt = sql`now() + make_interval(days => ${keepDays})`
  await execute(jobs, [
    command(sql`select 1 from items where ${item} for no key update`),
    refuseReplacedToken(sql`${item} and status not in ('removing', 'removed')`, token),
    // A call that hides nothing and brings no deletion forward changes nothing.
    recordAudit(
      audit,
      sql`exists (select 1 from items where ${item} and (status not in ('removing', 'removed')
        or ${purgeAt} < purge_at))`,
    ),
    command(sql`insert into plaid_removals (user_id, plaid_item_id, item_id, access_token_sealed, reason)
        select user_id, plaid_item_id, id, ${token?.to ?? null}, 'removed' from items
        where ${item} and status not in ('removing', 'removed') on conflict (plaid_item_id) do nothing`),
    // Later than every row of a commit that held the item until now.
    command(sql`update items set status = case when status = 'removed' then status else 'removing' end,
          status_reason = null, removed_at = coalesce(removed_at, clock_timestamp() + interval '1 millisecond'),
          purge_at = least(purge_at, ${purgeAt}), updated_at = now()
        where ${item}`),
  ])
}

/**
 * Gives the transactions of a hidden item new numbers, so that the change feed lists them as removed. Skips those with
 * a number from after the item was hidden. Does nothing for a visible item. Idempotent and crash-safe.
 */
export async function publishRemoval(jobs: JobsDatabase, plaidItemId: string, limit = portion): Promise<void> {
  const item = sql`from items where plaid_item_id = ${plaidItemId} and removed_at is not null`
  for (let published = limit; published === limit;) published = await publishPortion(jobs, item, limit)
}

const portionRow = z.object({ count: z.number() })

async function publishPortion(jobs: JobsDatabase, item: SQL, limit: number): Promise<number> {
  const { published } = await batch(jobs, {
    planned: plan(byIndex),
    itemLocked: command(sql`select 1 ${item} for no key update`),
    userLocked: command(sql`select 1 from users where id = (select user_id ${item}) for no key update`),
    published: query(
      portionRow,
      sql`with item as materialized (select id, user_id, removed_at ${item}
        ), unpublished as materialized (
          select t.id, row_number() over (order by t.date, t.id) as n from item i
            join transactions t on t.item_id = i.id
          where t.removed_at is null and t.updated_at < i.removed_at order by t.date, t.id limit ${limit}
        ), published as (
          update transactions t set change_seq = u.change_seq + o.n, updated_at = clock_timestamp()
          from unpublished o, item i join users u on u.id = i.user_id where t.id = o.id returning 1
        ), counted as (
          update users u set change_seq = u.change_seq + (select count(*) from published) from item i
            where u.id = i.user_id
        )
        select count(*)::int as count from published`,
    ),
  })
  return published[0]?.count ?? 0
}

/** Days after which an item that needs a new link is removed. */
export const lostDays = 730
/** The item was not linked again for so long. */
export const isLostForGood = sql`status = 'relink_required' and lost_since < now() - make_interval(days => ${lostDays})`

const lostRow = z
  .object({ id: z.string(), user_id: z.string(), plaid_item_id: z.string() })
  .transform((row) => ({ id: row.id, userId: row.user_id, plaidItemId: row.plaid_item_id }))

/** Items that are removed for that reason. */
export async function listLostItems(jobs: JobsDatabase, limit: number): Promise<readonly OwnedItem[]> {
  const { found } = await batch(jobs, {
    found: query(
      lostRow,
      sql`select id, user_id, plaid_item_id from items where ${isLostForGood} order by status, created_at, id
        limit ${limit}`,
    ),
  })
  return found
}

const countRow = z.object({ count: z.coerce.number() })

/** How many there are, `limit` at most. */
export async function countLostItems(jobs: JobsDatabase, limit: number): Promise<number> {
  const { found } = await batch(jobs, {
    found: query(
      countRow,
      sql`select count(*) as count from (select from items where ${isLostForGood} limit ${limit}) d`,
    ),
  })
  return found[0]?.count ?? 0
}
