// Erasures of users: begun, continued table by table, completed. A row stays as the tombstone of the person.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recordAudit } from '../audit/record.ts'
import type { Identity } from '../core/scope.ts'
import { batch, execute, type IdentityDatabase, type JobsDatabase } from '../core/client.ts'
import { refuseWhen, sqlState, sqlStateOf } from '../core/sql-state.ts'
import { bigCount, command, idRow, query } from '../core/statement.ts'
import { ask } from '../identity/credentials.ts'

/** Tables whose rows are deleted at once, in this order: rows before those that they name. */
export const erasedTables = [
  'api_keys',
  'idempotent_requests',
  'dead_letters',
  'sync_staging',
  'investment_staging',
  'transactions',
  'investment_transactions',
  'account_balances',
  'holding_days',
  'holdings',
  'liabilities',
  'recurring_streams',
  'set_aside_rows',
  'transaction_tombstones',
  'securities',
  'sync_runs',
  'webhook_events',
  'accounts',
  'consents',
  'webhook_deliveries',
  'webhook_endpoints',
] as const
/** Tables whose rows are needed until Plaid has confirmed the removal of every item. */
export const lastErasedTables = ['link_sessions', 'link_exchanges', 'items'] as const

type ErasedTable = (typeof erasedTables)[number] | (typeof lastErasedTables)[number]

const counts = z.record(z.string(), z.coerce.number())
export type Counts = z.output<typeof counts>

const erasureRow = z
  .object({
    id: z.string(),
    subject_hash: z.string(),
    requested_at: z.coerce.date(),
    completed_at: z.coerce.date().nullable(),
    certificate: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    subjectHash: row.subject_hash,
    requestedAt: row.requested_at,
    completedAt: row.completed_at,
    certificate: row.certificate,
  }))
export type Erasure = z.output<typeof erasureRow>

const columns = sql.raw('e.id, e.subject_hash, e.requested_at, e.completed_at, e.certificate')

/** Whether an erasure `e` is the person's, and their token was not issued after it. */
const isOf = ({ issuer, subject, issuedAt }: Identity): SQL =>
  sql`e.subject_hash = app.subject_hash(${issuer}, ${subject})
    and (e.completed_at is null or ${issuedAt?.toISOString() ?? '-infinity'}::timestamptz
      <= e.requested_at + interval '1 minute')`

/**
 * Does nothing unless the person of the token was erased.
 * @throws AppError with `sqlState.erased`
 */
export async function refuseErased(jobs: JobsDatabase, identity: Identity): Promise<void> {
  const isErased = sql`exists (select 1 from erasures e where ${isOf(identity)})`
  await execute(jobs, [command(sql`select ${refuseWhen(isErased, sqlState.erased)}`)])
}

/** The last erasure of a person, unless their token was issued after it. */
export async function findErasureOf(jobs: JobsDatabase, identity: Identity): Promise<Erasure | null> {
  const { found } = await batch(jobs, {
    found: query(
      erasureRow,
      sql`select ${columns} from erasures e where ${isOf(identity)} order by e.requested_at desc limit 1`,
    ),
  })
  return found[0] ?? null
}

export async function getErasure(jobs: JobsDatabase, id: string): Promise<Erasure | null> {
  const { found } = await batch(jobs, {
    found: query(erasureRow, sql`select ${columns} from erasures e where e.id = ${id}`),
  })
  return found[0] ?? null
}

/** Begins the erasure of a user, whose tokens are refused from then on. Returns its id, also if it has begun before. */
export async function beginErasure(
  jobs: JobsDatabase,
  userId: string,
  newId: string,
  audit: AuditRow,
): Promise<string> {
  const { begun } = await batch(jobs, {
    begun: query(idRow, sql`select app.begin_erasure(${userId}, ${newId}) as id`),
    // A repeated request begins nothing.
    audited: recordAudit(audit, sql`exists (select 1 from erasures where id = ${newId})`),
  })
  const [id] = begun
  if (id === undefined) throw new TypeError('app.begin_erasure returned no erasure')
  return id
}

const openRow = z.object({
  user_id: z.string(),
  issuer: z.string(),
  subject: z.string(),
  plaid_user_id: z.string().nullable(),
  plaid_user_removed: z.boolean(),
})
export type OpenErasure = z.output<typeof openRow>

const itemRow = z
  .object({ id: z.string(), user_id: z.string(), plaid_item_id: z.string() })
  .transform((row) => ({ id: row.id, userId: row.user_id, plaidItemId: row.plaid_item_id }))
const removalRow = z.object({ plaid_item_id: z.string() }).transform((row) => row.plaid_item_id)
const progressRow = z.object({ exchanges: bigCount, removals: bigCount, deleted: counts })

