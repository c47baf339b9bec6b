// Trades, cancels investment transactions and records payments of liabilities on request. Takes the bank's ids.
import type { Holding, InvestmentTransaction } from '../bank/model-investments.ts'
import type { Account, Bank } from '../bank/model.ts'
import { addExact, compareExact, exact, multiplyExact, roundExact, subtractExact } from '../bank/number.ts'
import { change, position, securityOf } from '../bank/positions.ts'
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

type Place = Pick<Holding, 'account_id' | 'security_id'>

/** What changed, by the bank's ids. */
export interface PortfolioChange {
  readonly trades: readonly BookedTrade[]
  /** The account of each cancelled investment transaction. */
  readonly cancelledIn: readonly string[]
  readonly paidAccounts: readonly string[]
}

interface BookedTrade {
  readonly id: string
  readonly accountId: string
  /** As `positionOf` names it. */
  readonly positionId: string
  /** Whether the account did not have the position before. */
  readonly isNew: boolean
}

/** Makes the changes. They have been checked (./check-change.ts). */
export function changePortfolio(world: World, item: Item, wanted: BankChange): PortfolioChange {
  const { bank } = item.login
  const trades = (wanted.trade ?? []).map((one) => tradeOnce(world, item, one))
  const named = new Set(wanted.cancel_trade)
  const isCancelled = (row: InvestmentTransaction): boolean => named.has(row.investment_transaction_id)
  const cancelledIn = bank.investmentTransactions.filter(isCancelled).map(({ account_id }) => account_id)
  bank.investmentTransactions = bank.investmentTransactions.filter((row) => !isCancelled(row))
  for (const payment of wanted.liability_payment ?? []) pay(world, bank, payment)
  return { trades, cancelledIn, paidAccounts: (wanted.liability_payment ?? []).map(({ account_id }) => account_id) }
}

/**
 * The part of the change that one item of the login reports: that of its products, in the accounts that it shares.
 * Nothing while its login does not work.
 */
export function reportedBy({ status, products, bank }: Item, changed: PortfolioChange): PortfolioChange {
  const invests = status === 'good' && products.includes('investments')
  const owes = status === 'good' && products.includes('liabilities')
  return {
    trades: invests ? changed.trades.filter(({ accountId }) => bank.shares(accountId)) : [],
    cancelledIn: invests ? changed.cancelledIn.filter(bank.shares) : [],
    paidAccounts: owes ? changed.paidAccounts.filter(bank.shares) : [],
  }
}

/** Plaid's webhooks about what the item reports. */
export function portfolioWebhooks(item: Item, { trades, cancelledIn, paidAccounts }: PortfolioChange): WebhookBody[] {
  // Of several trades in one position, the first says whether it is new.
  const positions = new Map(trades.toReversed().map(({ positionId, isNew }) => [positionId, isNew]))
  const newPositions = [...positions.values()].filter(Boolean).length
  const fields = ['last_payment_amount', 'last_payment_date']
  return [
    ...(trades.length > 0 ? [holdingsUpdate(item, newPositions, positions.size - newPositions)] : []),
    ...(trades.length + cancelledIn.length > 0
      ? [investmentTransactionsUpdate(item, 'DEFAULT_UPDATE', trades.length, cancelledIn.length)]
      : []),
    ...(paidAccounts.length > 0
      ? [liabilitiesUpdate(item, Object.fromEntries(paidAccounts.map((id) => [item.bank.fromBank(id), fields])))]
      : []),
  ]
}

/** Identifies a position: a security in an account. */
export const positionOf = ({ account_id, security_id }: Place): string => JSON.stringify([account_id, security_id])

/** The holding there, if the account has one. */
export const holdingOf = (bank: Bank, place: Place): Holding | undefined =>
  bank.holdings.find((holding) => positionOf(holding) === positionOf(place))

function tradeOnce(world: World, item: Item, wanted: Trade): BookedTrade {
  const { bank, ids } = item.login
  const account = investingAccount(item, wanted.account_id)
  const { quantity, price, fees = zero } = wanted
  const amount = addExact(multiplyExact(quantity, price), fees)
  const held = holdingOf(bank, wanted)
  const holding = held ?? addedHolding(bank, account, wanted.security_id)
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
  return { id, accountId: account.account_id, positionId: positionOf(wanted), isNew: held === undefined }
}

/** The open investment account of the item. Refuses any other id. */
export function investingAccount(item: Item, accountId: string): Account {
  const { bank } = item.login
  const account = bank.accounts.find(({ account_id }) => account_id === accountId)
  const isOpen = item.bank.shares(accountId) && !bank.closedAccountIds.has(accountId)
  if (account?.type === 'investment' && isOpen) return account
  throw refuse(404, `the item has no open investment account ${item.bank.fromBank(accountId)}`)
}

function addedHolding(bank: Bank, account: Account, securityId: string): Holding {
  const added = position(account, securityOf(bank, securityId), zero, zero)
  bank.holdings.push(added)
  return added
}

/** What the account owes, by kind of liability. */
export const owedIn = (bank: Bank, accountId: string) =>
  liabilityKinds.flatMap((kind) => bank.liabilities[kind].filter((row) => row.account_id === accountId))

function pay(world: World, bank: Bank, payment: LiabilityPayment): void {
  const { account_id: accountId, last_payment_amount, last_payment_date = world.clock.today() } = payment
  for (const row of owedIn(bank, accountId)) Object.assign(row, { last_payment_amount, last_payment_date })
}
