// When an item's investment transactions become readable: when it is linked, at the first call, or later if the request
// asks for an asynchronous update.
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'
import { investmentTransactionsUpdate, type WebhookBody } from '../webhooks/events.ts'
import { sendWebhooks } from '../webhooks/send.ts'

/** Marks the investments as read. */
export function readInvestments(world: World, item: Item): void {
  item.investments = { step: 'ready', lastSuccessfulUpdate: world.clock.timestamp() }
}

/** Starts to read them in the background. HISTORICAL_UPDATE follows when that is done. */
export function extractInvestments(world: World, item: Item): void {
  item.investments = { step: 'extracting', lastSuccessfulUpdate: null }
  const delays = world.settings.historyDelayMs
  if (delays === 'manual' || world.replaying) return
  world.timers.after(delays.initial, () => {
    world.journal.note({ op: 'step', item_id: item.itemId, step: 'investments' })
    sendWebhooks(world, item, finishExtraction(world, item))
  })
}

/** Ends a running extraction. Returns its webhook. */
export function finishExtraction(world: World, item: Item): WebhookBody[] {
  if (item.investments?.step !== 'extracting' || item.status !== 'good') return []
  readInvestments(world, item)
  return [investmentTransactionsUpdate(item, 'HISTORICAL_UPDATE', item.bank.investmentTransactions().length)]
}
