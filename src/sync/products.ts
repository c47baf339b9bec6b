// The products that are synced separately, how often each is read, and which of them an item has.
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
  /** Seconds after which a product is read again even without a webhook; accurate to an hour. */
  readonly staleAfterSeconds: number
  /**
   * The read happens at a random time in the last `spreadSeconds`. Products that were read at the same time, after a
   * deploy or an outage, are read again over that period, and the next time over twice that period.
   */
  readonly spreadSeconds: number
}

const every = (staleAfterSeconds: number): Freshness => ({ staleAfterSeconds, spreadSeconds: staleAfterSeconds / 3 })

/**
 * Webhooks report new data; these reads find data whose webhook was lost. The item's own state (`/item/get`, free) is
 * read every six hours and shows missed webhooks; the run then marks the other products dirty. 100,000 items need
 * 900,000 such reads a day, 625 a minute. `npm run bench -- --only scheduling` simulates them together with a day's
 * webhooks under Plaid's limits.
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

/** The Plaid product that a unit belongs to; null for units that every item has. */
export const productOf = (unit: string): PlaidProduct | null =>
  plaidProducts.find((product) => unitsOf[product].some((name) => name === unit)) ?? null

/** The products that an item has or can get without an action of the user. */
export interface ItemCapabilities {
  readonly products: readonly string[] | null
  readonly billed_products: readonly string[] | null
  readonly available_products: readonly string[] | null
  readonly consented_products: readonly string[] | null
}

/**
 * The units of an item: `item` and `balances` always, and those of the configured products that the item has or can
 * get. While the item's capabilities are unknown, all configured products.
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
