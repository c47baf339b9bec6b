// The unit of sync, a row of `item_products`: marks it dirty, acquires and renews its lease. All functions
// use the jobs' login; times are the database's.
import { type AuditRow, recordAudit } from '../audit/record.ts'
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { lostStatuses, stoppedStatuses } from '../../item-status.ts'
import { batch, type JobsDatabase } from '../core/client.ts'
import { idRow, query } from '../core/statement.ts'

/**
 * Longer than a call of Plaid can take (90 s), so that a holder that renews before each call cannot lose the lease
 * while waiting.
 */
const leaseSeconds = 120

const quoted = (statuses: readonly string[]) => sql.raw(statuses.map((status) => `'${status}'`).join(', '))
/** The statuses of src/item-status.ts in which background calls stop, as an SQL list. */
export const stopped = quoted(stoppedStatuses)
/** The statuses that only a new link ends. */
export const lost = quoted(lostStatuses)
/**
 * Whether a product may be read, by its item's status and what its user allows (src/privacy/purposes.ts). The column
 * `is_stopped` has the first half, for the indexes.
 */
export const mayRun = (product: string, item: string) =>
  sql`((${sql.raw(item)}.status not in (${stopped}) or ${sql.raw(product)}.product = 'item'
    and ${sql.raw(item)}.status not in (${lost}))
    and (select not ('linking_and_sync' = any(u.not_allowed)) from users u where u.id = ${sql.raw(item)}.user_id))`

/** Statuses of a product that Plaid refused. It rests until it is marked dirty, or for a time. */
const restingStatuses = "('absent', 'consent_needed')"
export const isResting = (product: string): SQL => sql.raw(`${product}.status in ${restingStatuses}`)
/**
 * Whether an item `i` waits for the first transactions of its link: none were stored yet, and Plaid has not refused
 * them.
 */
export const awaitsTransactions = sql.raw(`exists (select 1 from item_products p where p.item_id = i.id
  and p.product = 'transactions' and p.cursor is null and p.status not in ${restingStatuses})`)
/** An assignment that ends the rest of a product that is marked dirty; `product` is the table or its alias. */
export const askedAgain = (product: string): SQL =>
  sql.raw(`status = case when ${product}.status in ${restingStatuses} then 'pending' else ${product}.status end`)

export interface Lease {
  /** The lease's owner token and the run's id. */
  readonly runId: string
  readonly itemProductId: string
  readonly itemId: string
  readonly userId: string
  readonly product: string
  readonly cursor: string | null
  /** The value of `dirty_seq` when the lease was acquired. A commit clears only changes up to it. */
  readonly dirtySeq: number
  readonly attempts: number
  /** How many consecutive times Plaid has refused the product. */
  readonly refusals: number
  /** Whether the product was ever read. */
  readonly wasRead: boolean
  /** Whether earlier runs set rows of the product aside. */
  readonly hasSetAside: boolean
  readonly sealedToken: string
  /** Whether the audit trail has today's use of the access token (src/audit/token-use.ts). */
  readonly isUseRecorded: boolean
  /** How many times a new Plaid item replaced this one (`items.link_epoch`). */
  readonly linkEpoch: number
  readonly institutionId: string | null
  /** Plaid's ids of the item's stored accounts. */
  readonly accountIds: readonly string[]
  readonly startedAt: string
}

export type LeaseResult =
  | { readonly kind: 'taken'; readonly lease: Lease }
  /** `early`: a retry whose product was postponed by a later run. */
  | { readonly kind: 'busy' | 'clean' | 'early' | 'stopped' | 'gone' }

const leaseRow = z.object({
  is_taken: z.boolean(),
  item_id: z.string(),
  user_id: z.string(),
  product: z.string(),
  cursor: z.string().nullable(),
  dirty_seq: z.string(),
  attempts: z.number(),
  refusals: z.number(),
  was_read: z.boolean(),
  has_set_aside: z.boolean(),
  access_token_sealed: z.string(),
  is_use_recorded: z.boolean(),
  link_epoch: z.number(),
  institution_id: z.string().nullable(),
  account_ids: z.array(z.string()),
  started_at: z.string(),
})
type LeaseRow = z.output<typeof leaseRow>

/** How many seconds before its product is due a retry may start: two clocks measure its delay. */
const earlySeconds = 2

const stateRow = z.object({ busy: z.boolean(), dirty: z.boolean(), early: z.boolean() })

/**
 * Acquires the lease of a product that is dirty and not leased, unless its item waits for the user. Always
 * clears the mark of the message in the queue. A retry also needs a product that is due: each failure postpones it,
 * so that of several messages' retries only the latest finds work.
 */
