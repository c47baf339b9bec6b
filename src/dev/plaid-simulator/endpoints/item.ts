// /item/*: exchange of a public token, status, webhook, rotation, removal.
import * as z from 'zod'
import { exchange, newAccessToken } from '../items/link-session.ts'
import { type Item, itemView } from '../state/item.ts'
import type { World } from '../state/world.ts'
import { webhookUpdateAcknowledged } from '../webhooks/events.ts'
import { sendWebhooks } from '../webhooks/send.ts'
import { accessToken, endpoint, itemOf } from './endpoint.ts'

const publicTokenExchange = endpoint('/item/public_token/exchange', { public_token: z.string() }, (world, body) => {
  const { accessToken: access_token, item } = exchange(world, body.public_token)
  return { access_token, item_id: item.itemId }
})

const get = endpoint('/item/get', { access_token: accessToken }, (world, body) => {
  const item = itemOf(world, body.access_token)
  return { item: { ...itemView(item), created_at: item.createdAt }, status: statusView(item) }
})

const remove = endpoint(
  '/item/remove',
  {
    access_token: accessToken,
    reason_code: z.string().nullish(),
    reason_note: z.string().max(512).nullish(),
  },
  (world, body) => {
    removeItem(itemOf(world, body.access_token))
    return {}
  },
)

/** Ends the item's billing. Its token stays known, so that later calls return ITEM_NOT_FOUND. */
export function removeItem(item: Item): void {
  item.status = 'removed'
}

const webhookUpdate = endpoint(
  '/item/webhook/update',
  { access_token: accessToken, webhook: z.url().nullish() },
  (world: World, body) => {
    const item = itemOf(world, body.access_token)
    item.webhook = body.webhook ?? null
    if (item.webhook !== null) sendWebhooks(world, item, [webhookUpdateAcknowledged(item, item.webhook)])
    return { item: itemView(item) }
  },
)

const invalidate = endpoint('/item/access_token/invalidate', { access_token: accessToken }, (world, body) => ({
  new_access_token: newAccessToken(world, itemOf(world, body.access_token)),
}))

function statusView({ transactions, investments, lastWebhook }: Item) {
  return {
    transactions:
      transactions === null
        ? null
        : {
            last_successful_update: transactions.lastSuccessfulUpdate,
            last_failed_update: transactions.lastFailedUpdate,
          },
    investments:
      investments === null
        ? null
        : { last_successful_update: investments.lastSuccessfulUpdate, last_failed_update: null },
    last_webhook: lastWebhook,
  }
}

export const itemEndpoints = [publicTokenExchange, get, remove, webhookUpdate, invalidate]
