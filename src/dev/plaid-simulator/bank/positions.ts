// Holdings and their values. The account's balance is always the exact sum of its holdings.
import { sameCurrency, total } from './booking.ts'
import type { Holding, Security } from './model-investments.ts'
import type { Account, Bank } from './model.ts'
import { addExact, cents, exact, multiplyExact } from './number.ts'
import type { Day, RawNumber } from './values.ts'

/** A holding at the security's current price. */
export function position(account: Account, security: Security, quantity: RawNumber, costBasis: RawNumber): Holding {
  const price = security.close_price ?? exact('0')
  return {
    account_id: account.account_id,
    security_id: security.security_id,
    institution_price: price,
    institution_price_as_of: security.close_price_as_of,
    institution_price_datetime: null,
    institution_value: multiplyExact(quantity, price),
    cost_basis: costBasis,
    quantity,
    iso_currency_code: security.iso_currency_code,
    unofficial_currency_code: security.unofficial_currency_code,
    vested_quantity: null,
    vested_value: null,
  }
}

/**
 * The security of a holding.
 * @throws RangeError if the bank does not have it
 */
export function securityOf(bank: Bank, securityId: string): Security {
  const security = bank.securities.find(({ security_id }) => security_id === securityId)
  if (security === undefined) throw new RangeError(`no such security: ${securityId}`)
  return security
}

/** The account's cash holding, if it has one. */
export function cashHolding(bank: Bank, account: Account): Holding | undefined {
  return bank.holdings.find(
    ({ account_id, security_id }) => account_id === account.account_id && securityOf(bank, security_id).type === 'cash',
  )
}

/** Adds units (or removes negative ones) and their cost. */
export function change(holding: Holding, units: RawNumber, cost: RawNumber): void {
  holding.quantity = addExact(holding.quantity, units)
  holding.cost_basis = addExact(holding.cost_basis ?? exact('0'), cost)
}

/** Updates the value of every holding and the accounts' balances. */
export function revalue(bank: Bank, day: Day): void {
  for (const security of bank.securities) {
    const price = bank.backOffice.pricesInCents.get(security.security_id)
    if (price === undefined) continue
    security.close_price = cents(price)
    security.close_price_as_of = day
  }
  for (const holding of bank.holdings) {
    const security = securityOf(bank, holding.security_id)
    holding.institution_price = security.close_price ?? holding.institution_price
    holding.institution_price_as_of = security.close_price_as_of
    holding.institution_value = multiplyExact(holding.quantity, holding.institution_price)
  }
  for (const account of bank.accounts) if (account.type === 'investment') balance(bank, account)
}

function balance(bank: Bank, { account_id, balances }: Account): void {
  const own = bank.holdings.filter((holding) => holding.account_id === account_id && sameCurrency(holding, balances))
  const isCash = (holding: Holding): boolean => securityOf(bank, holding.security_id).type === 'cash'
  balances.current = total(own.map(({ institution_value }) => institution_value))
  balances.available = total(own.filter(isCash).map(({ institution_value }) => institution_value))
}
