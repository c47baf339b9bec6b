// Changes at the bank of one item, on order, and the webhooks that Plaid would send about them.

import type { Transaction } from '../bank/model.ts'
import { between } from '../bank/random.ts'
import { newsOf, pull, reachStep, trueTransactions } from '../history.ts'
import { finishExtraction } from '../investments.ts'
import type { Item } from '../item.ts'
import type { WebhookBody } from '../webhooks/events.ts'
import type { World } from '../world.ts'
import { sendWebhooks } from '../world.ts'
import { changeLogin } from './change-login.ts'
import { closeAccount, openNewAccount } from './change-accounts.ts'
import { addTransactions, modifyTransactions, postPending, removeTransactions } from './change-transactions.ts'
import type { BankChange } from './requests.ts'
import { refuse } from './requests.ts'

/** What changed, by id. */
export interface Changed {
  added: string[]
  modified: string[]
  removed: string[]
  posted: { pending_transaction_id: string; transaction_id: string }[]
  accounts: string[]
  webhooks: readonly WebhookBody[]
}

/** Makes all the changes, then lets Plaid look at the bank once. Refuses ids that the bank does not have. */
export function changeBank(world: World, item: Item, wanted: BankChange): Changed {
  checkIds(item, wanted)
  const history = wanted.history === undefined ? [] : historyUpTo(world, item, wanted.history)
  const changed: Changed = { added: [], modified: [], removed: [], posted: [], accounts: [], webhooks: [] }
  if (wanted.modify !== undefined) changed.modified = modifyTransactions(item, wanted.modify, choose(world, item))
  if (wanted.remove !== undefined) changed.removed = removeTransactions(item, wanted.remove, choose(world, item))
  if (wanted.post_pending !== undefined) changed.posted = postPending(world, item, wanted.post_pending)
  if (wanted.add !== undefined) changed.added = addTransactions(world, item, wanted.add)
  const accountNews: WebhookBody[] = []
  if (wanted.new_account !== undefined) {
    const opened = openNewAccount(item, wanted.new_account)
    changed.accounts.push(opened.accountId)
    accountNews.push(...opened.webhooks)
  }
  if (wanted.close_account !== undefined) changed.accounts.push(closeAccount(item, wanted.close_account))
  const loginNews = changeLogin(world, item, wanted)
  const news = [...history, ...newsOf(item, pull(world, item)), ...accountNews, ...loginNews]
  changed.webhooks = wanted.silent === true ? [] : sendWebhooks(world, item, news)
  return changed
}

/** What the timers would do: the steps of the transactions' history, and with the last one the investments' too. */
function historyUpTo(world: World, item: Item, history: 'initial' | 'historical'): WebhookBody[] {
  if (history === 'initial') return reachStep(world, item, 'INITIAL_UPDATE_COMPLETE')
  return [...reachStep(world, item, 'HISTORICAL_UPDATE_COMPLETE'), ...finishExtraction(world, item)]
}

/** Chooses so many of the transactions that a client can see, by seed. */
function choose(world: World, item: Item): (count: number) => Transaction[] {
  return (count) => {
    const left = trueTransactions(world, item)
    const chosen: Transaction[] = []
    while (chosen.length < count && left.length > 0) {
      chosen.push(...left.splice(between(item.bankRandom, 0, left.length - 1), 1))
    }
    return chosen
  }
}

/** Refuses ids that the bank does not have, before anything is changed. */
function checkIds({ bank }: Item, { modify, remove, post_pending }: BankChange): void {
  const named = [
    ...(Array.isArray(modify) ? modify.map(({ transaction_id }) => transaction_id) : []),
    ...(Array.isArray(remove) ? remove : []),
    ...(typeof post_pending === 'object' ? (post_pending.transaction_ids ?? []) : []),
  ]
  const known = new Set(bank.transactions.map(({ transaction_id }) => transaction_id))
  const unknown = named.filter((transactionId) => !known.has(transactionId))
  if (unknown.length > 0) throw refuse(404, `the bank has no transaction ${unknown.join(', ')}`)
}
