// Pushes the bank's days ahead; life goes on there meanwhile, and Plaid looks at it once at the end.

import { livePast } from '../bank/invent.ts'
import { newsOf, pull } from '../history.ts'
import { readInvestments } from '../investments.ts'
import type { Item } from '../item.ts'
import type { WebhookBody } from '../webhooks/events.ts'
import { holdingsUpdate, investmentTransactionsUpdate, liabilitiesUpdate } from '../webhooks/events.ts'
import type { World } from '../world.ts'
import { sendWebhooks } from '../world.ts'

/** Gives the bank's day before and after, and what changed, by item. */
export function advanceClock(world: World, ms: number): object {
  const from = world.clock.today()
  world.clock.advance(ms)
  const today = world.clock.today()
  const alive = [...world.items.values()].filter(({ status }) => status === 'good' || status === 'login_required')
  return { from, today, items: alive.map((item) => ({ item_id: item.itemId, ...live(world, item, today) })) }
}

function live(world: World, item: Item, today: string): object {
  const { bank, bankRandom: random, bankIds: ids, livedUntil } = item
  if (livedUntil >= today) return { added: [], posted: [], investment_transactions: [], webhooks: [] }
  const past = livePast({ bank, from: livedUntil, to: today, random, ids })
  item.livedUntil = today
  const news =
    item.status === 'good'
      ? [...newsOf(item, pull(world, item)), ...otherNews(world, item, past.investments.length)]
      : []
  return {
    added: past.added.map(({ transaction_id }) => transaction_id),
    posted: past.posted.map(({ pending, posted }) => ({
      pending_transaction_id: pending.transaction_id,
      transaction_id: posted.transaction_id,
    })),
    investment_transactions: past.investments.map(({ investment_transaction_id: id }) => id),
    webhooks: sendWebhooks(world, item, news),
  }
}

function otherNews(world: World, item: Item, newInvestmentTransactions: number): WebhookBody[] {
  const { credit, mortgage, student } = item.bank.liabilities
  const owing = [...credit, ...mortgage, ...student].map(
    ({ account_id }) => [account_id, ['last_payment_amount']] as const,
  )
  const invests = item.products.includes('investments') && item.bank.holdings.length > 0
  if (invests && item.investments?.step === 'ready') readInvestments(world, item)
  return [
    ...(invests ? [holdingsUpdate(item, 0, item.bank.holdings.length)] : []),
    ...(invests && newInvestmentTransactions > 0
      ? [investmentTransactionsUpdate(item, 'DEFAULT_UPDATE', newInvestmentTransactions)]
      : []),
    ...(item.products.includes('liabilities') && owing.length > 0
      ? [liabilitiesUpdate(item, Object.fromEntries(owing))]
      : []),
  ]
}
