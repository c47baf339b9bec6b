// A customer's habits, which stay the same from month to month. Drawn once from the seed.
import { type Merchant, merchantsOf } from './merchants.ts'
import { between, pick, type Random } from './random.ts'

/** What the customer uses an account for. */
export type Role = 'checking' | 'savings' | 'card' | 'mortgage' | 'student' | 'ira' | 'wallet' | 'abroad'

/** A bill on a fixed day of each month, between `low` and `high` cents. */
export interface Bill {
  readonly merchant: Merchant
  readonly day: number
  readonly low: number
  readonly high: number
}

export interface Household {
  /** Account ids by role. Roles that the institution does not offer are absent. */
  readonly accounts: Partial<Record<Role, string>>
  readonly employer: string
  readonly salaryCents: number
  readonly rentCents: number
  readonly mortgageCents: number
  readonly bills: readonly Bill[]
  /** Whether the data contain values that Plaid's sandbox never returns; see rare-values.ts. */
  readonly rare: boolean
  /** How many days a card purchase stays pending. A Sunday adds a day. */
  readonly clearing: { readonly fewest: number; readonly most: number }
}

export interface HouseholdPlan {
  accounts: Household['accounts']
  /** More transactions are pending, and for longer, as with Plaid's `user_transactions_dynamic`. */
  dynamic: boolean
  rare: boolean
}

/** Draws a household from the random source. */
export function householdOf(plan: HouseholdPlan, random: Random): Household {
  return {
    accounts: plan.accounts,
    rare: plan.rare,
    employer: pick(random, ['Lakeside Widgets', 'Bluebird Logistics', 'Northwind Tools', 'Juniper Labs']),
    salaryCents: between(random, 226_000, 252_000),
    rentCents: between(random, 134, 156) * 1000,
    mortgageCents: between(random, 88_000, 96_000),
    bills: [...bills(random, 'utility', 3, 25), ...bills(random, 'subscription', 2, 27)],
    clearing: plan.dynamic ? { fewest: 3, most: 6 } : { fewest: 1, most: 2 },
  }
}

function bills(random: Random, kind: 'utility' | 'subscription', firstDay: number, lastDay: number): Bill[] {
  return merchantsOf(kind).map((merchant) => {
    const usual = between(random, merchant.low, merchant.high)
    // A subscription costs the same every month; a utility bill varies.
    const spread = kind === 'utility' ? Math.round(usual / 6) : 0
    return { merchant, day: between(random, firstDay, lastDay), low: usual - spread, high: usual + spread }
  })
}