export async function acquireLease(
  jobs: JobsDatabase,
  itemProductId: string,
  runId: string,
  isRetry = false,
): Promise<LeaseResult> {
  const isEarly = sql`(${isRetry} and p.next_attempt_at > now() + make_interval(secs => ${earlySeconds}))`
  const isFree = sql`(i.removed_at is null and p.dirty_seq > p.synced_seq and not ${isResting('p')} and not ${isEarly}
    and (p.lease_expires_at is null or p.lease_expires_at < now()) and ${mayRun('p', 'i')})`
  const { taken, state } = await batch(jobs, {
    // One statement: it sees a dirty mark that is set now, or the setter sees that no message is in the queue.
    taken: query(
      leaseRow,
      sql`update item_products p set lease_owner = case when ${isFree} then ${runId}::uuid else p.lease_owner end,
          woken_until = case when ${isEarly} then p.woken_until end,
          lease_expires_at = case when ${isFree} then now() + make_interval(secs => ${leaseSeconds})
            else p.lease_expires_at end
        from items i
        where p.id = ${itemProductId} and i.id = p.item_id and (${isFree} or p.woken_until is not null
          and not ${isEarly})
        returning p.lease_owner is not distinct from ${runId}::uuid as is_taken, p.item_id, p.user_id, p.product,
          p.cursor, p.dirty_seq, p.attempts, p.refusals,
          p.last_synced_at is not null as was_read,
          exists (select 1 from set_aside_rows r where r.item_id = p.item_id
            and r.product = p.product) as has_set_aside,
          i.access_token_sealed,
          exists (select 1 from audit_log l where l.target_id = i.id::text and l.action = 'token_used'
            and l.at >= date_trunc('day', now(), 'UTC')) as is_use_recorded, i.link_epoch, i.institution_id,
              now() as started_at,
          to_jsonb(array(select a.plaid_account_id from accounts a where a.item_id = i.id)) as account_ids`,
    ),
    state: query(
      stateRow,
      sql`select ${isEarly} as early, coalesce(p.lease_expires_at >= now(), false) as busy, p.dirty_seq > p.synced_seq
        and not ${isResting('p')} as dirty
        from item_products p join items i on i.id = p.item_id where p.id = ${itemProductId} and i.removed_at is null`,
    ),
  })
  const row = taken[0]
  if (row?.is_taken === true) return { kind: 'taken', lease: leaseOf(row, itemProductId, runId) }
  const now = state[0]
  if (now === undefined) return { kind: 'gone' }
  if (!now.dirty) return { kind: 'clean' }
  if (now.busy) return { kind: 'busy' }
  return { kind: now.early ? 'early' : 'stopped' }
}

function leaseOf(row: LeaseRow, itemProductId: string, runId: string): Lease {
  return {
    runId,
    itemProductId,
    itemId: row.item_id,
    userId: row.user_id,
    product: row.product,
    cursor: row.cursor,
    dirtySeq: Number(row.dirty_seq),
    attempts: row.attempts,
    refusals: row.refusals,
    wasRead: row.was_read,
    hasSetAside: row.has_set_aside,
    sealedToken: row.access_token_sealed,
    isUseRecorded: row.is_use_recorded,
    linkEpoch: row.link_epoch,
    institutionId: row.institution_id,
    accountIds: row.account_ids,
    startedAt: row.started_at,
  }
}

/** Extends the lease by two minutes; false if another run holds it. */
export async function renewLease(jobs: JobsDatabase, lease: Lease): Promise<boolean> {
  const { renewed } = await batch(jobs, {
    renewed: renewal(lease),
  })
  return renewed.length > 0
}

/** The renewal as a statement, for a batch with others. */
export function renewal(lease: Lease) {
  return query(
    idRow,
    sql`update item_products set lease_expires_at = now() + make_interval(secs => ${leaseSeconds})
      where id = ${lease.itemProductId} and lease_owner = ${lease.runId} returning id`,
  )
}

/**
 * Assignments that mark a product to be read again from the start: rows that Plaid does not send then are removed,
 * edits stay. A current run cannot commit, because it loses its lease.
 */
export const fromTheStart = sql`cursor = null, dirty_seq = dirty_seq + 1, next_attempt_at = now(), lease_owner = null,
  lease_expires_at = null`

/**
 * Marks all products of an item to be read again from the start. Returns the products' ids; null if there is no such
 * item.
 */
export async function restartItem(
  jobs: JobsDatabase,
  itemId: string,
  audit: AuditRow,
): Promise<readonly string[] | null> {
  const { known, restarted } = await batch(jobs, {
    known: query(idRow, sql`select id from items where id = ${itemId} and removed_at is null for no key update`),
    recorded: recordAudit(audit, sql`exists (select 1 from items where id = ${itemId} and removed_at is null)`),
    restarted: query(
      idRow,
      sql`update item_products p set ${fromTheStart}, ${askedAgain('p')}
        from items i where i.id = ${itemId} and p.item_id = i.id and i.removed_at is null returning p.id`,
    ),
  })
  return known.length === 0 ? null : restarted
}
