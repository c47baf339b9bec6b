// The second half of an exchange, from the stored token to the stored item. The request runs it, or later the reconciler.
// Idempotent and crash-safe.
import type { Ctx } from '../context.ts'
import type { Item } from '../db/items/items.ts'
import type { Exchange } from '../db/link/exchanges.ts'
import {
  type LinkedItem,
  type StoreAnswer,
  storeNewItem,
  storeRefusal,
  storeRelink,
  storeSameItem,
} from '../db/link/linked-item.ts'
import { AppError } from '../errors.ts'
import { openAccessToken, sealAccessToken } from '../custody/access-token.ts'
import { removeAtPlaid } from '../items/remove-at-plaid.ts'
import type { Plaid } from '../plaid/endpoints.ts'
import type { FailureClass, PlaidFailure } from '../plaid/errors.ts'
import { toAppError } from '../plaid/app-error.ts'
import { accountFacts } from '../sync/account-rows.ts'
import { lookOf } from '../sync/item.ts'
import { unitsFor } from '../sync/products.ts'
import { isListedForUser } from './prove-owner.ts'
import { compareLink, type DuplicateItem, type LinkComparison } from './related-items.ts'

export type Finished =
  /** `item` as it was stored; null where it was not read. */
  | { readonly kind: 'linked'; readonly itemId: string; readonly item: Item | null }
  | { readonly kind: 'duplicate'; readonly duplicate: DuplicateItem | null; readonly institutionId: string | null }
  | { readonly kind: 'given_back' }
  /** The user has as many items as they may; Plaid's item was given back. */
  | { readonly kind: 'too_many_items'; readonly limit: number }

/** Looks of another one at the same user's items that may come in between. */
const tries = 5

/**
 * Stores what an exchange brought: as a new item, in the place of one that was removed or lost, or not at all. An item that
 * Plaid does not list for its user is somebody else's: it is ended at Plaid where `isLate`, when the list has had its time.
 * @throws AppError `plaid_unavailable` where Plaid could not tell what it is; the exchange then stays open
 */
export async function finishExchange(
  ctx: Ctx,
  exchange: Exchange,
  { isLate = false }: { readonly isLate?: boolean } = {},
): Promise<Finished> {
  const item = await fetchLinkedItem(ctx, exchange)
  if (item === 'not_listed') {
    if (!isLate)
      throw new AppError(
        'plaid_unavailable',
        'Plaid has not confirmed yet which user linked this item. Try again shortly.',
        {
          reason: "not in Plaid's list of the user's items",
          retryAfterSeconds: 30,
        },
      )
    ctx.log.error('exchange_of_another_user', { exchange_id: exchange.id, user_id: exchange.userId })
  }
  if (item === 'gone' || item === 'not_listed') {
    await giveUpExchange(ctx, exchange)
    return { kind: 'given_back' }
  }
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const comparison = await compareLink(ctx.services.jobs, exchange, item)
    const finished = await storeBy(ctx, exchange, item, comparison)
    if (finished !== null) return finished
  }
  throw new AppError('conflict', 'This item is being linked by another request. Try again shortly.', {
    retryAfterSeconds: 5,
  })
}

/** Null where things have moved on since the look. */
async function storeBy(
  ctx: Ctx,
  exchange: Exchange,
  item: LinkedItem,
  comparison: LinkComparison,
): Promise<Finished | null> {
  const { jobs } = ctx.services
  const { linking } = ctx.services.config
  const { institutionId } = item
  if (comparison.item !== null) {
    const itemId = comparison.item.isOwn ? comparison.item.id : null
    // Another user's item is neither revealed nor changed.
    const finished: Finished =
      itemId === null
        ? { kind: 'given_back' }
        : { kind: 'duplicate', duplicate: { itemId, accounts: [] }, institutionId }
    return finishedUnlessMoved(await storeSameItem(jobs, exchange, itemId), finished)
  }
  if (comparison.duplicate !== null && !exchange.allowDuplicate) {
    const refused = finishedUnlessMoved(await storeRefusal(jobs, exchange, comparison.duplicate.itemId), {
      kind: 'duplicate',
      duplicate: comparison.duplicate,
      institutionId,
    })
    if (refused !== null) await removeAtPlaid(ctx, exchange.plaidItemId)
    return refused
  }
  const itemId = comparison.predecessor?.id ?? exchange.id
  const stored =
    comparison.predecessor === null
      ? await storeNewItem(jobs, exchange, item, comparison.decisions, linking)
      : await storeRelink(
          jobs,
          exchange,
          item,
          comparison.decisions,
          {
            ...comparison.predecessor,
            sealedToken: await resealed(ctx, exchange, comparison.predecessor.id),
          },
          linking,
        )
  if (stored.kind === 'over_cap') {
    const refused = finishedUnlessMoved(await storeRefusal(jobs, exchange, null), {
      kind: 'too_many_items',
      limit: linking.itemsPerUser,
    })
    if (refused !== null) await removeAtPlaid(ctx, exchange.plaidItemId)
    return refused
  }
  if (stored.kind !== 'stored') return finishedUnlessMoved(stored, { kind: 'linked', itemId, item: null })
  ctx.log.info(comparison.predecessor === null ? 'item_linked' : 'item_relinked', {
    item_id: itemId,
    plaid_item_id: exchange.plaidItemId,
    user_id: exchange.userId,
  })
  await ctx.services.enqueue(stored.itemProductIds, 'link')
  return { kind: 'linked', itemId, item: stored.item }
}

