// Advances the banks' day. All days in between pass at each bank; then Plaid reads each bank once.
import { pullChanges, pull } from '../items/history.ts'
import { readInvestments } from '../items/investments.ts'
import { advanceTo } from '../items/logins.ts'
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'
import {
  holdingsUpdate,
  investmentTransactionsUpdate,
  liabilitiesUpdate,
  type WebhookBody,
} from '../webhooks/events.ts'
import { sendWebhooks } from '../webhooks/send.ts'

/** Returns the bank's day before and after, and the changes by item. Banks without items advance, too. */
export function advanceClock(world: World, ms: number): object {
  const from = world.clock.today()
  world.clock.advance(ms)
  const today = world.clock.today()
  const changes = new Map([...world.logins.values()].map((login) => [login, advanceTo(login, today)]))
  const alive = [...world.items.values()].filter(({ status }) => status === 'good' || status === 'login_required')
  return {
    from,
    today,
    items: alive.map((item) => ({ item_id: item.itemId, ...changesOf(world, item, changes.get(item.login) ?? null) })),
  }
}

function changesOf(world: World, item: Item, changed: ReturnType<typeof advanceTo>): object {
  if (changed === null) return { added: [], posted: [], investment_transactions: [], webhooks: [] }
  const { fromBank, shares } = item.bank
  const seen = ({ account_id }: { account_id: string }): boolean => shares(account_id)
  const invested = changed.investments.filter(seen)
  const news =
    item.status === 'good' ? [...pullChanges(world, item), ...otherChanges(world, item, invested.length)] : []
  if (item.status === 'login_required') pull(world, item)
  return {
    added: changed.added.filter(seen).map(({ transaction_id }) => fromBank(transaction_id)),
    posted: changed.posted
      .filter(({ posted }) => seen(posted))
      .map(({ pending, posted }) => ({
        pending_transaction_id: fromBank(pending.transaction_id),
        transaction_id: fromBank(posted.transaction_id),
      })),
    investment_transactions: invested.map(({ investment_transaction_id: id }) => fromBank(id)),
    webhooks: sendWebhooks(world, item, news),
  }
}

function otherChanges(world: World, item: Item, newInvestmentTransactions: number): WebhookBody[] {
  const { credit, mortgage, student } = item.bank.liabilities()
  const holdings = item.bank.holdings().length
  const owing = [...credit, ...mortgage, ...student].map(
    ({ account_id }) => [account_id, ['last_payment_amount']] as const,
  )
  const invests = item.products.includes('investments') && holdings > 0
  if (invests && item.investments?.step === 'ready') readInvestments(world, item)
  return [
    ...(invests ? [holdingsUpdate(item, 0, holdings)] : []),
    ...(invests && newInvestmentTransactions > 0
      ? [investmentTransactionsUpdate(item, 'DEFAULT_UPDATE', newInvestmentTransactions)]
      : []),
    ...(item.products.includes('liabilities') && owing.length > 0
      ? [liabilitiesUpdate(item, Object.fromEntries(owing))]
      : []),
  ]
}
