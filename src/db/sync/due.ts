// The products that the sweep enqueues because they are dirty and due, and those that it marks because they were not
// read for long. All functions use the jobs' login; times are the database's.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, type JobsDatabase } from '../core/client.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import { idRow, query } from '../core/statement.ts'
import { askedAgain, mayRun } from './work.ts'

async function ids(jobs: JobsDatabase, statement: SQL): Promise<readonly string[]> {
  const { found } = await batch(jobs, {
    planned: plan(inIndexOrder),
    found: query(idRow, statement),
  })
  return found
}

export interface Claim {
  readonly ids: readonly string[]
  /** When the claimed rows become due again, in PostgreSQL's text form. */
  readonly until: string
}

// A claim lists its products as an array, `= any(array(…))`, and reads an item in a subquery, so that each row is found
// by its primary key. With `in` or a join, PostgreSQL may compare every product with every item if its statistics show
// an empty table.

/** How many times a claim's size is read, longest due first, to take users in turn. */
const turnsAmong = 4

const claimRow = z.object({ id: z.string(), until: z.string() })

/** Whether a product `d` is dirty and due, not leased, without a message in the queue, and may be read. */
export const isDue = sql`d.dirty_seq > d.synced_seq and not d.is_stopped and d.next_attempt_at <= now()
  and (d.lease_expires_at is null or d.lease_expires_at < now())
  and (d.woken_until is null or d.woken_until < now())
  and (select i.removed_at is null and ${mayRun('d', 'i')} from items i where i.id = d.item_id)`

/**
 * Claims dirty rows that are due, not leased and without a message in the queue: every user's first before any user's
 * second. A claimed row is due again after `againSeconds`, so that the next sweep does not enqueue it while its message
 * is in the queue. Ends the rest of a refused product, after about a week.
 */
export async function claimDue(jobs: JobsDatabase, limit: number, againSeconds: number): Promise<Claim> {
  const oldest = sql`select d.id, d.user_id, d.next_attempt_at from item_products d
    where ${isDue} order by d.next_attempt_at limit ${turnsAmong * limit}`
  const { claimed } = await batch(jobs, {
    claimed: query(
      claimRow,
      sql`update item_products p set next_attempt_at = now() + make_interval(secs => ${againSeconds}),
        ${askedAgain('p')}
        where p.id = any(array(
          select d.id from item_products d
          where ${isDue} and d.id = any(array(
            select id from (
              select *, row_number() over (partition by user_id order by next_attempt_at) as turn
                from (${oldest}) oldest
            ) waiting order by turn, next_attempt_at limit ${limit}))
          for no key update of d skip locked
        )) returning p.id, p.next_attempt_at::text as until`,
    ),
  })
  return { ids: claimed.map(({ id }) => id), until: claimed[0]?.until ?? '' }
}

/** Makes claimed rows due again now, except those that changed since the claim. Returns how many. */
export async function releaseDue(jobs: JobsDatabase, { until }: Claim, ids_: readonly string[]): Promise<number> {
  if (ids_.length === 0) return 0
  const released = await ids(
    jobs,
    sql`update item_products p set next_attempt_at = now()
      where p.id = any(array(
        select c.id from item_products c where c.id = any(${sql.param(ids_)}::uuid[])
          and c.next_attempt_at = ${until}::timestamptz and c.dirty_seq > c.synced_seq
        for no key update of c skip locked
      )) returning p.id`,
  )
  return released.length
}

/**
 * Marks at most `limit` clean rows of a product as dirty that were not read for `olderThanSeconds`. They become due at
 * random times within `spreadSeconds`.
 */
export async function markStale(
  jobs: JobsDatabase,
  product: string,
  options: { olderThanSeconds: number; spreadSeconds: number; limit: number },
): Promise<number> {
  const marked = await ids(
    jobs,
    sql`update item_products p set dirty_seq = dirty_seq + 1,
        next_attempt_at = now() + random() * make_interval(secs => ${options.spreadSeconds})
      where p.id = any(array(
        select s.id from item_products s
        where s.product = ${product} and not s.is_stopped and s.dirty_seq = s.synced_seq
          and s.last_synced_at < now() - make_interval(secs => ${options.olderThanSeconds})
          and (select i.removed_at is null and ${mayRun('s', 'i')} from items i where i.id = s.item_id)
        order by s.last_synced_at limit ${options.limit} for no key update of s skip locked
      )) returning p.id`,
  )
  return marked.length
}