function finishedUnlessMoved(stored: StoreAnswer, finished: Finished): Finished | null {
  if (stored.kind === 'moved') return null
  if (stored.kind === 'stored') return finished
  throw new AppError('conflict', 'This public token was exchanged by another request. Try again.', {
    retryAfterSeconds: 1,
  })
}

async function resealed(ctx: Ctx, exchange: Exchange, itemId: string): Promise<string> {
  const { keyring } = ctx.services
  const { userId } = exchange
  const token = await openAccessToken(keyring, exchange.sealedToken, { userId, itemId: exchange.id })
  return await sealAccessToken(keyring, token, { userId, itemId })
}

/** What Plaid knows of the new item and its accounts, if it still knows it; and its webhook is made ours, as a first try. */
async function fetchLinkedItem(ctx: Ctx, exchange: Exchange): Promise<LinkedItem | 'gone' | 'not_listed'> {
  const { plaid, config, keyring } = ctx.services
  const token = await openAccessToken(keyring, exchange.sealedToken, { userId: exchange.userId, itemId: exchange.id })
  const [found, listed, isListed] = await Promise.all([
    plaid.getItem(token),
    plaid.getAccounts(token),
    isListedForUser(ctx, exchange),
  ])
  if (!found.ok) return unlessGone(found.failure)
  // The bank has refused since: its user can repair the item, once it is there. Its accounts are read then. So they are where
  // Plaid lists them in a way that cannot be read.
  const isWaiting = !listed.ok && (waiting.has(listed.failure.class) || listed.failure.errorType === 'CONTRACT')
  if (!listed.ok && !isWaiting) return unlessGone(listed.failure)
  if (!isListed) return 'not_listed'
  warnOfUnread(ctx, exchange, listed)
  const { item } = found.value
  if (item.webhook !== config.plaid.webhookUrl) {
    const updated = await plaid.updateItemWebhook(token, config.plaid.webhookUrl)
    // The item's own sync does it again.
    if (!updated.ok) ctx.log.warn('item_webhook_not_set', { plaid_error_code: updated.failure.errorCode })
  }
  return {
    institutionId: item.institution_id,
    institutionName: item.institution_name,
    consentExpiresAt: item.consent_expiration_time,
    look: lookOf(found.value),
    products: unitsFor(config.plaid.products, item),
    accounts: listed.ok ? accountFacts(listed.value.accounts) : [],
    isWhole: listed.ok && listed.value.set_aside.length === 0,
  }
}

/** The item's first syncs store the accounts that cannot be read; the link does not wait for them. */
function warnOfUnread(ctx: Ctx, { plaidItemId }: Exchange, listed: Awaited<ReturnType<Plaid['getAccounts']>>): void {
  const problems = listed.ok ? listed.value.set_aside.flatMap((row) => row.problems) : [listed.failure.errorCode]
  if (problems.length > 0)
    ctx.log.warn('linked_accounts_unread', { plaid_item_id: plaidItemId, reason: [...new Set(problems)].join(', ') })
}

const waiting: ReadonlySet<FailureClass> = new Set(['update_mode', 'at_bank', 'item_error'])
const ended: ReadonlySet<FailureClass> = new Set(['gone', 'revoked', 'relink'])

/**
 * A token that Plaid does not accept may be good: the keys may be another team's. The exchange stays open then, and ends
 * after as many tries as any other that cannot be finished.
 */
function unlessGone(failure: PlaidFailure): 'gone' {
  if (ended.has(failure.class) && failure.errorCode !== 'INVALID_ACCESS_TOKEN') return 'gone'
  throw toAppError(failure)
}

/** What Plaid made is ended there: it cannot be made an item here, as many tries have shown or Plaid says. */
export async function giveUpExchange(ctx: Ctx, exchange: Exchange): Promise<void> {
  const stored = await storeRefusal(ctx.services.jobs, exchange, null)
  ctx.log.error('exchange_given_up', { exchange_id: exchange.id, plaid_item_id: exchange.plaidItemId })
  if (stored.kind === 'stored') await removeAtPlaid(ctx, exchange.plaidItemId)
}
