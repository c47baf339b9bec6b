// The holdings and investment transactions of a custom user, with the given prices and quantities.
import { currencyOf } from './currency.ts'
import type { CustomAccount, CustomSecurity } from './custom-user.ts'
import type { InvestmentTransaction, Security } from './model-investments.ts'
import type { Account, Bank } from './model.ts'
import { addExact, exact, minorUnits, multiplyExact } from './number.ts'
import { unknownSecurity } from './securities.ts'
import type { Day, Ids, RawNumber } from './values.ts'

const usualSubtype: Readonly<Record<InvestmentTransaction['type'], string>> = {
  buy: 'buy',
  sell: 'sell',
  cancel: 'request',
  cash: 'deposit',
  fee: 'miscellaneous fee',
  transfer: 'transfer',
}

/** Adds the custom account's holdings and investment transactions to the bank. */
export function addCustomInvestments(bank: Bank, custom: CustomAccount, account: Account, ids: Ids): void {
  const { account_id } = account
  const usual = custom.currency ?? 'USD'
  for (const given of custom.holdings ?? []) {
    const { quantity, institution_price, institution_price_as_of = null, currency } = given
    const known = securityFor(bank, given.security ?? {}, currency ?? usual, ids)
    // Plaid reports one holding per account and security, so a second lot gets a security for itself.
    const held = bank.holdings.some((lot) => lot.account_id === account_id && lot.security_id === known.security_id)
    const security = held ? addSecurity(bank, given.security ?? {}, currency ?? usual, ids) : known
    security.close_price = institution_price
    security.close_price_as_of = institution_price_as_of
    bank.holdings.push({
      account_id,
      security_id: security.security_id,
      institution_price,
      institution_price_as_of,
      institution_price_datetime: null,
      institution_value: multiplyExact(quantity, institution_price),
      cost_basis: given.cost_basis ?? null,
      quantity,
      ...currencyOf(currency ?? usual),
      vested_quantity: null,
      vested_value: null,
    })
  }
  for (const given of custom.investment_transactions ?? []) {
    const { date, name, quantity, price, fees = null, type, security, currency } = given
    bank.investmentTransactions.push({
      investment_transaction_id: ids('investment_transaction'),
      cancel_transaction_id: null,
      account_id,
      security_id: security == null ? null : securityFor(bank, security, currency ?? usual, ids).security_id,
      date,
      name,
      quantity,
      amount: addExact(multiplyExact(quantity, price), fees ?? exact('0')),
      price,
      fees,
      type,
      subtype: usualSubtype[type],
      ...currencyOf(currency ?? usual),
    })
  }
  bank.investmentTransactions.sort((left, right) => (left.date < right.date ? -1 : Number(left.date > right.date)))
}

/** The bank's security with the same ticker, CUSIP, ISIN or name, or a new one. */
function securityFor(bank: Bank, given: CustomSecurity, currency: string, ids: Ids): Security {
  const { ticker_symbol: ticker, cusip, isin, name } = given
  const known = bank.securities.find(
    (security) =>
      (ticker != null && security.ticker_symbol === ticker) ||
      (cusip != null && security.cusip === cusip) ||
      (isin != null && security.isin === isin) ||
      (name != null && ticker == null && security.name === name),
  )
  return known ?? addSecurity(bank, given, currency, ids)
}

function addSecurity(bank: Bank, given: CustomSecurity, currency: string, ids: Ids): Security {
  const { ticker_symbol: ticker, cusip, isin, name } = given
  const option = ticker == null ? null : optionOf(ticker)
  const added: Security = {
    ...unknownSecurity(ids),
    name: name ?? ticker ?? null,
    ticker_symbol: ticker ?? null,
    cusip: cusip ?? null,
    isin: isin ?? null,
    sedol: given.sedol ?? null,
    ...kindOf(ticker ?? '', option !== null),
    option_contract: option,
    ...currencyOf(given.currency ?? currency),
  }
  bank.securities.push(added)
  return added
}

/** Plaid writes the ticker of a currency as `CUR:` and its code. */
function kindOf(ticker: string, isOption: boolean): Pick<Security, 'type' | 'subtype' | 'is_cash_equivalent'> {
  if (isOption) return { type: 'derivative', subtype: 'option', is_cash_equivalent: false }
  if (!ticker.startsWith('CUR:')) return { type: 'equity', subtype: 'common stock', is_cash_equivalent: false }
  const cash = currencyOf(ticker.slice(4)).iso_currency_code !== null
  const type = cash ? 'cash' : 'cryptocurrency'
  return { type, subtype: type, is_cash_equivalent: cash }
}

/** The option contract that an OSI symbol encodes: underlying, expiry, call or put, strike price in thousandths. */
function optionOf(ticker: string): Security['option_contract'] {
  const parts = /^([A-Z]+)\s*(\d{2})(\d{2})(\d{2})([CP])(\d{8})$/.exec(ticker)
  if (parts === null) return null
  const [, underlying = '', year = '', month = '', date = '', kind = '', thousandths = '0'] = parts
  return {
    contract_type: kind === 'C' ? 'call' : 'put',
    expiration_date: `20${year}-${month}-${date}` satisfies Day,
    strike_price: strike(Number(thousandths)),
    underlying_security_ticker: underlying,
  }
}

function strike(thousandths: number): RawNumber {
  return multiplyExact(minorUnits(thousandths, 3), exact('1'))
}
