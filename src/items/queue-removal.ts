// Queues the removal of an item at Plaid. The queue has the item's token too, because the item's row may be deleted or
// linked again before Plaid has confirmed the removal.
import type { Ctx } from '../context.ts'
import { moveAccessToken, type TokenOwner } from '../custody/access-token.ts'
import type { AuditRow } from '../db/audit/record.ts'
import { sqlState, sqlStateOf } from '../db/core/sql-state.ts'
import type { OwnedItem } from '../db/items/items.ts'
import { findItemToken, type MovedToken } from '../db/items/moved-token.ts'
import { listRevokedItems, queueLostItems, queueRevokedItems } from '../db/items/plaid-removals.ts'
import { beginRemoval, type RemovalTerms } from '../db/items/removal.ts'
import { AppError } from '../errors.ts'

/** Attempts while the token is being rotated, or sealed with another key. */
const attempts = 5
/** Items of one step. */
const stepItems = 200

/** A token that no key opens stays as it is: its key may be configured again, and Plaid bills until then. */
async function sealForRemoval({ services }: Ctx, sealed: string, owner: TokenOwner): Promise<string> {
  if (sealed === '') return sealed
  try {
    const to = { table: 'plaid_removals', owner } as const
    return await moveAccessToken(services.keyring, sealed, { table: 'items', owner }, to)
  } catch (error) {
    if (error instanceof AppError && error.code === 'token_undecryptable') return sealed
    throw error
  }
}

/** The token of an item, as it lies in `items`, sealed for the queue of removals; null for none. */
export async function moveTokenToRemoval(ctx: Ctx, from: string | null, owner: TokenOwner): Promise<MovedToken | null> {
  return from === null ? null : { from, to: await sealForRemoval(ctx, from, owner) }
}

/**
 * Hides an item immediately and queues its removal at Plaid. Its rows are deleted after `keepDays`. Does nothing where
 * `onlyIf` is false.
 */
export async function queueRemoval(
  ctx: Ctx,
  item: OwnedItem,
  terms: Omit<RemovalTerms, 'token'>,
  audit: AuditRow,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1)
    try {
      const from = await findItemToken(ctx.services.jobs, item.id)
      const token = await moveTokenToRemoval(ctx, from, { userId: item.userId, itemId: item.id })
      return await beginRemoval(ctx.services.jobs, item, { ...terms, token }, audit)
    } catch (error) {
      if (sqlStateOf(error) !== sqlState.tokenReplaced || attempt === attempts) throw error
    }
}

/** Queues items that their users can no longer use: the permission was withdrawn, or the access token was lost. */
export async function queueUnusableItems(ctx: Ctx): Promise<void> {
  const { jobs, config } = ctx.services
  for (let after: string | null = null; ;) {
    const items: Awaited<ReturnType<typeof listRevokedItems>> = await listRevokedItems(jobs, after, stepItems)
    const tokens = await Promise.all(
      items.map(async ({ id, userId, sealed }) => ({
        id,
        from: sealed,
        to: await sealForRemoval(ctx, sealed, { userId, itemId: id }),
      })),
    )
    if (tokens.length > 0) await queueRevokedItems(jobs, config.retention.removedDays, tokens)
    if (items.length < stepItems) break
    after = items.at(-1)?.id ?? null
  }
  await queueLostItems(jobs)
}
