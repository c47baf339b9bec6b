// The second half of an exchange, from the stored token to the stored item. The request runs it, or later the
// reconciler. Idempotent and crash-safe.
import type { AuditAction } from '../audit/actions.ts'
import { audit } from '../audit/audit.ts'
import { recordTokenUse } from '../audit/token-use.ts'
import type { Ctx } from '../context.ts'
import type { AuditRow } from '../db/audit/record.ts'
import type { Item } from '../db/items/items.ts'
import type { Exchange } from '../db/link/exchanges.ts'
import {
  type LinkedItem,
  type StoreResult,
  storeNewItem,
  storeRefusal,
  storeRelink,
  storeSameItem,
} from '../db/link/linked-item.ts'
import { AppError } from '../errors.ts'
import { moveAccessToken, openAccessToken, type TokenTable } from '../custody/access-token.ts'
import { moveTokenToRemoval } from '../items/queue-removal.ts'
import { removeAtPlaid } from '../items/remove-at-plaid.ts'
import type { Plaid } from '../plaid/endpoints.ts'
import type { FailureClass, PlaidFailure } from '../plaid/errors.ts'
import { toAppError } from '../plaid/app-error.ts'
import { accountRows } from '../sync/account-rows.ts'
import { lookOf } from '../sync/item.ts'
import { unitsFor } from '../sync/products.ts'
import { isListedForUser } from './prove-owner.ts'
import { compareLink, type DuplicateItem, type LinkComparison } from './related-items.ts'

export type Finished =
  /** `item` as stored; null if it was not read. */
  | { readonly kind: 'linked'; readonly itemId: string; readonly item: Item | null }
  | { readonly kind: 'duplicate'; readonly duplicate: DuplicateItem | null; readonly institutionId: string | null }
  | { readonly kind: 'given_back' }
  /** The user has reached the limit on items. The item was removed at Plaid. */
  | { readonly kind: 'too_many_items'; readonly limit: number }

/** Attempts while other requests change the user's items. */
const attempts = 5

