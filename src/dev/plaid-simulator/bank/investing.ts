// What happens in investment accounts: contributions, purchases, sales, dividends, fees, and weekly price changes.
import { monthEnd, weekday } from './calendar.ts'
import { isDayOfMonth } from './day-event.ts'
import type { Holding, InvestmentTransaction } from './model-investments.ts'
import type { Account, Bank } from './model.ts'
import { addExact, cents, exact, minorUnits, multiplyExact, negateExact, roundExact, wholeOf } from './number.ts'
import { contribution } from './own-accounts.ts'
import { cashHolding, change, position, revalue, securityOf } from './positions.ts'
import { between, pick, type Random } from './random.ts'
import { listedSecurity, listings, type Ticker } from './securities.ts'
import type { Day, Ids, RawNumber } from './values.ts'

interface MarketDay {
  bank: Bank
  day: Day
  random: Random
  ids: Ids
}

const zero = exact('0')

/** The first holdings of an account, by its subtype: ticker and quantity. Cash comes first. */
const portfolios: Readonly<Record<string, readonly (readonly [Ticker, string])[]>> = {
  ira: [
    ['USD', '412.55'],
    ['BMIX', '18.25'],
    ['LKSW', '12'],
    ['TDFX', '104.713'],
  ],
  '401k': [
    ['USD', '88.1'],
    ['TDFX', '612.0435'],
    ['BMIX', '31.5'],
    ['NOTE31', '40'],
  ],
  brokerage: [
    ['USD', '1530.2'],
    ['LKSW', '25'],
    ['NWTL', '14.5'],
    ['BMIX', '9.125'],
    ['NOTE31', '20'],
    ['LKSW-C', '2'],
  ],
  'crypto exchange': [
    ['USD', '25'],
    ['ETH', '0.031415926535897932'],
    ['BTC', '0.00271828'],
  ],
}

/** Opens the portfolios of the bank's investment accounts. */
export function openPortfolios(bank: Bank, day: Day, ids: Ids): void {
  for (const account of bank.accounts.filter(({ type }) => type === 'investment')) {
    for (const [ticker, quantity] of portfolios[account.subtype ?? ''] ?? []) {
      const security = bank.securities.find(({ ticker_symbol }) => ticker_symbol === ticker)
      const listed = security ?? listedSecurity(ticker, day, ids)
      if (security === undefined) {
        bank.securities.push(listed)
        if (listings[ticker].moves) bank.backOffice.pricesInCents.set(listed.security_id, listings[ticker].cents)
      }
      const units = exact(quantity)
      const cost = roundExact(multiplyExact(units, cents(listings[ticker].cents)), 2)
      bank.holdings.push(position(account, listed, units, cost))
    }
  }
  revalue(bank, day)
}

/** Plays one day of the market. Custom users' holdings do not change, because they have no prices. */
export function investOn(market: MarketDay): void {
  const { bank, day, random } = market
  const accounts = bank.accounts.filter(({ account_id, type, subtype }) => {
    return type === 'investment' && subtype !== 'crypto exchange' && !bank.closedAccountIds.has(account_id)
  })
  if (bank.backOffice.household === null || !bank.accounts.some(({ type }) => type === 'investment')) return
  if (weekday(day) === 5) movePrices(bank, random)
  const before = bank.investmentTransactions.length
  for (const account of accounts) tradeOn(market, account)
  if (weekday(day) === 5 || bank.investmentTransactions.length > before) revalue(bank, day)
}

function movePrices(bank: Bank, random: Random): void {
  for (const [id, price] of bank.backOffice.pricesInCents) {
    bank.backOffice.pricesInCents.set(
      id,
      Math.max(1, price + Math.trunc((price * between(random, -240, 260)) / 10_000)),
    )
  }
}

function tradeOn(market: MarketDay, account: Account): void {
  const { day } = market
  const month = Number(day.slice(5, 7))
  if (isDayOfMonth(day, contribution.day)) contribute(market, account)
  if (isDayOfMonth(day, contribution.day + 1)) buy(market, account)
  if (isDayOfMonth(day, 14) && (month === 5 || month === 11)) sell(market, account)
  if (isDayOfMonth(day, 20) && month % 3 === 0) dividends(market, account)
  if (isDayOfMonth(day, 10) && month === 1) enter(market, account, null, { ...fee, amount: cents(1250) })
  if (day === monthEnd(day) && month % 6 === 0) transferIn(market, account)
}

