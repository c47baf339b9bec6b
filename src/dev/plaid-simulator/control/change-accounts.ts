// Opens and closes accounts at the bank, and revokes the user's consent to an account. Takes the bank's ids.
import type { Account } from '../bank/model.ts'
import { exact } from '../bank/number.ts'
import { persistentIdOf } from '../bank/persistent-ids.ts'
import { between } from '../bank/random.ts'
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'
import { type BankChange, type NewAccount, refuse } from './requests.ts'

/**
 * Opens an account and returns its id. This item's client sees it when the user shares it in update mode, or
 * immediately if it is `shared`. Other items of the login see it when they share it; later items see it from the start.
 */
export function openNewAccount(world: World, item: Item, wanted: NonNullable<BankChange['new_account']>): string {
  const { shared, ...particulars }: NewAccount = wanted === true ? {} : wanted
  const { bank, ids, random, institution } = item.login
  const digits = String(between(random, 0, 9999)).padStart(4, '0')
  const account: Account = {
    account_id: ids('account'),
    balances: {
      available: exact('100.00'),
      current: exact('100.00'),
      limit: null,
      iso_currency_code: 'USD',
      unofficial_currency_code: null,
    },
    mask: particulars.mask === undefined ? digits : particulars.mask,
    name: particulars.name ?? 'New Account',
    official_name: particulars.official_name ?? null,
    type: particulars.type ?? 'depository',
    subtype: particulars.subtype === undefined ? 'savings' : particulars.subtype,
    holder_category: 'personal',
  }
  const persistent = persistentIdOf(institution.id, account, account.account_id)
  bank.accounts.push({ ...account, ...(persistent !== null && { persistent_account_id: persistent }) })
  for (const each of world.items.values()) {
    if (each.login === item.login && !(each === item && shared === true)) each.hidden.unshared.add(account.account_id)
  }
  return account.account_id
}

/** Closes this account, or the newest one, for every item. Its transactions stay. Plaid sends no webhook. */
export function closeAccount(item: Item, wanted: NonNullable<BankChange['close_account']>): string {
  const accountId = openAccountOf(item, typeof wanted === 'object' ? wanted.account_id : wanted)
  item.login.bank.closedAccountIds.add(accountId)
  return accountId
}

/** Revokes the consent to one account, this one or the newest. The item loses the account and its data. */
export function withdrawAccount(item: Item, wanted: NonNullable<BankChange['revoke_account']>): string {
  const accountId = openAccountOf(item, wanted)
  item.hidden.withdrawn.add(accountId)
  return accountId
}

/** The accounts that the item sees and that are open, oldest first. */
export const openAccountsOf = ({ login, bank }: Item): Account[] =>
  login.bank.accounts.filter(
    ({ account_id }) => bank.shares(account_id) && !login.bank.closedAccountIds.has(account_id),
  )

function openAccountOf(item: Item, wanted: string | true): string {
  const open = openAccountsOf(item)
  const account = wanted === true ? open.at(-1) : open.find(({ account_id }) => account_id === wanted)
  if (account === undefined) throw refuse(404, 'the item has no such open account')
  return account.account_id
}
