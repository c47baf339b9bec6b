// The queue of items to remove at Plaid. A row exists from the decision until Plaid has confirmed the removal, because
// Plaid bills until then.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { execute, batch, type JobsDatabase } from '../core/client.ts'
import { rotatingMinutes } from './rotations.ts'
import { lost } from '../sync/work.ts'
import { idsInTurns } from '../core/turns.ts'
import { command, query } from '../core/statement.ts'

export interface Removal {
  readonly id: string
  readonly userId: string
  readonly plaidItemId: string
  /** Null for an item whose token was lost. */
  readonly token: { readonly sealed: string; readonly itemId: string } | null
  /** Plaid's id of the user, where it is known. */
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
    plaid_user_id: z.string().nullable(),
    reason: z.string(),
    attempts: z.number(),
  })
  .transform((row): Removal => {
    const { item_id: itemId, access_token_sealed: sealed } = row
    return {
      id: row.id,
      userId: row.user_id,
      plaidItemId: row.plaid_item_id,
      token: sealed === null || itemId === null ? null : { sealed, itemId },
      plaidUserId: row.plaid_user_id,
      reason: row.reason,
      attempts: row.attempts,
    }
  })

/** The token may have been exchanged for another one since. */
export const removalColumns = sql.raw(
  `r.id, r.user_id, r.plaid_item_id, r.item_id, u.plaid_user_id, r.reason, r.attempts,
    coalesce((select nullif(i.access_token_sealed, '') from items i
      where i.id = r.item_id and i.plaid_item_id = r.plaid_item_id), r.access_token_sealed) as access_token_sealed`,
)

/** Somebody's after all: its exchange was on its way. */
export const isClaimed = sql`exists (select 1 from items i where i.plaid_item_id = r.plaid_item_id
  and i.status not in (${lost}))`
export const isBeingLinked = sql`exists (select 1 from link_exchanges x where x.plaid_item_id = r.plaid_item_id
  and x.state = 'exchanged')`
/** With which token an item can be ended is not known while the token is being exchanged for another one. */
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

/** Removals that are due, without orphans (src/db/link/orphans.ts). Each is put off at once, for longer each time. */
export async function claimRemovals(jobs: JobsDatabase, limit: number): Promise<readonly Removal[]> {
  return await claim(
    jobs,
    idsInTurns('plaid_removals', sql`next_attempt_at <= now() and reason <> 'orphan'`, 'next_attempt_at', limit),
  )
}

/** Removals that were claimed and not tried: due again now, and the claim does not count as a try. */
export async function releaseRemovals(jobs: JobsDatabase, ids: readonly string[]): Promise<void> {
  await execute(jobs, [
    command(sql`update plaid_removals set attempts = attempts - 1, next_attempt_at = now()
        where id = any(${sql.param(ids)}::uuid[]) and attempts > 0`),
  ])
}

/** The removal of one of Plaid's items, whether it is due or not; null when Plaid has confirmed it. */
export async function claimRemoval(jobs: JobsDatabase, plaidItemId: string): Promise<Removal | null> {
  const [removal] = await claim(jobs, sql`select id from plaid_removals where plaid_item_id = ${plaidItemId}`)
  return removal ?? null
}

/**
 * Puts on the list what its user cannot use any more, and Plaid would bill for ever: items whose permission was
 * withdrawn, whose rows are then deleted `keepDays` later, and those whose access token was lost.
 */
export async function queueRevokedItems(jobs: JobsDatabase, keepDays: number): Promise<void> {
  await execute(jobs, [
    command(sql`with retired as (
          update items set purge_at = now() + make_interval(days => ${keepDays}) where status = 'revoked'
            and purge_at is null
          returning user_id, plaid_item_id, id, access_token_sealed)
        insert into plaid_removals (user_id, plaid_item_id, item_id, access_token_sealed, reason)
        select user_id, plaid_item_id, id, access_token_sealed, 'revoked' from retired
          on conflict (plaid_item_id) do nothing`),
    command(sql`with retired as (
          update items set rotation_started_at = null, rotation_owner = null
          where status = 'relink_required' and status_reason = 'ACCESS_TOKEN_LOST' and rotation_started_at is not null
          returning user_id, plaid_item_id)
        insert into plaid_removals (user_id, plaid_item_id, reason)
        select user_id, plaid_item_id, 'token_lost' from retired on conflict (plaid_item_id) do nothing`),
  ])
}

/**
 * Plaid has confirmed it. The item's own row, where it is still that item, is then `removed`, and its dead token is
 * dropped.
 */
export async function confirmRemoval(jobs: JobsDatabase, removal: Removal): Promise<void> {
  await execute(jobs, [
    command(sql`update items set status = 'removed', access_token_sealed = '', updated_at = now()
        where plaid_item_id = ${removal.plaidItemId} and status = 'removing'`),
    command(sql`delete from plaid_removals where id = ${removal.id}`),
  ])
}

/** Plaid did not confirm; `error` is one of its codes, or ours. */
export async function noteRemovalFailure(jobs: JobsDatabase, removal: Removal, error: string): Promise<void> {
  await execute(jobs, [command(sql`update plaid_removals set last_error = ${error} where id = ${removal.id}`)])
}
