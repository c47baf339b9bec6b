// Sends an item's webhooks.
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'
import type { WebhookBody } from './events.ts'

/** Sends the webhooks in this order if the item has a webhook URL. Returns those that were sent. */
export function sendWebhooks(world: World, item: Item, bodies: readonly WebhookBody[]): readonly WebhookBody[] {
  const { webhook } = item
  if (webhook === null || item.status === 'removed') return []
  for (const body of bodies) {
    if (!world.replaying) world.delivery.send(item.itemId, webhook, body)
    item.lastWebhook = { sent_at: world.clock.timestamp(), code_sent: body.webhook_code }
  }
  return bodies
}
