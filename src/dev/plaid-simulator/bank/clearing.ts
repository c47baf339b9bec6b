// How a pending transaction becomes a posted one. The posted one has a new id, and sometimes another amount, name and
// date.
import type { Transaction } from './model.ts'
import { addExact, cents, compareExact, exact, multiplyExact, roundExact } from './number.ts'
import { between, type Random } from './random.ts'
import type { Day, Ids } from './values.ts'

export interface Clearing {
  random: Random
  ids: Ids
  /** Whether the posted transaction names the pending one in `pending_transaction_id`. Some banks never do. */
  link: boolean
  /** The day on which it posts. */
  today: Day
}

/** The amount that a fuel pump authorises before it knows the price of the purchase. */
export const fuelHold = exact('1.00')

const tipped = new Set(['FOOD_AND_DRINK_RESTAURANT', 'FOOD_AND_DRINK_COFFEE'])

/** The posted transaction that replaces a pending one. Does not change the bank's books. */
export function postedFrom(pending: Transaction, { random, ids, link, today }: Clearing): Transaction {
  const amount = finalAmount(pending, random)
  const renamed = pending.merchant_name !== null && random() < 0.3
  return {
    ...pending,
    transaction_id: ids('transaction'),
    pending_transaction_id: link ? pending.transaction_id : null,
    pending: false,
    amount,
    date: today > pending.date ? today : pending.date,
    authorized_date: pending.authorized_date ?? pending.date,
    name: renamed ? (pending.merchant_name ?? pending.name) : pending.name,
  }
}

function finalAmount({ amount, personal_finance_category }: Transaction, random: Random): Transaction['amount'] {
  const category = personal_finance_category?.detailed ?? ''
  if (category === 'TRANSPORTATION_GAS' && compareExact(amount, fuelHold) === 0) {
    return cents(between(random, 2800, 6200))
  }
  if (!tipped.has(category) || compareExact(amount, exact('0')) <= 0 || random() >= 0.5) return amount
  const share = exact(`0.${between(random, 10, 22)}`)
  return addExact(amount, roundExact(multiplyExact(amount, share), decimalsOf(amount.rawJSON)))
}

// The number of decimals follows the currency: a tip in yen has none.
function decimalsOf(text: string): number {
  return /\.(\d+)$/.exec(text)?.[1]?.length ?? 0
}
