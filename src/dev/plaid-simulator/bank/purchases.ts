// The household's purchases, by day of the week, and occasional refunds.
import { addDays, weekday } from './calendar.ts'
import { fuelHold } from './clearing.ts'
import { accountFor, postedSameDay, type HouseholdDay, type DayEvent } from './day-event.ts'
import { type Merchant, type MerchantKind, merchantsOf, randomMerchant } from './merchants.ts'
import type { Account } from './model.ts'
import { cents, minorUnits, negateExact } from './number.ts'
import type { Draft } from './posting.ts'
import { between, pick, type Random } from './random.ts'
import type { Day } from './values.ts'

// The chance of a purchase, Sunday to Saturday.
const week: readonly (readonly [MerchantKind, readonly number[]])[] = [
  ['grocer', [0.25, 0.08, 0.12, 0.12, 0.12, 0.18, 0.42]],
  ['coffee', [0.12, 0.18, 0.18, 0.18, 0.18, 0.18, 0.14]],
  ['lunch', [0.04, 0.12, 0.12, 0.12, 0.12, 0.14, 0.08]],
  ['dinner', [0.12, 0.02, 0.03, 0.04, 0.08, 0.34, 0.38]],
  ['fuel', [0.08, 0.1, 0.06, 0.06, 0.06, 0.12, 0.1]],
  ['transport', [0.04, 0.1, 0.1, 0.1, 0.1, 0.1, 0.08]],
  ['shop', [0.12, 0.06, 0.06, 0.06, 0.06, 0.08, 0.18]],
  ['health', [0, 0.04, 0.03, 0.03, 0.04, 0.03, 0.02]],
  ['leisure', [0.06, 0.01, 0.01, 0.02, 0.02, 0.06, 0.08]],
  ['abroad', [0.012, 0.012, 0.012, 0.012, 0.012, 0.012, 0.012]],
  ['odd', [0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02]],
]

const foreignFeeCents = 150

/** The day's purchases, by card if the household has one, sometimes from checking. */
export function purchases(ahead: HouseholdDay): DayEvent[] {
  return week.flatMap(([kind, chances]) => {
    const chance = chances[weekday(ahead.day)] ?? 0
    return ahead.random() < chance ? bought(ahead, randomMerchant(ahead.random, kind, ahead.household.rare)) : []
  })
}

/** The kinds of merchants where people buy at any time. */
export function everydayMerchants(rare: boolean): Merchant[] {
  return week.flatMap(([kind]) => [...merchantsOf(kind, rare)])
}

/** A purchase at the merchant, as the account's bank reports it. */
export function purchase(account: Account, merchant: Merchant, day: Day, random: Random): Draft {
  // Squared, so that most purchases are small.
  const units = merchant.low + Math.round((merchant.high - merchant.low) * random() ** 2)
  const draft = { account, day, statement: merchant.statement, merchant, amount: cents(units) }
  if (merchant.currency === undefined) return draft
  const { code, decimals } = merchant.currency
  const currency = { iso_currency_code: code, unofficial_currency_code: null }
  return { ...draft, amount: minorUnits(units, decimals), currency }
}

/** A refund of a purchase of the last weeks: the same merchant and amount, with the opposite sign. */
export function refund(ahead: HouseholdDay): DayEvent[] {
  const { bank, day, random } = ahead
  const account = accountFor(ahead, 'card') ?? accountFor(ahead, 'checking')
  if (account === undefined || random() >= 0.02) return []
  const [first, last] = [addDays(day, -30), addDays(day, -4)]
  const names = new Map(merchantsOf('shop').map((merchant) => [merchant.name, merchant]))
  const returnable = bank.transactions.slice(-120).flatMap(({ account_id, merchant_name, date, amount }) => {
    const merchant = names.get(merchant_name ?? '')
    const recent = date >= first && date <= last && account_id === account.account_id
    return merchant !== undefined && recent && !amount.rawJSON.startsWith('-') ? [{ merchant, amount }] : []
  })
  if (returnable.length === 0) return []
  const { merchant, amount } = pick(random, returnable)
  const draft = { account, amount: negateExact(amount), day, statement: `REFUND ${merchant.statement}`, merchant }
  return [{ draft, settleDays: 2 }]
}

/** How many days a purchase of this day stays pending. Banks do not post on Sundays. */
export function settleDays({ household, random }: HouseholdDay, day: Day): number {
  const days = between(random, household.clearing.fewest, household.clearing.most)
  return weekday(addDays(day, days)) === 0 ? days + 1 : days
}

function bought(ahead: HouseholdDay, merchant: Merchant): DayEvent[] {
  const { day, random } = ahead
  const [card, checking] = [accountFor(ahead, 'card'), accountFor(ahead, 'checking')]
  const account = random() < 0.2 ? (checking ?? card) : (card ?? checking)
  if (account === undefined) return []
  const bill = purchase(account, merchant, day, random)
  const draft = merchant.kind === 'fuel' && random() < 0.5 ? { ...bill, amount: fuelHold } : bill
  const happening = { draft, settleDays: settleDays(ahead, day) }
  if (merchant.currency === undefined) return [happening]
  const category = 'BANK_FEES_FOREIGN_TRANSACTION_FEES'
  const amount = cents(foreignFeeCents)
  return [happening, postedSameDay({ account, amount, day, statement: 'FOREIGN TRANSACTION FEE', category })]
}
