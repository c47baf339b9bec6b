// The users whose items at Plaid are compared with the stored ones once a day (src/link/check-users.ts).
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, execute, type JobsDatabase } from '../core/client.ts'
import { bigCount, command, query } from '../core/statement.ts'

export interface UserToCheck {
  readonly userId: string
  readonly plaidUserId: string
}

const userRow = z.object({ id: z.string(), plaid_user_id: z.string() })

/** Whether a user's items at Plaid were not compared with the stored ones for a day. */
const isUnchecked = sql`plaid_user_id is not null
  and (plaid_items_checked_at is null or plaid_items_checked_at < now() - interval '1 day')`

const uncheckedRow = z.object({ count: bigCount })

/** How many such users there are, counted up to `most`. */
export const countUnchecked = (most: number) =>
  query(
    uncheckedRow,
    sql`select count(*) as count from (select 1 from users where ${isUnchecked} limit ${most}) as found`,
  )

/** Claims users whose items at Plaid were not compared with the stored ones for a day. */
export async function claimUsersToCheck(jobs: JobsDatabase, limit: number): Promise<UserToCheck[]> {
  const { claimed } = await batch(jobs, {
    claimed: query(
      userRow,
      sql`update users set plaid_items_checked_at = now() where id in (
          select id from users where ${isUnchecked}
          order by plaid_items_checked_at nulls first limit ${limit} for no key update skip locked)
        returning id, plaid_user_id`,
    ),
  })
  return claimed.map((row) => ({ userId: row.id, plaidUserId: row.plaid_user_id }))
}

/** Those of the users that Plaid knows, with Plaid's id. */
export async function findUsersToCheck(jobs: JobsDatabase, ids: readonly string[]): Promise<UserToCheck[]> {
  const { found } = await batch(jobs, {
    found: query(
      userRow,
      sql`select id, plaid_user_id from users where id = any(${sql.param(ids)}::uuid[]) and plaid_user_id is not null`,
    ),
  })
  return found.map((row) => ({ userId: row.id, plaidUserId: row.plaid_user_id }))
}

/** Postpones users whose comparison failed. The next attempt is after `afterSeconds`, less than a day. */
export async function recheckUsers(jobs: JobsDatabase, ids: readonly string[], afterSeconds: number): Promise<void> {
  await execute(jobs, [
    command(sql`update users set plaid_items_checked_at = now() - interval '1 day' + make_interval(secs =>
      ${afterSeconds})
        where id = any(${sql.param(ids)}::uuid[])`),
  ])
}
