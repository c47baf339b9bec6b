// Users who have not come for about two years: who gets a notice, and whose erasure begins.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { LOCAL_ISSUER } from '../../auth/access-token.ts'
import { type AuditRow, recordAudit } from '../audit/record.ts'
import { batch, execute, type IdentityDatabase, type JobsDatabase } from '../core/client.ts'
import { bigCount, command, idRow, query } from '../core/statement.ts'
import { ask } from '../identity/credentials.ts'

/** `app.erase_absent` demands the same. */
export const absenceDays = 730
const noticeDays = 30
/** Days without a visit after which a user gets a notice. */
const noticeAfterDays = absenceDays - noticeDays

const today = sql`(now() at time zone 'UTC')::date`

const madeRow = z.object({ made: z.number() })

/**
 * Makes the users of built-in accounts that were never used, with their last sign-in as the visit, so that the rule
 * reaches them. Returns how many, `limit` at most.
 */
export async function noteUnusedAccounts(jobs: JobsDatabase, limit: number): Promise<number> {
  const { noted } = await batch(jobs, {
    noted: query(
      madeRow,
      sql`select app.note_unused_accounts(${LOCAL_ISSUER}, ${noticeAfterDays}::integer, ${limit}::integer) as made`,
    ),
  })
  return noted[0]?.made ?? 0
}

const absentRow = z.object({ user_id: z.string(), issuer: z.string(), subject: z.string() })
export type AbsentUser = z.output<typeof absentRow>

/** The next users, in the order of their ids, who need a notice. */
export async function listToNotify(
  jobs: JobsDatabase,
  after: string | null,
  limit: number,
): Promise<readonly AbsentUser[]> {
  const { found } = await batch(jobs, {
    found: query(
      absentRow,
      sql`select v.user_id, u.issuer, u.subject from user_visits v join users u on u.id = v.user_id
        where v.seen_on < ${today} - ${noticeAfterDays}::integer and v.noticed_at is null
          and ${after === null ? sql`true` : sql`v.user_id > ${after}::uuid`}
        order by v.user_id limit ${limit}`,
    ),
  })
  return found
}

/** Notes that a user was notified, unless they came meanwhile. */
export async function noteNotified(jobs: JobsDatabase, userId: string): Promise<void> {
  await execute(jobs, [
    command(sql`update user_visits set noticed_at = now() where user_id = ${userId} and noticed_at is null
      and seen_on < ${today} - ${noticeAfterDays}::integer`),
  ])
}

const isDue = sql`v.seen_on < ${today} - ${absenceDays}::integer
  and v.noticed_at < now() - make_interval(days => ${noticeDays})
  and not exists (select 1 from erasures e where e.user_id = v.user_id)`

/** Users whose erasure is due. */
export async function listAbsent(jobs: JobsDatabase, limit: number): Promise<readonly string[]> {
  const { found } = await batch(jobs, {
    found: query(
      idRow,
      sql`select v.user_id as id from user_visits v where ${isDue} order by v.seen_on limit ${limit}`,
    ),
  })
  return found
}

const countRow = z.object({ count: bigCount })

/** How many there are, `limit` at most. */
export async function countAbsent(jobs: JobsDatabase, limit: number): Promise<number> {
  const { found } = await batch(jobs, {
    found: query(
      countRow,
      sql`select count(*) as count from (select from user_visits v where ${isDue} limit ${limit}) d`,
    ),
  })
  return found[0]?.count ?? 0
}

const begunRow = z.object({ id: z.string().nullable() })

/** Begins the erasure of an absent user. Returns whether it has begun: not if they came meanwhile. */
export async function beginAbsentErasure(
  jobs: JobsDatabase,
  userId: string,
  newId: string,
  audit: AuditRow,
): Promise<boolean> {
  const { begun } = await batch(jobs, {
    begun: query(begunRow, sql`select app.erase_absent(${userId}, ${newId}) as id`),
    audited: recordAudit(audit, sql`exists (select 1 from erasures where id = ${newId})`),
  })
  return begun[0]?.id === newId
}

const addressRow = z.object({ email: z.string().nullable() })

/** The address of a built-in account; null where there is none. */
export async function addressOf(database: IdentityDatabase, accountId: string): Promise<string | null> {
  const [found] = await ask(database, addressRow, sql`select identity.address_of(${accountId}::uuid) as email`)
  return found?.email ?? null
}
