// The order in which due rows of many users are claimed.
import { type SQL, sql } from 'drizzle-orm'

/**
 * The ids of at most `limit` due rows, locked: the first due row of every user before the second of any, so that one
 * user's many rows do not delay the others. `due` is checked again under the lock.
 */
export function idsInTurns(table: string, due: SQL, dueAt: string, limit: number): SQL {
  const [from, at] = [sql.raw(table), sql.raw(dueAt)]
  return sql`select id from ${from} where ${due} and id in (
      select id from (
        select id, ${at}, row_number() over (partition by user_id order by ${at}) as turn from ${from} where ${due}
      ) waiting order by turn, ${at} limit ${limit}
    ) for no key update skip locked`
}
