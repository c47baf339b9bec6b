// Changes the bank behind an item as requested, and sends the webhooks that Plaid would send.
import type { Transaction } from '../bank/model.ts'
import { between } from '../bank/random.ts'
import { pullChanges, reachStep, completeHistory } from '../items/history.ts'
import { finishExtraction, readInvestments } from '../items/investments.ts'
import { livingItems } from '../items/logins.ts'
import type { Item } from '../state/item.ts'
import type { Rekey } from '../state/rekey.ts'
import type { World } from '../state/world.ts'
import { itemEvent, type WebhookBody } from '../webhooks/events.ts'
import { sendWebhooks } from '../webhooks/send.ts'
import { inBankIds } from './bank-ids.ts'
import { closeAccount, openNewAccount } from './change-accounts.ts'
import { changeLogin } from './change-login.ts'
import { changePortfolio, type PortfolioChange, portfolioWebhooks, reportedBy } from './change-portfolio.ts'
import { addTransactions, modifyTransactions, postPending, removeTransactions } from './change-transactions.ts'
import { checkChange } from './check-change.ts'
import { moveMoney } from './move-money.ts'
import type { BankChange } from './requests.ts'

/** The changed ids. */
export interface Changed {
  added: string[]
  modified: string[]
  removed: string[]
  posted: { pending_transaction_id: string; transaction_id: string }[]
  accounts: string[]
  /** Investment transactions of the requested trades. */
  trades?: string[]
  webhooks: readonly WebhookBody[]
}

/**
 * Makes all the changes, then lets Plaid read the bank once for every item of the login. Returns the changes of this
 * item, with its ids, and the deliveries of all items. A refused change changes nothing.
 */
export function changeBank(world: World, item: Item, given: BankChange): Changed {
  const wanted = inBankIds(item.bank, given)
  checkChange(item, wanted)
  const history = wanted.history === undefined ? [] : historyUpTo(world, item, wanted.history)
  const changed: Changed = { added: [], modified: [], removed: [], posted: [], accounts: [], webhooks: [] }
  if (wanted.modify !== undefined) changed.modified = modifyTransactions(item, wanted.modify, choose(world, item))
  if (wanted.remove !== undefined) changed.removed = removeTransactions(item, wanted.remove, choose(world, item))
  if (wanted.post_pending !== undefined) changed.posted = postPending(world, item, wanted.post_pending)
  if (wanted.add !== undefined) changed.added = addTransactions(world, item, wanted.add)
  if (wanted.move !== undefined) changed.added.push(...moveMoney(world, item, wanted.move))
  // Trades come before an account closes: the check saw it open.
  const portfolio = changePortfolio(world, item, wanted)
  if (portfolio.trades.length > 0) changed.trades = portfolio.trades.map(({ id }) => id)
  if (wanted.new_account !== undefined) changed.accounts.push(openNewAccount(world, item, wanted.new_account))
  if (wanted.close_account !== undefined) changed.accounts.push(closeAccount(item, wanted.close_account))
  const login = changeLogin(world, item, wanted)
  changed.accounts.push(...login.accounts)
  const newAccounts = (about: Item): WebhookBody[] =>
    wanted.new_account === undefined ? [] : [itemEvent(about, 'NEW_ACCOUNTS_AVAILABLE')]
  const ofBank = (about: Item): WebhookBody[] => [
    ...pullChanges(world, about),
    ...newAccounts(about),
    ...readPortfolio(world, about, portfolio),
  ]
  const news = [...history, ...ofBank(item), ...login.webhooks]
  const sent = wanted.silent === true ? [] : sendWebhooks(world, item, news)
  for (const other of livingItems(world, item.login)) {
    if (other === item) continue
    const otherChanges = ofBank(other)
    if (wanted.silent !== true) sendWebhooks(world, other, otherChanges)
  }
  return { ...inItemIds(item.bank, changed), webhooks: sent }
}

/** Lets Plaid read the positions and liabilities of one item of the login. Returns its webhooks. */
function readPortfolio(world: World, item: Item, changed: PortfolioChange): WebhookBody[] {
  const reported = reportedBy(item, changed)
  const isTraded = reported.trades.length + reported.cancelledIn.length > 0
  if (isTraded && item.investments?.step === 'ready') readInvestments(world, item)
  return portfolioWebhooks(item, reported)
}

function inItemIds({ fromBank }: Rekey, changed: Changed): Changed {
  return {
    ...changed,
    added: changed.added.map(fromBank),
    modified: changed.modified.map(fromBank),
    removed: changed.removed.map(fromBank),
    posted: changed.posted.map(({ pending_transaction_id, transaction_id }) => ({
      pending_transaction_id: fromBank(pending_transaction_id),
      transaction_id: fromBank(transaction_id),
    })),
    accounts: changed.accounts.map(fromBank),
    ...(changed.trades !== undefined && { trades: changed.trades.map(fromBank) }),
  }
}

/**
 * Does what the timers would do: completes the steps of the transactions' history, and with the last step that of the
 * investments.
 */
function historyUpTo(world: World, item: Item, history: 'initial' | 'historical'): WebhookBody[] {
  if (history === 'initial') return reachStep(world, item, 'INITIAL_UPDATE_COMPLETE')
  return [...reachStep(world, item, 'HISTORICAL_UPDATE_COMPLETE'), ...finishExtraction(world, item)]
}

/** Chooses `count` of the transactions that the client can see, by seed. */
function choose(world: World, item: Item): (count: number) => Transaction[] {
  return (count) => {
    const { login, bank } = item
    const visible = new Set(completeHistory(world, item).map(({ transaction_id }) => bank.toBank(transaction_id)))
    const left = login.bank.transactions.filter(({ transaction_id }) => visible.has(transaction_id))
    const chosen: Transaction[] = []
    while (chosen.length < count && left.length > 0) {
      chosen.push(...left.splice(between(login.random, 0, left.length - 1), 1))
    }
    return chosen
  }
}
