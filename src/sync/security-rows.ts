// Maps Plaid's securities to rows for the database.
import type { SecurityFacts } from '../db/records/investments-merge.ts'
import type { PlaidSecurity } from '../plaid/schemas.ts'

/** Several pages can list a security; the last entry is the newest. */
export function securityFacts(securities: readonly PlaidSecurity[]): SecurityFacts[] {
  const newest = new Map(securities.map((security) => [security.security_id, security]))
  return [...newest.values()].map((security) => ({
    plaidSecurityId: security.security_id,
    name: security.name,
    tickerSymbol: security.ticker_symbol,
    type: security.type,
    isCashEquivalent: security.is_cash_equivalent,
    closePrice: security.close_price,
    closePriceAsOf: security.close_price_as_of,
    isoCurrencyCode: security.iso_currency_code,
    unofficialCurrencyCode: security.unofficial_currency_code,
  }))
}
