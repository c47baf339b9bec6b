// Removals of deleted transactions in the change feed. A limited number is kept for each user.
import { type SQL, sql } from 'drizzle-orm'
import { command } from '../core/statement.ts'

/** About the transactions of forty banks. A client that is further behind must start again. */
export const keptRemovals = 50_000

/** Inserts a removal for each transaction of `which`, at its change number. */
export const insertTombstones = (which: SQL) =>
  command(sql`insert into transaction_tombstones (user_id, change_seq, transaction_id)
      select user_id, change_seq, id from transactions where ${which}`)

/** Deletes the oldest removals of the users in `owned`, a table with `user_id`, and stores up to which number. */
export const trimTombstones = (owned: SQL) =>
  command(
    sql`select app.trim_tombstones(user_id, ${keptRemovals}) from (select distinct user_id from (${owned}) owned
      order by user_id) trimmed`,
  )
