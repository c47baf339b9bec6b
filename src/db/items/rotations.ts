// The rotation of an access token, with a stored intent. Plaid invalidates the old token immediately, so a crash
// between Plaid's response and the commit loses the item. The intent makes this visible and distinguishes it from other
// failures.
import { type AuditRow, recorded } from '../audit/record.ts'
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { execute, type ApiDatabase, batch, type JobsDatabase } from '../core/client.ts'
import { asUser, type Identity, me } from '../core/scope.ts'
import { duringFreeze, duringRecovery } from '../operations/freeze.ts'
import { askedAgain } from '../sync/work.ts'
import { command, idRow, query } from '../core/statement.ts'

/** A delivery's lease. Longer than a call of Plaid and a commit usually take. */
export const rotatingMinutes = 3

export interface RotatedItem {
  readonly itemId: string
  readonly userId: string
  readonly sealed: string
  /** SHA-256 of `sealed`. It identifies this token, because each sealing is salted. */
  readonly tokenDigest: string
  /** When the intent was written or claimed, as the database's text. */
  readonly startedAt: string
}

/** A rotation that one delivery performs. */
export interface ClaimedRotation extends RotatedItem {
  readonly owner: string
}

const rotatedRow = z
  .object({
    id: z.string(),
    user_id: z.string(),
    access_token_sealed: z.string(),
    token_digest: z.string(),
    started_at: z.string(),
  })
  .transform((row): RotatedItem => ({
    itemId: row.id,
    userId: row.user_id,
    sealed: row.access_token_sealed,
    tokenDigest: row.token_digest,
    startedAt: row.started_at,
  }))

const digest = sql`encode(sha256(convert_to(access_token_sealed, 'UTF8')), 'hex')`
const rotatedColumns = sql`id, user_id, access_token_sealed, ${digest} as token_digest,
  rotation_started_at::text as started_at`
const leaseEnded = sql`rotation_started_at < now() - make_interval(mins => ${rotatingMinutes})`

/**
 * Writes the intent. Returns `busy` if another rotation may still be running; null if the item does not belong to the
 * user.
 */
export async function beginRotation(
  database: ApiDatabase,
  identity: Identity,
  id: string,
  audit: AuditRow,
): Promise<RotatedItem | 'busy' | null> {
  const { begun, found } = await asUser(database, identity, {
    begun: query(
      rotatedRow,
      sql`update items set rotation_started_at = now(), rotation_owner = null
        where id = ${id} and user_id = ${me} and removed_at is null and (rotation_started_at is null or ${leaseEnded})
        returning ${rotatedColumns}, ${recorded(audit)}`,
    ),
    found: query(idRow, sql`select id from items where id = ${id} and user_id = ${me} and removed_at is null`),
  })
  const row = begun[0]
  if (row !== undefined) return row
  return found.length > 0 ? 'busy' : null
}

/** Withdraws the intent after its message could not be sent, unless a delivery or a later request has renewed it. */
export async function withdrawRotation(jobs: JobsDatabase, item: RotatedItem): Promise<void> {
  await execute(jobs, [
    duringFreeze,
    command(sql`update items set rotation_started_at = null
        where id = ${item.itemId} and rotation_owner is null and rotation_started_at = ${item.startedAt}::timestamptz`),
  ])
}

/**
 * Renews the intent for one delivery, just before Plaid is called. Returns `busy` if another delivery holds it; null if
 * the item has another token now, or was removed.
 */
export async function claimRotation(
  jobs: JobsDatabase,
  itemId: string,
  tokenDigest: string,
  owner: string,
): Promise<ClaimedRotation | 'busy' | null> {
  const named = sql`id = ${itemId} and removed_at is null and ${digest} = ${tokenDigest}`
  const { claimed, found } = await batch(jobs, {
    pass: duringRecovery,
    claimed: query(
      rotatedRow,
      sql`update items set rotation_started_at = now(), rotation_owner = ${owner} where ${named}
          and (rotation_owner is null or rotation_started_at is null or ${leaseEnded})
        returning ${rotatedColumns}`,
    ),
    found: query(idRow, sql`select id from items where ${named}`),
  })
  const row = claimed[0]
  if (row !== undefined) return { ...row, owner }
  return found.length > 0 ? 'busy' : null
}

