// Which currency codes are official.
import type { Currency } from './values.ts'

const official = new Set(Intl.supportedValuesOf('currency'))

/** The code in the field that it belongs to: ISO 4217's in one, every other (`BTC`, `POINTS`) in the other. */
export function currencyOf(code: string): Currency {
  const iso = official.has(code)
  return { iso_currency_code: iso ? code : null, unofficial_currency_code: iso ? null : code }
}