/** An erasure in progress, with the items that are not hidden yet; null when it is complete. */
export async function openErasure(jobs: JobsDatabase, id: string) {
  const { erasure, items } = await batch(jobs, {
    erasure: query(
      openRow,
      sql`select e.user_id, u.issuer, u.subject, u.plaid_user_id, e.plaid_user_removed
        from erasures e join users u on u.id = e.user_id where e.id = ${id} and e.completed_at is null`,
    ),
    items: query(
      itemRow,
      sql`select i.id, i.user_id, i.plaid_item_id from items i join erasures e on e.user_id = i.user_id
        where e.id = ${id} and i.status <> 'removed'`,
    ),
  })
  const [found] = erasure
  return found === undefined ? null : { ...found, items }
}

/** Plaid's ids of the user's items whose removal Plaid has not confirmed. */
export async function listRemovals(jobs: JobsDatabase, userId: string): Promise<readonly string[]> {
  const { found } = await batch(jobs, {
    found: query(removalRow, sql`select plaid_item_id from plaid_removals where user_id = ${userId}`),
  })
  return found
}

const countRow = z.object({ count: bigCount })

/** Deletes a portion of a table's rows that concern the user. Returns how many. */
export async function eraseRows(jobs: JobsDatabase, id: string, table: ErasedTable, limit: number): Promise<number> {
  const { erased } = await batch(jobs, {
    erased: query(countRow, sql`select app.erase_rows(${id}, ${table}, ${limit}::integer) as count`),
  })
  return erased[0]?.count ?? 0
}

/** Ends removals at Plaid that cannot be carried out. Returns how many. */
export async function giveUpRemovals(jobs: JobsDatabase, id: string): Promise<number> {
  const { ended } = await batch(jobs, { ended: query(countRow, sql`select app.give_up_removals(${id}) as count`) })
  return ended[0]?.count ?? 0
}

export async function notePlaidUserRemoved(jobs: JobsDatabase, id: string): Promise<void> {
  await execute(jobs, [command(sql`update erasures set plaid_user_removed = true where id = ${id}`)])
}

/** What an erasure in progress waits for, and what it has deleted. */
export async function erasureProgress(jobs: JobsDatabase, id: string): Promise<z.output<typeof progressRow> | null> {
  const { progress } = await batch(jobs, {
    progress: query(
      progressRow,
      sql`select e.deleted,
          (select count(*) from link_exchanges x where x.user_id = e.user_id) as exchanges,
          (select count(*) from plaid_removals r where r.user_id = e.user_id) as removals
        from erasures e where e.id = ${id} and e.completed_at is null`,
    ),
  })
  return progress[0] ?? null
}

const foreignKeyViolation = '23503'
const doneRow = z.object({ done: z.boolean() })

/** Deletes the user and completes the erasure; false while rows are left or the counts have changed. */
export async function finishErasure(
  jobs: JobsDatabase,
  id: string,
  given: { readonly deleted: Counts; readonly certificate: string; readonly completedAt: Date },
): Promise<boolean> {
  try {
    const { finished } = await batch(jobs, {
      finished: query(
        doneRow,
        sql`select app.finish_erasure(${id}, ${JSON.stringify(given.deleted)}::jsonb, ${given.certificate},
          ${given.completedAt.toISOString()}::timestamptz) as done`,
      ),
    })
    return finished[0]?.done === true
  } catch (error) {
    // A run that was on its way has written a row meanwhile.
    if (sqlStateOf(error) === foreignKeyViolation) return false
    throw error
  }
}

/** Adds to the counts of an erasure. */
export async function addCounts(jobs: JobsDatabase, id: string, more: Counts): Promise<void> {
  await execute(jobs, [
    command(sql`update erasures set deleted = deleted || ${JSON.stringify(more)}::jsonb where id = ${id}`),
  ])
}

/** Claims erasures in progress that are due. Each claim puts off the next one, for longer each time. */
export async function claimErasures(jobs: JobsDatabase, limit: number): Promise<readonly string[]> {
  const { claimed } = await batch(jobs, {
    claimed: query(
      idRow,
      sql`update erasures set attempts = attempts + 1,
          next_attempt_at = now() + least(interval '6 hours', interval '2 minutes' * 2 ^ least(attempts, 10))
        where id in (select id from erasures where completed_at is null and next_attempt_at <= now()
          order by next_attempt_at limit ${limit} for no key update skip locked) returning id`,
    ),
  })
  return claimed
}

const accountRow = z.object({ email: z.string(), deleted: counts })

/** Deletes a built-in account; null where there is none. */
export async function eraseAccount(
  database: IdentityDatabase,
  accountId: string,
): Promise<z.output<typeof accountRow> | null> {
  const [erased] = await ask(
    database,
    accountRow,
    sql`select email, deleted from identity.erase_account(${accountId}::uuid)`,
  )
  return erased ?? null
}
