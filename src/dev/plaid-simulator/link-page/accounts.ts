// The login that the user of a page has, and the accounts that it offers.
import type { Currency, RawNumber } from '../bank/values.ts'
import { customUserOf } from '../items/custom-user-password.ts'
import { openAccountsAt, openLogin } from '../items/link-session.ts'
import { failure } from '../lib/failure.ts'
import type { Item } from '../state/item.ts'
import type { LinkPage } from '../state/link-page.ts'
import type { LinkToken } from '../state/link-token.ts'
import type { Login } from '../state/login.ts'
import type { World } from '../state/world.ts'

/** The user of an open page. */
export interface Visitor {
  readonly world: World
  readonly token: LinkToken
  readonly page: LinkPage
}

/** An account as the page offers it. */
export interface OfferedAccount {
  readonly id: string
  readonly name: string
  readonly mask: string | null
  readonly kind: string
  readonly balance: string | null
  /** Whether the item has the account now; true for a new item. */
  readonly shared: boolean
}

/** The item of update mode, or null for a new one. */
export function updatedItem({ items }: World, { updateItemId }: LinkToken): Item | null {
  return updateItemId === null ? null : (items.get(updateItemId) ?? null)
}

/**
 * Keeps the credentials, which the bank has accepted. Update mode takes only the user name of the item. Fails with a
 * PlaidFailure for a custom user that describes no bank, and for a login without open accounts.
 */
export function logIn({ world, token, page }: Visitor, username: string, password: string): void {
  const item = updatedItem(world, token)
  if (item !== null && item.username !== username) throw failure('INVALID_UPDATED_USERNAME')
  page.credentials = { username, password: username === 'user_custom' ? password : null }
  const login = loginOf(world, token, page)
  if (login === null || openAccountsAt(login).length === 0) throw failure('NO_ACCOUNTS')
}

function loginOf(world: World, token: LinkToken, { institution, credentials }: LinkPage): Login | null {
  const item = updatedItem(world, token)
  if (item !== null) return item.login
  if (institution === null || credentials === null) return null
  const { username, password } = credentials
  return openLogin(world, { institution, username, customUser: customUserOf(username, password) })
}

export function offeredAccounts({ world, token, page }: Visitor): OfferedAccount[] {
  const login = loginOf(world, token, page)
  const item = updatedItem(world, token)
  if (login === null) return []
  return openAccountsAt(login).map(({ account_id, name, mask, type, subtype, balances }) => ({
    id: account_id,
    name,
    mask,
    kind: subtype ?? type,
    balance: balances.current === null ? null : amountText(balances.current, balances),
    shared: item === null || item.bank.shares(account_id),
  }))
}

const twoDecimals = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })

/** For people: with separators and two decimals. */
function amountText(
  { rawJSON }: RawNumber,
  { iso_currency_code: code, unofficial_currency_code: other }: Currency,
): string {
  return `${twoDecimals.format(rawJSON as `${number}`)} ${code ?? other ?? ''}`.trim()
}

/** The accounts that the form names, without those that the bank does not have. */
export function chosenAccounts(visitor: Visitor, form: URLSearchParams): string[] {
  const named = form.getAll('account')
  return offeredAccounts(visitor)
    .map(({ id }) => id)
    .filter((id) => named.includes(id))
}