/** Plaid has not rotated the token: the delivery that called Plaid withdraws the intent. */
export async function cancelRotation(jobs: JobsDatabase, { itemId, owner }: ClaimedRotation): Promise<void> {
  await execute(jobs, [
    duringFreeze,
    command(sql`update items set rotation_started_at = null, rotation_owner = null
        where id = ${itemId} and rotation_owner = ${owner}`),
  ])
}

/**
 * Replaces the old token with the new one and marks everything dirty, so that runs that failed with the old token are
 * retried immediately. An item that was marked as lost since the claim becomes `initializing` again, and its queued
 * removal is cancelled. A delivery that lost its lease to another stores its token only over the old one, because Plaid
 * made the other one's token later. Idempotent. Returns the products' ids; null if the item has another token now.
 */
export async function endRotation(
  jobs: JobsDatabase,
  { itemId, owner, sealed: old, startedAt }: ClaimedRotation,
  sealed: string,
  audit: AuditRow,
): Promise<readonly string[] | null> {
  const isOwner = sql`rotation_owner is not distinct from ${owner}::uuid`
  const isRestored = sql`(status = 'relink_required' and coalesce(lost_at >= ${startedAt}::timestamptz, false))`
  const { replaced, products } = await batch(jobs, {
    pass: duringFreeze,
    replaced: query(
      idRow,
      sql`update items set access_token_sealed = ${sealed}, access_token_at = ${startedAt}::timestamptz,
          updated_at = now(),
          rotation_started_at = case when ${isOwner} or rotation_owner is null and access_token_sealed = ${old}
            then null else rotation_started_at end,
          rotation_owner = case when ${isOwner} then null else rotation_owner end,
          status = case when ${isRestored} then 'initializing' else status end,
          status_reason = case when ${isRestored} then null else status_reason end,
          lost_at = case when ${isRestored} then null else lost_at end
        where id = ${itemId} and (access_token_sealed in (${old}, ${sealed}) or ${isOwner})
        returning id, ${recorded(audit)}`,
    ),
    removalWithdrawn: command(sql`delete from plaid_removals r using items i where i.id = ${itemId}
        and i.access_token_sealed = ${sealed}
        and i.status = 'initializing' and r.plaid_item_id = i.plaid_item_id and r.reason = 'token_lost'`),
    products: query(
      idRow,
      sql`update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now(), ${askedAgain('item_products')}
        where item_id = ${itemId} returning id`,
    ),
  })
  return replaced.length === 0 ? null : products
}

/**
 * `running`: the intent is stored · `rotated`: the item has another token ·
 * `kept`: it has the old one, and no intent · `gone`: it was removed
 */
export type RotationState = 'running' | 'rotated' | 'kept' | 'gone'

const progressRow = z.object({ is_old: z.boolean(), is_running: z.boolean() })

/** The state of the rotation that began with this token. */
export async function readRotation(
  database: ApiDatabase,
  identity: Identity,
  { itemId, tokenDigest }: RotatedItem,
): Promise<RotationState> {
  const { found } = await asUser(database, identity, {
    found: query(
      progressRow,
      sql`select ${digest} = ${tokenDigest} as is_old, rotation_started_at is not null as is_running from items
        where id = ${itemId} and user_id = ${me} and removed_at is null`,
    ),
  })
  const row = found[0]
  if (row === undefined) return 'gone'
  if (!row.is_old) return 'rotated'
  return row.is_running ? 'running' : 'kept'
}

/** Marks rotations that never ended. A run of product `item` shows whether the token still works. */
export async function markStuckRotations(jobs: JobsDatabase): Promise<void> {
  await execute(jobs, [
    command(sql`update item_products p set dirty_seq = dirty_seq + 1, next_attempt_at = now() from items i
        where i.id = p.item_id and p.product = 'item' and p.dirty_seq = p.synced_seq and i.removed_at is null
          and i.rotation_started_at < now() - make_interval(mins => ${rotatingMinutes})`),
  ])
}
