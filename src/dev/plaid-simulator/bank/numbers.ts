// Account and routing numbers for `/auth/get`, invented from the seed.
import type { Account, AccountNumbers } from './model.ts'
import { between, type Random } from './random.ts'

/** Plaid's published sandbox routing numbers: no real account can be paid into by mistake. */
const routing = { ach: '011401533', wire: '021000021' }

/** Numbers of a checking or savings account in dollars, ending in its mask; undefined for every other account. */
export function numbersOf(
  { account_id, balances, mask, subtype }: Account,
  random: Random,
): AccountNumbers | undefined {
  const held = subtype === 'checking' || subtype === 'savings'
  if (!held || balances.iso_currency_code !== 'USD') return undefined
  const account = `${between(random, 111_111, 999_999)}${mask ?? ''}`
  return {
    ach: {
      account_id,
      account,
      routing: routing.ach,
      wire_routing: routing.wire,
      is_tokenized_account_number: false,
    },
    eft: null,
    international: null,
    bacs: null,
  }
}
