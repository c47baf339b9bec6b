// The recurring streams of an item, and whether they changed since the last webhook about them.
import type { Transaction } from '../bank/model.ts'
import { type Item, type KnownStreams, openAccounts, type TransactionsState } from '../state/item.ts'
import type { World } from '../state/world.ts'
import { recurringTransactionsUpdate, type WebhookBody } from '../webhooks/events.ts'
import { recurringStreams, type Streams } from './recurring.ts'

/** The streams of open accounts in these transactions. */
export function streamsIn(world: World, item: Item, transactions: readonly Transaction[]): Streams {
  const open = new Set(openAccounts(item).map(({ account_id }) => account_id))
  const own = transactions.filter(({ account_id }) => open.has(account_id))
  return recurringStreams(own, world.clock.today())
}

/** Enables RECURRING_TRANSACTIONS_UPDATE for the item. Plaid sends it only after the first request for streams. */
export function watchStreams(world: World, item: Item, state: TransactionsState): void {
  state.streams = written(world, item, state)
}

/** The webhook for added, removed and changed streams. None before the first request for streams. */
export function streamWebhooks(world: World, item: Item): WebhookBody[] {
  const state = item.transactions
  if (state === null || state.streams === null || item.status !== 'good') return []
  const before = state.streams
  const now = written(world, item, state)
  state.streams = now
  const changed = [...now].filter(([id, { text }]) => before.get(id)?.text !== text)
  const gone = [...before].filter(([id]) => !now.has(id))
  const accountIds = new Set([...changed, ...gone].map(([, { accountId }]) => accountId))
  return accountIds.size === 0 ? [] : [recurringTransactionsUpdate(item, [...accountIds])]
}

/** Plaid looks for streams once the whole history has arrived. */
function written(world: World, item: Item, { step, changeLog }: TransactionsState): KnownStreams {
  const history = step === 'HISTORICAL_UPDATE_COMPLETE' ? changeLog.all() : []
  const { inflow_streams, outflow_streams } = streamsIn(world, item, history)
  const known = [...inflow_streams, ...outflow_streams].map(
    (stream) => [stream.stream_id, { accountId: stream.account_id, text: JSON.stringify(stream) }] as const,
  )
  return new Map(known)
}
