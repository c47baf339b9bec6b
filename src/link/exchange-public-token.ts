// Turns Link's public token into an item that is stored, sealed and on its way to its first data. A token that could
// not be stored is given back to Plaid: a subscription that nobody knows of is billed for ever.
import type { Ctx, User } from '../context.ts'
import { createSecret, type Secret } from '../crypto/secret.ts'
import { sqlStateOf } from '../db/client.ts'
import { findItemByPlaidId, getItem, insertItem, type Item, type NewItem } from '../db/items.ts'
import { registerUser } from '../db/scope.ts'
import { AppError } from '../errors.ts'
import { sealAccessToken } from '../items/access-token.ts'
import { refusalOf } from '../plaid/refusal.ts'
import type { PlaidItem } from '../plaid/schemas.ts'
import { unitsFor } from '../sync/products.ts'

const uniqueViolation = '23505'

export interface ExchangeInput {
  readonly publicToken: string
  /** Link's metadata, for a name before Plaid tells it. */
  readonly institution: { readonly id: string; readonly name: string } | null
}

/**
 * Exchanges, stores and wakes.
 * @throws AppError `public_token_refused`, `duplicate_item` (the item is the user's already), `plaid_unavailable`
 */
export async function exchangePublicToken(ctx: Ctx<User>, input: ExchangeInput): Promise<Item> {
  const { api, plaid, config, newId } = ctx.services
  const userId = await registerUser(api, ctx.actor.identity)
  const exchanged = await plaid.exchangePublicToken(createSecret(input.publicToken))
  if (!exchanged.ok) throw exchangeRefusal(exchanged.failure)
  const { access_token: token, item_id: plaidItemId } = exchanged.value
  const known = await learn(ctx, token)
  const id = newId()
  const products = await store(ctx, token, {
    id,
    userId,
    plaidItemId,
    institutionId: known?.item.institution_id ?? input.institution?.id ?? null,
    institutionName: known?.item.institution_name ?? input.institution?.name ?? null,
    consentExpiresAt: known?.item.consent_expiration_time ?? null,
    products: unitsFor(config.plaid.products, known?.item ?? null),
  })
  ctx.log.info('item_linked', { item_id: id, plaid_item_id: plaidItemId, user_id: userId })
  await wakeAll(ctx, products)
  const item = await getItem(api, ctx.actor.identity, id)
  if (item === null) throw new AppError('internal', 'The item could not be read back.')
  return item
}

function exchangeRefusal(failure: Parameters<typeof refusalOf>[0]): AppError {
  return failure.errorType === 'INVALID_INPUT' && failure.errorCode.endsWith('PUBLIC_TOKEN')
    ? new AppError('public_token_refused', 'Plaid refused the public token: it is unknown, expired or already used.')
    : refusalOf(failure)
}

/**
 * What Plaid knows of the new item; and its webhook is made ours. Both are only the first try: the item's own sync does
 * them again, so a failure here costs a name for a moment, not the link.
 */
async function learn(ctx: Ctx<User>, token: Secret): Promise<PlaidItem | null> {
  const { plaid, config } = ctx.services
  const result = await plaid.getItem(token)
  if (result.ok && result.value.item.webhook === config.plaid.webhookUrl) return result.value
  const updated = await plaid.updateItemWebhook(token, config.plaid.webhookUrl)
  for (const answer of [result, updated])
    if (!answer.ok) ctx.log.warn('item_not_learnt', { plaid_error_code: answer.failure.errorCode })
  return result.ok ? result.value : null
}

async function store(ctx: Ctx<User>, token: Secret, item: Omit<NewItem, 'sealedToken'>): Promise<string[]> {
  const { api, keyring } = ctx.services
  const { identity } = ctx.actor
  try {
    const sealedToken = await sealAccessToken(keyring, token, { userId: item.userId, itemId: item.id })
    return await insertItem(api, identity, { ...item, sealedToken })
  } catch (error) {
    // The same item again: a repeated request. Giving it back would kill the one that is stored.
    if (sqlStateOf(error) === uniqueViolation) throw await duplicateError(ctx, item.plaidItemId)
    await giveBack(ctx, token, item)
    throw error
  }
}

async function duplicateError(ctx: Ctx<User>, plaidItemId: string): Promise<AppError> {
  const id = await findItemByPlaidId(ctx.services.api, ctx.actor.identity, plaidItemId)
  if (id === null)
    return new AppError('public_token_refused', 'This public token cannot be used.', {
      reason: 'item of another user, or removed',
    })
  return new AppError('duplicate_item', 'This item is linked already.', { extensions: { item_id: id } })
}

/**
 * Even when it is unknown whether the item was stored: an item that Plaid has dropped shows as lost and can be linked
 * again, one that only Plaid knows of is billed unseen.
 */
async function giveBack(ctx: Ctx<User>, token: Secret, item: { id: string; plaidItemId: string }): Promise<void> {
  const removed = await ctx.services.plaid.removeItem(token)
  const fields = { item_id: item.id, plaid_item_id: item.plaidItemId }
  if (removed.ok || removed.failure.class === 'gone') ctx.log.warn('item_given_back', fields)
  else ctx.log.error('item_orphaned', { ...fields, plaid_error_code: removed.failure.errorCode })
}

/** The marks are stored with the item, so a lost call only costs the time until the next sweep. */
async function wakeAll(ctx: Ctx<User>, products: readonly string[]): Promise<void> {
  try {
    await ctx.services.wake(products, 'link')
  } catch (error) {
    ctx.log.warn('wake_failed', { error })
  }
}
