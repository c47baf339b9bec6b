// The queue of items to remove at Plaid. A row exists from the decision until Plaid has confirmed the removal, because
// Plaid bills until then.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { execute, batch, type JobsDatabase } from '../core/client.ts'
import type { TokenTable } from '../../custody/access-token.ts'
import { rotatingMinutes } from './rotations.ts'
import { duringFreeze } from '../operations/freeze.ts'
import { type Replacement, replacementArrays } from '../operations/sealed-values.ts'
import { lost } from '../sync/work.ts'
import { idsInTurns } from '../core/turns.ts'
import { command, query } from '../core/statement.ts'

/** Why an item is removed at Plaid. */
export const removalReasons = [
  'removed',
  'revoked',
  'duplicate',
  'replaced',
  'not_stored',
  'token_lost',
  'orphan',
] as const

export interface Removal {
  readonly id: string
  readonly userId: string
  readonly plaidItemId: string
  /** Null for an item whose token was lost. */
  readonly token: { readonly sealed: string; readonly itemId: string; readonly table: TokenTable } | null
  /** Plaid's id of the user, if known. */
  readonly plaidUserId: string | null
  readonly reason: string
  readonly attempts: number
}

export const queuedRemoval = z
  .object({
    id: z.string(),
    user_id: z.string(),
    plaid_item_id: z.string(),
    item_id: z.string().nullable(),
    access_token_sealed: z.string().nullable(),
    token_of_item: z.string().nullable(),
    plaid_user_id: z.string().nullable(),
    reason: z.string(),
    attempts: z.number(),
  })
  .transform((row): Removal => {
    const { item_id: itemId, token_of_item: ofItem, access_token_sealed: ownToken } = row
    // The item's current token: it may have been rotated since the removal was queued.
    const sealed = ofItem ?? ownToken
    const table = ofItem === null ? 'plaid_removals' : 'items'
    return {
      id: row.id,
      userId: row.user_id,
      plaidItemId: row.plaid_item_id,
      token: sealed === null || itemId === null ? null : { sealed, itemId, table },
      plaidUserId: row.plaid_user_id,
      reason: row.reason,
      attempts: row.attempts,
    }
  })

export const removalColumns = sql.raw(
  `r.id, r.user_id, r.plaid_item_id, r.item_id, u.plaid_user_id, r.reason, r.attempts, r.access_token_sealed,
    (select nullif(i.access_token_sealed, '') from items i
      where i.id = r.item_id and i.plaid_item_id = r.plaid_item_id) as token_of_item`,
)

/** The item was linked after all: its exchange was still running. */
export const isClaimed = sql`exists (select 1 from items i where i.plaid_item_id = r.plaid_item_id
  and i.status not in (${lost}))`
export const isBeingLinked = sql`exists (select 1 from link_exchanges x where x.plaid_item_id = r.plaid_item_id
  and x.state = 'exchanged')`
/** While the access token is being rotated, it is unknown which token removes the item. */
const isRotating = sql`exists (select 1 from items i where i.plaid_item_id = r.plaid_item_id
  and i.rotation_started_at > now() - make_interval(mins => ${rotatingMinutes}))`

async function claim(jobs: JobsDatabase, which: SQL): Promise<readonly Removal[]> {
  const { claimed } = await batch(jobs, {
    claimed: query(
      queuedRemoval,
      sql`update plaid_removals r set attempts = r.attempts + 1,
          next_attempt_at = now() + least(interval '6 hours', interval '5 minutes' * 2 ^ least(r.attempts, 10))
        from users u where u.id = r.user_id and r.id in (${which}) and not ${isRotating} returning ${removalColumns}`,
    ),
  })
  return claimed
}

/**
 * Claims due removals, except orphans (src/db/link/orphans.ts). Each claim postpones the next one, longer each time.
 */
export async function claimRemovals(jobs: JobsDatabase, limit: number): Promise<readonly Removal[]> {
  return await claim(
    jobs,
    idsInTurns('plaid_removals', sql`next_attempt_at <= now() and reason <> 'orphan'`, 'next_attempt_at', limit),
  )
}

