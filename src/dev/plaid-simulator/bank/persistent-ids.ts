// Ids that stay the same each time an account is linked. Only depository accounts at institutions with tokenised
// account numbers have one.
import type { Account, Bank } from './model.ts'
import { merchantEntityId } from './posting.ts'

/** Chase, PNC, US Bank and the sandbox's OAuth bank (Plaid, `persistent_account_id`). */
const tokenised: ReadonlySet<string> = new Set(['ins_56', 'ins_13', 'ins_127990', 'ins_127287'])

/** The account's persistent id, or null if Plaid gives none. `owner` identifies the account's owner. */
export function persistentIdOf(institutionId: string, { type, name, mask }: Account, owner: string): string | null {
  if (type !== 'depository' || !tokenised.has(institutionId)) return null
  return merchantEntityId(`${owner}/${name}/${mask ?? ''}`)
}

/** Sets the persistent ids of the bank's accounts. */
export function setPersistentIds({ accounts }: Bank, institutionId: string, owner: string): void {
  for (const account of accounts) {
    const id = persistentIdOf(institutionId, account, owner)
    if (id !== null) account.persistent_account_id = id
  }
}
