// Which currency codes are official (ISO 4217).
import type { Currency } from './values.ts'

const official = new Set(Intl.supportedValuesOf('currency'))

/**
 * The code as Plaid reports it: official codes in `iso_currency_code`, all others (`BTC`, `POINTS`) in
 * `unofficial_currency_code`.
 */
export function currencyOf(code: string): Currency {
  const iso = official.has(code)
  return { iso_currency_code: iso ? code : null, unofficial_currency_code: iso ? null : code }
}
