// The units of sync, how fresh each is kept, and which of them an item gets.
import { type PlaidProduct, plaidProducts } from '../config/config.ts'

export const syncProducts = [
  'item',
  'balances',
  'transactions',
  'recurring',
  'holdings',
  'investment_transactions',
  'liabilities',
] as const
export type SyncProduct = (typeof syncProducts)[number]

const hour = 3600
const day = 24 * hour

export interface Freshness {
  /** Seconds after which a product is due to be read again although nothing was heard, give or take an hour. */
  readonly staleAfterSeconds: number
  /**
   * Its last so many seconds are given to chance: what was read at once, after a deploy or an outage, is read again
   * over so long a time, and the next time over twice that.
   */
  readonly spreadSeconds: number
}

const every = (staleAfterSeconds: number): Freshness => ({ staleAfterSeconds, spreadSeconds: staleAfterSeconds / 3 })

/**
 * Webhooks bring what is new; these bring what was lost. That a webhook went missing is found at no cost by the item's
 * own state, every six hours, which then raises the rest. 100,000 items make 900,000 such looks a day, 625 a minute:
 * `npm run bench -- --only scheduling` shows them beside a day's webhooks under Plaid's limits.
 */
export const freshness: Readonly<Record<SyncProduct, Freshness>> = {
  item: every(6 * hour),
  balances: every(day),
  transactions: every(day),
  recurring: every(day),
  holdings: every(day),
  investment_transactions: every(day),
  liabilities: every(day),
}

const unitsOf: Readonly<Record<PlaidProduct, readonly SyncProduct[]>> = {
  transactions: ['transactions', 'recurring'],
  investments: ['holdings', 'investment_transactions'],
  liabilities: ['liabilities'],
}

/** The product that a unit belongs to; null for those that every item has. */
export const productOf = (unit: string): PlaidProduct | null =>
  plaidProducts.find((product) => unitsOf[product].some((name) => name === unit)) ?? null

/** What Plaid says an item has, or could give without the user's doing. */
export interface ItemCapabilities {
  readonly products: readonly string[] | null
  readonly billed_products: readonly string[] | null
  readonly available_products: readonly string[] | null
  readonly consented_products: readonly string[] | null
}

/**
 * The units for an item: of the products that the operator configured, those that the item has or may get. Its own
 * state and its balances always; all of the configured ones while nothing is known yet.
 */
export function unitsFor(configured: readonly PlaidProduct[], item: ItemCapabilities | null): SyncProduct[] {
  const enabled = new Set([...(item?.products ?? []), ...(item?.billed_products ?? [])])
  const available = new Set(item?.available_products ?? [])
  const consented = item?.consented_products ?? null
  const has = (product: PlaidProduct): boolean =>
    item === null ||
    enabled.has(product) ||
    (available.has(product) && (consented === null || consented.includes(product)))
  return ['item', 'balances', ...configured.filter(has).flatMap((product) => unitsOf[product])]
}
