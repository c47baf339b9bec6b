// The exchange of an access token for a new one, as an intent: Plaid kills the old token at once, so a death between its
// answer and our commit loses the item. What is written first lets that be seen, and told from other ends.
import { sql } from 'drizzle-orm'
import { type ApiDatabase, batch, type JobsDatabase, rows } from './client.ts'
import { asUser, type Identity, me } from './scope.ts'
import { askedAgain } from './sync-work.ts'

/** Longer than a call of Plaid's and its commit can last. */
export const rotatingMinutes = 3

export interface RotatedItem {
  readonly itemId: string
  readonly userId: string
  readonly sealed: string
  /** SHA-256 of `sealed`: names this token, since each sealing is salted. */
  readonly tokenDigest: string
}

interface RotatedRow extends Record<string, unknown> {
  id: string
  user_id: string
  access_token_sealed: string
  token_digest: string
}

const digest = sql`encode(sha256(convert_to(access_token_sealed, 'UTF8')), 'hex')`
const rotatedColumns = sql`id, user_id, access_token_sealed, ${digest} as token_digest`
const rotatedOf = (row: RotatedRow): RotatedItem => ({
  itemId: row.id,
  userId: row.user_id,
  sealed: row.access_token_sealed,
  tokenDigest: row.token_digest,
})

/** Writes the intent. `busy` where another rotation may still be going on; null where the item is not the user's. */
export async function beginRotation(
  database: ApiDatabase,
  identity: Identity,
  id: string,
): Promise<RotatedItem | 'busy' | null> {
  const [begun, found] = await asUser(
    database,
    identity,
    rows<RotatedRow>(
      database,
      sql`update items set rotation_started_at = now() where id = ${id} and user_id = ${me} and removed_at is null
          and (rotation_started_at is null or rotation_started_at < now() - make_interval(mins => ${rotatingMinutes}))
        returning ${rotatedColumns}`,
    ),
    rows<{ id: string }>(
      database,
      sql`select id from items where id = ${id} and user_id = ${me} and removed_at is null`,
    ),
  )
  const row = begun.rows[0]
  if (row !== undefined) return rotatedOf(row)
  return found.rows.length > 0 ? 'busy' : null
}

/** Renews the intent just before Plaid is asked. Null where the item has another token by now, or was removed. */
export async function resumeRotation(
  jobs: JobsDatabase,
  itemId: string,
  tokenDigest: string,
): Promise<RotatedItem | null> {
  const [found] = await batch(jobs, [
    rows<RotatedRow>(
      jobs,
      sql`update items set rotation_started_at = now()
        where id = ${itemId} and removed_at is null and ${digest} = ${tokenDigest} returning ${rotatedColumns}`,
    ),
  ])
  const row = found.rows[0]
  return row === undefined ? null : rotatedOf(row)
}

/** Plaid has not changed the token: the intent is taken back. */
export async function cancelRotation(jobs: JobsDatabase, item: RotatedItem): Promise<void> {
  await batch(jobs, [
    rows(
      jobs,
      sql`update items set rotation_started_at = null where id = ${item.itemId} and access_token_sealed = ${item.sealed}`,
    ),
  ])
}

/**
 * Puts the new token in the old one's place, and has everything looked at again: what failed with the old one meanwhile
 * is tried at once. Doing it again changes nothing. Returns the products' ids; null where the item has a third token by now.
 */
export async function endRotation(jobs: JobsDatabase, item: RotatedItem, sealed: string): Promise<string[] | null> {
  const [replaced, products] = await batch(jobs, [
    rows<{ id: string }>(
      jobs,
      sql`update items set access_token_sealed = ${sealed}, rotation_started_at = null, updated_at = now()
        where id = ${item.itemId} and access_token_sealed in (${item.sealed}, ${sealed}) returning id`,
    ),
    rows<{ id: string }>(
      jobs,
      sql`update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now(), ${askedAgain('item_products')}
        where item_id = ${item.itemId} returning id`,
    ),
  ])
  return replaced.rows.length === 0 ? null : products.rows.map(({ id }) => id)
}

/**
 * `running`: the intent is stored · `rotated`: the item has another token · `kept`: it has the old one, and no intent ·
 * `gone`: it was removed
 */
export type RotationState = 'running' | 'rotated' | 'kept' | 'gone'

/** How far the rotation is that began with this token. */
export async function readRotation(
  database: ApiDatabase,
  identity: Identity,
  { itemId, tokenDigest }: RotatedItem,
): Promise<RotationState> {
  const [found] = await asUser(
    database,
    identity,
    rows<{ is_old: boolean; is_running: boolean }>(
      database,
      sql`select ${digest} = ${tokenDigest} as is_old, rotation_started_at is not null as is_running from items
        where id = ${itemId} and user_id = ${me} and removed_at is null`,
    ),
  )
  const row = found.rows[0]
  if (row === undefined) return 'gone'
  if (!row.is_old) return 'rotated'
  return row.is_running ? 'running' : 'kept'
}

/** A rotation that never ended: whether the token still works, a look at the item says. */
export async function markStuckRotations(jobs: JobsDatabase): Promise<void> {
  await batch(jobs, [
    rows(
      jobs,
      sql`update item_products p set dirty_seq = dirty_seq + 1, next_attempt_at = now() from items i
        where i.id = p.item_id and p.product = 'item' and p.dirty_seq = p.synced_seq and i.removed_at is null
          and i.rotation_started_at < now() - make_interval(mins => ${rotatingMinutes})`,
    ),
  ])
}
