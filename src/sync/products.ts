// The units of sync, how fresh each is kept, and which of them an item gets.
import type { PlaidProduct } from '../config.ts'

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

interface Freshness {
  /** Seconds after which a product is read again although nothing was heard. */
  readonly staleAfterSeconds: number
  /** Half of what Plaid allows a client in an hour for the endpoint, so that users' own calls always fit beside. */
  readonly hourlyLimit: number
}

/** Plaid's limits a minute and client: sync 2,500 · recurring 1,000 · accounts 15,000 · holdings 2,000 · investments 20,000 · liabilities 1,000 · item 5,000. */
export const freshness: Readonly<Record<SyncProduct, Freshness>> = {
  item: { staleAfterSeconds: 6 * hour, hourlyLimit: 150_000 },
  balances: { staleAfterSeconds: 12 * hour, hourlyLimit: 450_000 },
  transactions: { staleAfterSeconds: hour, hourlyLimit: 75_000 },
  recurring: { staleAfterSeconds: day, hourlyLimit: 30_000 },
  holdings: { staleAfterSeconds: day, hourlyLimit: 60_000 },
  investment_transactions: { staleAfterSeconds: day, hourlyLimit: 600_000 },
  liabilities: { staleAfterSeconds: day, hourlyLimit: 30_000 },
}

const unitsOf: Readonly<Record<PlaidProduct, readonly SyncProduct[]>> = {
  transactions: ['transactions', 'recurring'],
  investments: ['holdings', 'investment_transactions'],
  liabilities: ['liabilities'],
}

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
