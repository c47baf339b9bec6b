// The securities of the simulated market: invented companies and funds, and one security of every kind that a client
// must handle.
import type { Security } from './model-investments.ts'
import { cents, exact } from './number.ts'
import type { Day, Ids } from './values.ts'

export type Ticker = 'USD' | 'LKSW' | 'NWTL' | 'BMIX' | 'TDFX' | 'NOTE31' | 'LKSW-C' | 'ETH' | 'BTC'

interface Listing {
  readonly name: string
  readonly type: string
  readonly subtype: string
  /** The price two years ago, in cents. */
  readonly cents: number
  /** Whether the price changes. Cash and the bonds here keep theirs. */
  readonly moves: boolean
  readonly more?: Partial<Security>
}

/** The market, in a fixed order. */
export const listings: Readonly<Record<Ticker, Listing>> = {
  USD: { name: 'US Dollar', type: 'cash', subtype: 'cash', cents: 100, moves: false },
  LKSW: {
    name: 'Lakeside Widgets Inc',
    type: 'equity',
    subtype: 'common stock',
    cents: 8412,
    moves: true,
    more: { market_identifier_code: 'XNAS', sector: 'Producer Manufacturing', industry: 'Industrial Machinery' },
  },
  NWTL: {
    name: 'Northwind Tools Corp',
    type: 'equity',
    subtype: 'common stock',
    cents: 15_237,
    moves: true,
    more: { market_identifier_code: 'XNYS', sector: 'Retail Trade', industry: 'Home Improvement Chains' },
  },
  BMIX: { name: 'Broad Market Index ETF', type: 'etf', subtype: 'etf', cents: 21_940, moves: true },
  TDFX: { name: 'Target Date 2055 Fund', type: 'mutual fund', subtype: 'mutual fund', cents: 2731, moves: true },
  NOTE31: {
    name: 'US Treasury Note 4.25% 2031',
    type: 'fixed income',
    subtype: 'bond',
    cents: 9862,
    moves: false,
    more: {
      sector: 'Government',
      fixed_income: {
        yield_rate: { percentage: exact('4.25'), type: 'coupon' },
        maturity_date: '2031-05-15',
        issue_date: '2021-05-15',
        face_value: exact('100'),
      },
    },
  },
  'LKSW-C': {
    name: "LKSW Jan 21'28 $90 Call",
    type: 'derivative',
    subtype: 'option',
    cents: 640,
    moves: true,
    more: {
      cfi_code: 'OCASPS',
      option_contract: {
        contract_type: 'call',
        expiration_date: '2028-01-21',
        strike_price: exact('90'),
        underlying_security_ticker: 'LKSW',
      },
    },
  },
  ETH: { name: 'Ethereum', type: 'cryptocurrency', subtype: 'cryptocurrency', cents: 311_845, moves: true },
  BTC: { name: 'Bitcoin', type: 'cryptocurrency', subtype: 'cryptocurrency', cents: 6_430_217, moves: true },
}

/** A listed security as Plaid shows it. */
export function listedSecurity(ticker: Ticker, day: Day, ids: Ids): Security {
  const listing = listings[ticker]
  return {
    ...unknownSecurity(ids),
    name: listing.name,
    ticker_symbol: ticker,
    is_cash_equivalent: listing.type === 'cash',
    type: listing.type,
    subtype: listing.subtype,
    close_price: cents(listing.cents),
    close_price_as_of: day,
    iso_currency_code: 'USD',
    ...listing.more,
  }
}

/** A security of which only its new id is known. */
export function unknownSecurity(ids: Ids): Security {
  return {
    security_id: ids('security'),
    isin: null,
    cusip: null,
    sedol: null,
    institution_security_id: null,
    institution_id: null,
    proxy_security_id: null,
    name: null,
    ticker_symbol: null,
    is_cash_equivalent: null,
    type: null,
    subtype: null,
    close_price: null,
    close_price_as_of: null,
    update_datetime: null,
    iso_currency_code: null,
    unofficial_currency_code: null,
    market_identifier_code: null,
    sector: null,
    industry: null,
    cfi_code: null,
    option_contract: null,
    fixed_income: null,
  }
}