/** Makes removals that were claimed and not attempted due again. The claim does not count as an attempt. */
export async function releaseRemovals(jobs: JobsDatabase, ids: readonly string[]): Promise<void> {
  await execute(jobs, [
    command(sql`update plaid_removals set attempts = attempts - 1, next_attempt_at = now()
        where id = any(${sql.param(ids)}::uuid[]) and attempts > 0`),
  ])
}

/** The removal of one of Plaid's items, due or not; null if Plaid has confirmed it. */
export async function claimRemoval(jobs: JobsDatabase, plaidItemId: string): Promise<Removal | null> {
  const [removal] = await claim(jobs, sql`select id from plaid_removals where plaid_item_id = ${plaidItemId}`)
  return removal ?? null
}

const isRevoked = sql`i.status = 'revoked' and i.purge_at is null`
const revokedRow = z
  .object({ id: z.string(), user_id: z.string(), access_token_sealed: z.string() })
  .transform(({ id, user_id: userId, access_token_sealed: sealed }) => ({ id, userId, sealed }))

/** The next items whose permission was withdrawn and whose removal is not queued, by their id. */
export async function listRevokedItems(jobs: JobsDatabase, after: string | null, limit: number) {
  const { found } = await batch(jobs, {
    found: query(
      revokedRow,
      sql`select i.id, i.user_id, i.access_token_sealed from items i
        where ${isRevoked} and (${after}::uuid is null or i.id > ${after}::uuid) order by i.id limit ${limit}`,
    ),
  })
  return found
}

/**
 * Queues such items, which Plaid would keep billing. Their rows are deleted after `keepDays`. An item whose token is no
 * longer the one that was moved waits for the next run.
 */
export async function queueRevokedItems(
  jobs: JobsDatabase,
  keepDays: number,
  tokens: readonly Replacement[],
): Promise<void> {
  await execute(jobs, [
    command(sql`with retired as (
          update items i set purge_at = now() + make_interval(days => ${keepDays})
          from unnest(${replacementArrays(tokens)}) as t (row_id, old_value, new_value)
          where i.id = t.row_id and i.access_token_sealed = t.old_value and ${isRevoked}
          returning i.user_id, i.plaid_item_id, i.id, t.new_value)
        insert into plaid_removals (user_id, plaid_item_id, item_id, access_token_sealed, reason)
        select user_id, plaid_item_id, id, new_value, 'revoked' from retired
          on conflict (plaid_item_id) do nothing`),
  ])
}

/** Queues items whose access token was lost. The user can no longer use them, and Plaid would keep billing. */
export async function queueLostItems(jobs: JobsDatabase): Promise<void> {
  await execute(jobs, [
    command(sql`with retired as (
          update items set rotation_started_at = null, rotation_owner = null
          where status = 'relink_required' and status_reason = 'ACCESS_TOKEN_LOST' and rotation_started_at is not null
          returning user_id, plaid_item_id)
        insert into plaid_removals (user_id, plaid_item_id, reason)
        select user_id, plaid_item_id, 'token_lost' from retired on conflict (plaid_item_id) do nothing`),
  ])
}

/**
 * Plaid has confirmed the removal. Sets the item's row, if it is still that item, to `removed` and deletes its invalid
 * token.
 */
export async function confirmRemoval(jobs: JobsDatabase, removal: Removal): Promise<void> {
  await execute(jobs, [
    duringFreeze,
    command(sql`update items set status = 'removed', access_token_sealed = '', updated_at = now()
        where plaid_item_id = ${removal.plaidItemId} and status = 'removing'`),
    command(sql`delete from plaid_removals where id = ${removal.id}`),
  ])
}

/** Plaid did not confirm the removal. `error` is Plaid's error code, or one of this project. */
export async function noteRemovalFailure(jobs: JobsDatabase, removal: Removal, error: string): Promise<void> {
  await execute(jobs, [command(sql`update plaid_removals set last_error = ${error} where id = ${removal.id}`)])
}
