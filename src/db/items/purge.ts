// Permanently deletes removed items and revoked accounts. Only their numbers in the change feed remain.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { longExecute, batch, type JobsDatabase, longBatch } from '../core/client.ts'
import { publishRemoval } from './removal.ts'
import { byIndex, plan } from '../core/plans.ts'
import { lost } from '../sync/work.ts'
import { insertTombstones, trimTombstones } from '../records/tombstones.ts'
import { anyRow, command, query } from '../core/statement.ts'

/**
 * Deletes removed and revoked items that are due, users in turn, with all their rows. Keeps the change numbers of their
 * transactions, so that a client that is behind in the change feed still receives the removals. Starts no deletion when
 * `isOver` returns true. Returns how many it deleted.
 */
export async function purgeItems(jobs: JobsDatabase, limit: number, isOver: () => boolean): Promise<number> {
  return await purgeEach(
    jobs,
    sql`select id, user_id, plaid_item_id from (
        select *, row_number() over (partition by user_id order by purge_at) as turn from items where ${isDue}
      ) due order by turn, purge_at limit ${limit}`,
    isOver,
  )
}

/** Deletes one of them. */
export async function purgeItem(jobs: JobsDatabase, id: string): Promise<void> {
  await purgeEach(jobs, sql`select id, user_id, plaid_item_id from items where ${isDue} and id = ${id}`)
}

/** Whether an item is due for deletion. */
const isDue = sql`purge_at <= now() and status in (${lost})`

const dueRow = z.object({ id: z.string(), user_id: z.string(), plaid_item_id: z.string() })

async function purgeEach(jobs: JobsDatabase, which: SQL, isOver = (): boolean => false): Promise<number> {
  const { due } = await batch(jobs, {
    due: query(dueRow, which),
  })
  let purged = 0
  for (const { id, user_id: userId, plaid_item_id: plaidItemId } of due) {
    if (isOver()) break
    // The change feed may not list the removal yet, if the removal at Plaid is still queued.
    await publishRemoval(jobs, plaidItemId)
    await purgeOne(jobs, id, userId)
    purged += 1
  }
  return purged
}

/** Deletes one removed item that is due. An item that was linked again meanwhile stays. */
async function purgeOne(jobs: JobsDatabase, id: string, userId: string): Promise<void> {
  const doomed = sql`select id from items where id = ${id} and user_id = ${userId} and ${isDue}`
  const isDoomed = sql`exists (${doomed})`
  await longExecute(jobs, [
    plan(byIndex),
    command(sql`${doomed} for update`),
    command(sql`select 1 from users where id = ${userId} for no key update`),
    // Transactions that were visible until now get new change numbers, so that the feed lists them as removed.
    command(sql`select app.renumber_item(id) from items where id in (${doomed}) and removed_at is null`),
    insertTombstones(sql`item_id = ${id} and ${isDoomed}`),
    trimTombstones(sql`select user_id from (${doomed}) doomed join items using (id)`),
    command(sql`delete from dead_letters where ${isDoomed}
        and item_product_id = any(array(select p.id from item_products p where p.item_id = ${id}))`),
    // Runs while the exchanges still show which of Plaid's items the row has stood for.
    command(sql`select app.forget_webhooks(id) from (${doomed}) doomed`),
    command(sql`delete from link_sessions where item_id = ${id} and ${isDoomed}`),
    command(sql`delete from link_exchanges where item_id = ${id} and ${isDoomed}`),
    command(sql`delete from items where id in (${doomed})`),
    command(sql`delete from securities s where user_id = ${userId} and ${unnamed('holdings')}
      and ${unnamed('holding_days')}
        and ${unnamed('investment_transactions')}`),
  ])
}

/** No row of the table refers to the security `s`. `limit` keeps the planner from joining the whole table. */
const unnamed = (table: string): SQL => sql`(select 1 from ${sql.raw(table)} where security_id = s.id limit 1) is null`

/** Deletes revoked accounts with their transactions, users in turn, `keepDays` after Plaid reported the revocation. */
export async function purgeRevokedAccounts(jobs: JobsDatabase, keepDays: number, limit: number): Promise<number> {
  const doomed = sql`any(array(select id from (
      select id, revoked_at, row_number() over (partition by user_id order by revoked_at, id) as turn from accounts
      where revoked_at < now() - make_interval(days => ${keepDays})
    ) due order by turn, revoked_at, id limit ${limit}))`
  const { deleted } = await longBatch(jobs, {
    planned: plan(byIndex),
    // Lock order: the item's row before its other rows.
    itemsLocked: command(
      sql`select 1 from items where id in (select item_id from accounts where id = ${doomed}) order by id
        for no key update`,
    ),
    // The deletion takes numbers of their counters.
    usersLocked: command(
      sql`select 1 from users where id in (select user_id from accounts where id = ${doomed}) order by id
        for no key update`,
    ),
    tombstones: insertTombstones(sql`account_id = ${doomed}`),
    trimmed: trimTombstones(sql`select user_id from accounts where id = ${doomed}`),
    setAside: command(
      sql`delete from set_aside_rows s using accounts a where a.id = ${doomed} and s.item_id = a.item_id
        and s.plaid_account_id = a.plaid_account_id`,
    ),
    deleted: query(anyRow, sql`delete from accounts where id = ${doomed} returning id`),
  })
  return deleted.length
}
