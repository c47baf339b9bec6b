// Trades, cancels investment transactions and records payments of liabilities on request. Takes the bank's ids.
import type { Holding } from '../bank/model-investments.ts'
import type { Account, Bank } from '../bank/model.ts'
import { addExact, compareExact, exact, multiplyExact, roundExact, subtractExact } from '../bank/number.ts'
import { change, position, securityOf } from '../bank/positions.ts'
import { readInvestments } from '../items/investments.ts'
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'
import {
  holdingsUpdate,
  investmentTransactionsUpdate,
  liabilitiesUpdate,
  type WebhookBody,
} from '../webhooks/events.ts'
import type { LiabilityPayment, Trade } from './portfolio-requests.ts'
import { type BankChange, refuse } from './requests.ts'

const zero = exact('0')
const liabilityKinds = ['credit', 'mortgage', 'student'] as const

/** What changed, by the bank's ids. */
export interface PortfolioChange {
  readonly trades: readonly string[]
  readonly newPositions: number
  readonly cancelled: number
  readonly paidAccounts: readonly string[]
}

export function changePortfolio(world: World, item: Item, wanted: BankChange): PortfolioChange {
  const { bank } = item.login
  checkPortfolio(item, wanted)
  const { length: before } = bank.holdings
  const trades = (wanted.trade ?? []).map((one) => tradeOnce(world, item, one))
  const newPositions = Math.max(0, bank.holdings.length - before)
  const cancelled = new Set(wanted.cancel_trade)
  bank.investmentTransactions = bank.investmentTransactions.filter(
    ({ investment_transaction_id: id }) => !cancelled.has(id),
  )
  for (const payment of wanted.liability_payment ?? []) pay(world, bank, payment)
  return {
    trades,
    newPositions,
    cancelled: cancelled.size,
    paidAccounts: (wanted.liability_payment ?? []).map(({ account_id }) => account_id),
  }
}

/** Plaid's webhooks about the change, for one item of the login. None while its login does not work. */
export function portfolioWebhooks(world: World, item: Item, changed: PortfolioChange): WebhookBody[] {
  if (item.status !== 'good') return []
  const { trades, newPositions, cancelled } = changed
  const invests = trades.length + cancelled > 0 && item.products.includes('investments')
  if (invests && item.investments?.step === 'ready') readInvestments(world, item)
  const paid = item.products.includes('liabilities') ? changed.paidAccounts.filter(item.bank.shares) : []
  const fields = ['last_payment_amount', 'last_payment_date']
  return [
    ...(invests && trades.length > 0 ? [holdingsUpdate(item, newPositions, trades.length - newPositions)] : []),
    ...(invests ? [investmentTransactionsUpdate(item, 'DEFAULT_UPDATE', trades.length, cancelled)] : []),
    ...(paid.length > 0
      ? [liabilitiesUpdate(item, Object.fromEntries(paid.map((id) => [item.bank.fromBank(id), fields])))]
      : []),
  ]
}

function tradeOnce(world: World, item: Item, wanted: Trade): string {
  const { bank, ids } = item.login
  const account = investingAccount(item, wanted.account_id)
  const { quantity, price, fees = zero } = wanted
  const amount = addExact(multiplyExact(quantity, price), fees)
  const holding = heldOrNew(bank, account, wanted.security_id)
  if (compareExact(addExact(holding.quantity, quantity), zero) < 0)
    throw refuse(409, 'the account holds less than it would sell')
  const { institution_value: worth } = holding
  change(holding, quantity, roundExact(multiplyExact(quantity, price), 2))
  holding.institution_value = multiplyExact(holding.quantity, holding.institution_price)
  const { current } = account.balances
  if (current !== null) account.balances.current = addExact(current, subtractExact(holding.institution_value, worth))
  if (compareExact(holding.quantity, zero) === 0) bank.holdings.splice(bank.holdings.indexOf(holding), 1)
  const id = ids('investment_transaction')
  const type = compareExact(quantity, zero) < 0 ? 'sell' : 'buy'
  bank.investmentTransactions.push({
    investment_transaction_id: id,
    cancel_transaction_id: null,
    account_id: account.account_id,
    security_id: wanted.security_id,
    date: world.clock.today(),
    name: wanted.name ?? type.toUpperCase(),
    quantity,
    amount,
    price,
    fees,
    type,
    subtype: type,
    iso_currency_code: holding.iso_currency_code,
    unofficial_currency_code: holding.unofficial_currency_code,
  })
  return id
}

function investingAccount(item: Item, accountId: string): Account {
  const { bank } = item.login
  const account = bank.accounts.find(({ account_id }) => account_id === accountId)
  const isOpen = item.bank.shares(accountId) && !bank.closedAccountIds.has(accountId)
  if (account?.type === 'investment' && isOpen) return account
  throw refuse(404, `the item has no open investment account ${item.bank.fromBank(accountId)}`)
}

function heldOrNew(bank: Bank, account: Account, securityId: string): Holding {
  const held = bank.holdings.find(
    ({ account_id, security_id }) => account_id === account.account_id && security_id === securityId,
  )
  if (held !== undefined) return held
  const added = position(account, securityOf(bank, securityId), zero, zero)
  bank.holdings.push(added)
  return added
}

const owedIn = (bank: Bank, accountId: string) =>
  liabilityKinds.flatMap((kind) => bank.liabilities[kind].filter((row) => row.account_id === accountId))

function pay(world: World, bank: Bank, payment: LiabilityPayment): void {
  const { account_id: accountId, last_payment_amount, last_payment_date = world.clock.today() } = payment
  for (const row of owedIn(bank, accountId)) Object.assign(row, { last_payment_amount, last_payment_date })
}

/** Refuses ids that the bank does not have, before anything changes. */
function checkPortfolio(item: Item, { trade, cancel_trade, liability_payment }: BankChange): void {
  const { bank } = item.login
  for (const { account_id, security_id } of trade ?? []) {
    investingAccount(item, account_id)
    if (!bank.securities.some((security) => security.security_id === security_id))
      throw refuse(404, `the bank has no security ${security_id}`)
  }
  for (const id of cancel_trade ?? []) {
    if (!bank.investmentTransactions.some((row) => row.investment_transaction_id === id))
      throw refuse(404, `the bank has no investment transaction ${item.bank.fromBank(id)}`)
  }
  for (const { account_id } of liability_payment ?? []) {
    if (!item.bank.shares(account_id) || owedIn(bank, account_id).length === 0)
      throw refuse(404, `the item owes nothing in an account ${item.bank.fromBank(account_id)}`)
  }
}
