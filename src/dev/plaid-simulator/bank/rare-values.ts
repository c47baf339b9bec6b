// The user with values that Plaid's schema allows and Plaid's sandbox never returns: transactions without a category,
// investment transactions without a security, names that break careless code, foreign and unofficial currencies.
import type { Role } from './household.ts'

/** Plaid has no such user; the name follows its `user_transactions_dynamic`. */
export const rareValuesUser = 'user_rare_values'

/** Accounts that only this user has. */
export const rareRoles: ReadonlySet<Role | undefined> = new Set<Role | undefined>(['wallet', 'abroad'])