/**
 * Stores the exchanged item as a new item or in place of a removed or lost one, or refuses it. An item that Plaid does
 * not list for the user belongs to another user. It is removed at Plaid if `isLate`, when the list has had time to be
 * updated.
 * @throws AppError `plaid_unavailable` if Plaid returned no data of the item; the exchange then stays open
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
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const comparison = await compareLink(ctx.services.jobs, exchange, item)
    const finished = await storeAccordingTo(ctx, exchange, item, comparison)
    if (finished !== null) return finished
  }
  throw new AppError('conflict', 'This item is being linked by another request. Try again shortly.', {
    retryAfterSeconds: 5,
  })
}

/** Returns null if the user's items have changed since the comparison. */
async function storeAccordingTo(
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
    return finishedUnlessMoved(
      await storeSameItem(jobs, exchange, itemId, await auditOf(ctx, exchange, 'link_refused')),
      finished,
    )
  }
  if (comparison.duplicate !== null && !exchange.allowDuplicate) {
    const refused = finishedUnlessMoved(await refuseItem(ctx, exchange, comparison.duplicate.itemId), {
      kind: 'duplicate',
      duplicate: comparison.duplicate,
      institutionId,
    })
    if (refused !== null) await removeAtPlaid(ctx, exchange.plaidItemId)
    return refused
  }
  const itemId = comparison.predecessor?.id ?? exchange.id
  const rows = await auditsOf(ctx, exchange, itemId, comparison)
  const sealedToken = await moveToken(ctx, exchange, 'items', itemId)
  const { predecessor, decisions, earlierToken } = comparison
  const stored =
    predecessor === null
      ? await storeNewItem(jobs, exchange, { ...item, sealedToken }, decisions, linking, rows)
      : await storeRelink(
          jobs,
          exchange,
          item,
          decisions,
          {
            ...predecessor,
            sealedToken,
            earlierToken: await moveTokenToRemoval(ctx, earlierToken, { userId: exchange.userId, itemId }),
          },
          linking,
          rows,
        )
  if (stored.kind === 'over_cap') {
    const refused = finishedUnlessMoved(await refuseItem(ctx, exchange, null), {
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

const auditOf = (ctx: Ctx, { id, userId }: Exchange, action: AuditAction, itemId = id): Promise<AuditRow> =>
  audit(ctx, { action, target: itemId, owner: { userId } })

/** The link, and the accounts that it takes over from other items of the user. */
async function auditsOf(
  ctx: Ctx,
  exchange: Exchange,
  itemId: string,
  { predecessor, decisions }: LinkComparison,
): Promise<readonly AuditRow[]> {
  const linked = await auditOf(ctx, exchange, predecessor === null ? 'item_linked' : 'item_relinked', itemId)
  return decisions.moved.length === 0 ? [linked] : [linked, await auditOf(ctx, exchange, 'accounts_taken_over', itemId)]
}

function finishedUnlessMoved(stored: StoreResult, finished: Finished): Finished | null {
  if (stored.kind === 'moved') return null
  if (stored.kind === 'stored') return finished
  throw new AppError('conflict', 'This public token was exchanged by another request. Try again.', {
    retryAfterSeconds: 1,
  })
}

/** The exchange's token, sealed for another table. */
async function moveToken(
  { services }: Ctx,
  { id, userId, sealedToken }: Exchange,
  table: TokenTable,
  itemId = id,
): Promise<string> {
  const from = { table: 'link_exchanges', owner: { userId, itemId: id } } as const
  return await moveAccessToken(services.keyring, sealedToken, from, { table, owner: { userId, itemId } })
}

/** Stores the refusal, with the token in the queue of removals. A token that no key opens leaves the exchange open. */
async function refuseItem(ctx: Ctx, exchange: Exchange, duplicateOf: string | null): Promise<StoreResult> {
  const row = await auditOf(ctx, exchange, 'link_refused')
  const sealedToken = await moveToken(ctx, exchange, 'plaid_removals')
  return await storeRefusal(ctx.services.jobs, exchange, { duplicateOf, sealedToken }, row)
}

/** Reads the new item and its accounts from Plaid, and corrects its webhook URL. */
async function fetchLinkedItem(ctx: Ctx, exchange: Exchange): Promise<LinkedItem | 'gone' | 'not_listed'> {
  const { plaid, config, keyring } = ctx.services
  await recordTokenUse(ctx, { userId: exchange.userId, itemId: exchange.id })
  const owner = { userId: exchange.userId, itemId: exchange.id }
  const token = await openAccessToken(keyring, exchange.sealedToken, owner, 'link_exchanges')
  const [found, listed, isListed] = await Promise.all([
    plaid.getItem(token),
    plaid.getAccounts(token),
    isListedForUser(ctx, exchange),
  ])
  if (!found.ok) return goneOrThrow(found.failure)
  // The item is stored without accounts if the login no longer works, which update mode repairs, or if the response
  // cannot be parsed. A later sync reads the accounts.
  const isRepairable = !listed.ok && (repairable.has(listed.failure.class) || listed.failure.errorType === 'CONTRACT')
  if (!listed.ok && !isRepairable) return goneOrThrow(listed.failure)
  if (!isListed) return 'not_listed'
  warnOfUnreadAccounts(ctx, exchange, listed)
  const { item } = found.value
  if (item.webhook !== config.plaid.webhookUrl) {
    const updated = await plaid.updateItemWebhook(token, config.plaid.webhookUrl)
    // The first sync of `item` tries again.
    if (!updated.ok) ctx.log.warn('item_webhook_not_set', { plaid_error_code: updated.failure.errorCode })
  }
  return {
    institutionId: item.institution_id,
    institutionName: item.institution_name,
    consentExpiresAt: item.consent_expiration_time,
    look: lookOf(found.value),
    products: unitsFor(config.plaid.products, item),
    accounts: listed.ok ? accountRows(listed.value.accounts) : [],
    isWhole: listed.ok && listed.value.set_aside.length === 0,
  }
}

/** Logs accounts that cannot be parsed. They do not block the link: the first syncs set them aside. */
function warnOfUnreadAccounts(
  ctx: Ctx,
  { plaidItemId }: Exchange,
  listed: Awaited<ReturnType<Plaid['getAccounts']>>,
): void {
  const problems = listed.ok ? listed.value.set_aside.flatMap((row) => row.problems) : [listed.failure.errorCode]
  if (problems.length > 0)
    ctx.log.warn('linked_accounts_unread', { plaid_item_id: plaidItemId, reason: [...new Set(problems)].join(', ') })
}

const repairable: ReadonlySet<FailureClass> = new Set(['update_mode', 'at_bank', 'item_error'])
const goneForever: ReadonlySet<FailureClass> = new Set(['gone', 'revoked', 'relink'])

/**
 * INVALID_ACCESS_TOKEN does not prove that the item is gone: the API keys may belong to another team. The exchange then
 * stays open until its last attempt.
 */
function goneOrThrow(failure: PlaidFailure): 'gone' {
  if (goneForever.has(failure.class) && failure.errorCode !== 'INVALID_ACCESS_TOKEN') return 'gone'
  throw toAppError(failure)
}

/** Ends an exchange without an item, and removes the item at Plaid. */
export async function giveUpExchange(ctx: Ctx, exchange: Exchange): Promise<void> {
  const stored = await refuseItem(ctx, exchange, null)
  ctx.log.error('exchange_given_up', { exchange_id: exchange.id, plaid_item_id: exchange.plaidItemId })
  if (stored.kind === 'stored') await removeAtPlaid(ctx, exchange.plaidItemId)
}
