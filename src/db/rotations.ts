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
}

/** Writes the intent. `busy` where another rotation may still be going on; null where the item is not the user's. */
export async function beginRotation(
  database: ApiDatabase,
  identity: Identity,
  id: string,
): Promise<RotatedItem | 'busy' | null> {
  const [begun, found] = await asUser(
    database,
    identity,
    rows<{ id: string; user_id: string; access_token_sealed: string }>(
      database,
      sql`update items set rotation_started_at = now() where id = ${id} and user_id = ${me} and removed_at is null
          and (rotation_started_at is null or rotation_started_at < now() - make_interval(mins => ${rotatingMinutes}))
        returning id, user_id, access_token_sealed`,
    ),
    rows<{ id: string }>(
      database,
      sql`select id from items where id = ${id} and user_id = ${me} and removed_at is null`,
    ),
  )
  const row = begun.rows[0]
  if (row !== undefined) return { itemId: row.id, userId: row.user_id, sealed: row.access_token_sealed }
  return found.rows.length > 0 ? 'busy' : null
}

/** Plaid has not changed the token: the intent is taken back. */
export async function cancelRotation(database: ApiDatabase, identity: Identity, item: RotatedItem): Promise<void> {
  await asUser(
    database,
    identity,
    rows(
      database,
      sql`update items set rotation_started_at = null where id = ${item.itemId} and user_id = ${me} and access_token_sealed = ${item.sealed}`,
    ),
  )
}

/**
 * Puts the new token in the old one's place, and has everything looked at again: what failed with the old one meanwhile
 * is tried at once. Doing it again changes nothing. Answers the products' ids; null where the old token was not there any more.
 */
export async function endRotation(
  database: ApiDatabase,
  identity: Identity,
  item: RotatedItem,
  sealed: string,
): Promise<string[] | null> {
  const [replaced, products] = await asUser(
    database,
    identity,
    rows<{ id: string }>(
      database,
      sql`update items set access_token_sealed = ${sealed}, rotation_started_at = null, updated_at = now()
        where id = ${item.itemId} and user_id = ${me} and access_token_sealed in (${item.sealed}, ${sealed}) returning id`,
    ),
    rows<{ id: string }>(
      database,
      sql`update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now(), ${askedAgain('item_products')}
        where item_id = ${item.itemId} and user_id = ${me} returning id`,
    ),
  )
  return replaced.rows.length === 0 ? null : products.rows.map(({ id }) => id)
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