type Entry = Pick<InvestmentTransaction, 'name' | 'type' | 'subtype' | 'amount'> &
  Partial<Pick<InvestmentTransaction, 'quantity' | 'price' | 'fees'>>

const fee = { name: 'ANNUAL MANAGEMENT FEE', type: 'fee', subtype: 'management fee' } as const

function contribute(market: MarketDay, account: Account): void {
  const amount = cents(-contribution.cents)
  enter(market, account, null, { name: 'CONTRIBUTION', type: 'cash', subtype: 'contribution', amount })
}

/** Buys as many thousandths of a share as the contribution pays for; the rest stays cash. */
function buy(market: MarketDay, account: Account): void {
  const holding = pick(market.random, traded(market.bank, account))
  const { price, ticker } = quote(market.bank, holding)
  const thousandths = Number((BigInt(contribution.cents) * 1000n) / wholeOf(multiplyExact(price, exact('100'))))
  const quantity = minorUnits(thousandths, 3)
  const amount = multiplyExact(quantity, price)
  enter(market, account, holding, {
    name: `BUY ${ticker}`,
    type: 'buy',
    subtype: 'buy',
    amount,
    quantity,
    price,
    fees: zero,
  })
}

function sell(market: MarketDay, account: Account): void {
  const holding = pick(market.random, traded(market.bank, account))
  const { price, ticker } = quote(market.bank, holding)
  const quantity = negateExact(roundExact(multiplyExact(holding.quantity, exact('0.1')), 3))
  const fees = cents(125)
  const amount = addExact(multiplyExact(quantity, price), fees)
  enter(market, account, holding, {
    name: `SELL ${ticker}`,
    type: 'sell',
    subtype: 'sell',
    amount,
    quantity,
    price,
    fees,
  })
}

function dividends(market: MarketDay, account: Account): void {
  for (const holding of traded(market.bank, account)) {
    const { ticker } = quote(market.bank, holding)
    const amount = negateExact(roundExact(multiplyExact(holding.quantity, exact('0.42')), 2))
    enter(market, account, holding, { name: `${ticker} DIVIDEND`, type: 'cash', subtype: 'dividend', amount })
  }
}

/** Shares that are transferred in from another broker. No cash moves. */
function transferIn(market: MarketDay, account: Account): void {
  const holding = pick(market.random, traded(market.bank, account))
  const { price, ticker } = quote(market.bank, holding)
  const entry = { name: `TRANSFER IN ${ticker}`, type: 'transfer', subtype: 'transfer' } as const
  enter(market, account, holding, { ...entry, amount: zero, quantity: exact('1.5'), price })
}

/**
 * Enters an investment transaction. Cash movements name the cash security, as at Plaid, or no security if rare values
 * are on.
 */
function enter({ bank, day, ids }: MarketDay, account: Account, holding: Holding | null, entry: Entry): void {
  const quantity = entry.quantity ?? zero
  const cash = cashHolding(bank, account)
  const named = holding ?? (bank.backOffice.household?.rare === true ? null : (cash ?? null))
  bank.investmentTransactions.push({
    investment_transaction_id: ids('investment_transaction'),
    cancel_transaction_id: null,
    account_id: account.account_id,
    security_id: named?.security_id ?? null,
    date: day,
    ...entry,
    quantity,
    price: entry.price ?? zero,
    fees: entry.fees ?? null,
    iso_currency_code: account.balances.iso_currency_code,
    unofficial_currency_code: account.balances.unofficial_currency_code,
  })
  if (cash !== undefined) change(cash, negateExact(entry.amount), negateExact(entry.amount))
  if (holding !== null) change(holding, quantity, roundExact(multiplyExact(quantity, entry.price ?? zero), 2))
}

function traded(bank: Bank, { account_id }: Account): Holding[] {
  return bank.holdings.filter((holding) => {
    const { type } = securityOf(bank, holding.security_id)
    return holding.account_id === account_id && (type === 'equity' || type === 'etf' || type === 'mutual fund')
  })
}

function quote(bank: Bank, { security_id }: Holding): { price: RawNumber; ticker: string } {
  const { close_price, ticker_symbol } = securityOf(bank, security_id)
  return { price: close_price ?? zero, ticker: ticker_symbol ?? '' }
}
