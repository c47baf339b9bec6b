// Deletes what was removed: for good, so that nothing is left but the numbers of the change feed.
import { type SQL, sql } from 'drizzle-orm'
import { batch, type JobsDatabase, longBatch, rows } from '../core/client.ts'
import { tellRemoval } from './removal.ts'
import { byIndex, plan } from '../core/plans.ts'
import { lost } from '../sync/work.ts'
import { insertTombstones, trimTombstones } from '../records/tombstones.ts'

/**
 * Deletes removed and revoked items that are due, users in turn, with all their rows. Keeps the change numbers of their
 * transactions, so that a client that is behind in the change feed still learns that they are gone. Starts none when `isOver`. Returns how many it deleted.
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

/** The same for one of them. */
export async function purgeItem(jobs: JobsDatabase, id: string): Promise<void> {
  await purgeEach(jobs, sql`select id, user_id, plaid_item_id from items where ${isDue} and id = ${id}`)
}

/** Whether it is time to delete an item. */
const isDue = sql`purge_at <= now() and status in (${lost})`

async function purgeEach(jobs: JobsDatabase, which: SQL, isOver = (): boolean => false): Promise<number> {
  const [due] = await batch(jobs, [rows<{ id: string; user_id: string; plaid_item_id: string }>(jobs, which)])
  let purged = 0
  for (const { id, user_id: userId, plaid_item_id: plaidItemId } of due.rows) {
    if (isOver()) break
    // Not yet told where the removal at Plaid waits.
    await tellRemoval(jobs, plaidItemId)
    await purgeOne(jobs, id, userId)
    purged += 1
  }
  return purged
}

/** Deletes one removed item whose time has come. An item that was linked again meanwhile stays. */
async function purgeOne(jobs: JobsDatabase, id: string, userId: string): Promise<void> {
  const doomed = sql`select id from items where id = ${id} and user_id = ${userId} and ${isDue}`
  const isDoomed = sql`exists (${doomed})`
  await longBatch(jobs, [
    plan(jobs, byIndex),
    rows(jobs, sql`${doomed} for update`),
    rows(jobs, sql`select 1 from users where id = ${userId} for no key update`),
    // Transactions that were visible until now get new change numbers, so that the feed lists them as removed.
    rows(jobs, sql`select app.renumber_item(id) from items where id in (${doomed}) and removed_at is null`),
    insertTombstones(jobs, sql`item_id = ${id} and ${isDoomed}`),
    trimTombstones(jobs, sql`select user_id from (${doomed}) doomed join items using (id)`),
    rows(
      jobs,
      sql`delete from dead_letters where ${isDoomed}
        and item_product_id = any(array(select p.id from item_products p where p.item_id = ${id}))`,
    ),
    // While the exchanges still say which of Plaid's items the row has stood for.
    rows(jobs, sql`select app.forget_webhooks(id) from (${doomed}) doomed`),
    rows(jobs, sql`delete from link_sessions where item_id = ${id} and ${isDoomed}`),
    rows(jobs, sql`delete from link_exchanges where item_id = ${id} and ${isDoomed}`),
    rows(jobs, sql`delete from items where id in (${doomed})`),
    rows(
      jobs,
      sql`delete from securities s where user_id = ${userId} and ${unnamed('holdings')} and ${unnamed('holding_days')}
        and ${unnamed('investment_transactions')}`,
    ),
  ])
}

/** No row of the table names the security `s`. `limit` keeps the planner from joining the whole table. */
const unnamed = (table: string): SQL => sql`(select 1 from ${sql.raw(table)} where security_id = s.id limit 1) is null`

/** Deletes revoked accounts with their transactions, users in turn, `keepDays` after Plaid reported the revocation. */
export async function purgeRevokedAccounts(jobs: JobsDatabase, keepDays: number, limit: number): Promise<number> {
  const doomed = sql`any(array(select id from (
      select id, revoked_at, row_number() over (partition by user_id order by revoked_at, id) as turn from accounts
      where revoked_at < now() - make_interval(days => ${keepDays})
    ) due order by turn, revoked_at, id limit ${limit}))`
  const [, , , , , deleted] = await longBatch(jobs, [
    plan(jobs, byIndex),
    // Whoever locks more than one row of an item takes the item's first.
    rows(
      jobs,
      sql`select 1 from items where id in (select item_id from accounts where id = ${doomed}) order by id for no key update`,
    ),
    insertTombstones(jobs, sql`account_id = ${doomed}`),
    trimTombstones(jobs, sql`select user_id from accounts where id = ${doomed}`),
    rows(
      jobs,
      sql`delete from set_aside_rows s using accounts a where a.id = ${doomed} and s.item_id = a.item_id and s.plaid_account_id = a.plaid_account_id`,
    ),
    rows(jobs, sql`delete from accounts where id = ${doomed} returning id`),
  ])
  return deleted.rows.length
}
