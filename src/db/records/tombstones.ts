// The removals of deleted transactions in the change feed: per user, as many as a client may be behind.
import { type SQL, sql } from 'drizzle-orm'
import { command } from '../core/statement.ts'

/** Some forty banks' worth. A client that is further behind begins again. */
const keptRemovals = 50_000

/** Leaves a removal of each transaction that `which` names, at the change number that it has. */
export const insertTombstones = (which: SQL) =>
  command(sql`insert into transaction_tombstones (user_id, change_seq, transaction_id)
      select user_id, change_seq, id from transactions where ${which}`)

/** Deletes the oldest removals of the users of `owned`, a table with `user_id`, and remembers up to which number. */
export const trimTombstones = (owned: SQL) =>
  command(
    sql`select app.trim_tombstones(user_id, ${keptRemovals}) from (select distinct user_id from (${owned}) owned
      order by user_id) trimmed`,
  )
