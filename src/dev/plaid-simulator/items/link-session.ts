// What a Link session creates: items, their public tokens, and the access tokens that these are exchanged for.
import type { Institution, Product } from '../bank/institutions.ts'
import type { Account } from '../bank/model.ts'
import type { Day } from '../bank/values.ts'
import { failure } from '../lib/failure.ts'
import type { Item } from '../state/item.ts'
import type { Login } from '../state/login.ts'
import { rekey } from '../state/rekey.ts'
import { type HiddenFromItem, seenBank } from '../state/seen-bank.ts'
import type { World } from '../state/world.ts'
import { itemError } from '../webhooks/events.ts'
import { sendWebhooks } from '../webhooks/send.ts'
import { initialiseTransactions, pullLogin } from './history.ts'
import { readInvestments } from './investments.ts'
import { requireLogin } from './login-status.ts'
import { type Credentials, livingItems, loginWith } from './logins.ts'

/** Plaid's lifetime of a public token. */
const publicTokenLifeMs = 30 * 60_000

export interface NewItem {
  institution: Institution
  products: readonly Product[]
  username: string
  /** The parsed JSON of a custom user's password, or null. */
  customUser: unknown
  webhook: string | null
  userId: string
  linkedWithUserId: boolean
  daysRequested: number | null
  startDate: Day | null
  endDate: Day | null
  /** The accounts that the user shares, by the bank's ids; null for all. */
  sharedAccounts: readonly string[] | null
}

/** The user finishes Link: makes an item that waits for its exchange, and its public token. */
export function makeItem(world: World, wanted: NewItem): { item: Item; publicToken: string } {
  const unsupported = wanted.products.find((product) => !wanted.institution.products.includes(product))
  if (unsupported !== undefined)
    throw failure('PRODUCTS_NOT_SUPPORTED', `${wanted.institution.name} has no ${unsupported}`)
  const login = openLogin(world, wanted)
  const item = openItem(world, wanted, login)
  if (item.institution.secondItemEndsFirst) breakOtherItems(world, item)
  world.items.set(item.itemId, item)
  const publicToken = `public-sandbox-${world.ids.uuid('public')}`
  const expiresAtMs = world.clock.nowMs() + publicTokenLifeMs
  world.publicTokens.set(publicToken, { itemId: item.itemId, expiresAtMs, used: false })
  return { item, publicToken }
}

/** The bank as of today. Days that passed there also changed the login's other items, which send their webhooks now. */
export function openLogin(world: World, credentials: Credentials): Login {
  const { login, passed } = loginWith(world, credentials)
  if (passed) pullLogin(world, login)
  return login
}

/** Shares exactly these accounts of the open ones, by the bank's ids; null for all. */
export function shareAccounts(
  { login, hidden }: Pick<Item, 'login' | 'hidden'>,
  chosen: readonly string[] | null,
): void {
  if (chosen === null) {
    hidden.unshared.clear()
    hidden.withdrawn.clear()
    return
  }
  for (const { account_id } of openAccountsAt(login)) {
    hidden.withdrawn.delete(account_id)
    if (chosen.includes(account_id)) hidden.unshared.delete(account_id)
    else hidden.unshared.add(account_id)
  }
}

/** The accounts that the user sees at the bank. */
export function openAccountsAt({ bank }: Login): Account[] {
  return bank.accounts.filter(({ account_id }) => !bank.closedAccountIds.has(account_id))
}

/** Breaks the login's other items: the bank gives access to the newest one only. */
function breakOtherItems(world: World, { login }: Item): void {
  for (const other of livingItems(world, login)) {
    if (other.status !== 'good') continue
    requireLogin(other)
    sendWebhooks(world, other, [itemError(other, 'ITEM_LOGIN_REQUIRED')])
  }
}

function openItem(world: World, wanted: NewItem, login: Login): Item {
  const { institution, username, endDate } = wanted
  const itemId = world.ids.next('item')
  const late = login.bank.transactions.filter(({ date }) => endDate !== null && date > endDate)
  const hidden: HiddenFromItem = {
    unshared: new Set(),
    withdrawn: new Set(),
    cutOff: new Set(late.map(({ transaction_id }) => transaction_id)),
  }
  shareAccounts({ login, hidden }, wanted.sharedAccounts)
  return {
    itemId,
    institution,
    username,
    userId: wanted.userId,
    linkedWithUserId: wanted.linkedWithUserId,
    createdAt: world.clock.timestamp(),
    accessToken: null,
    status: 'unexchanged',
    error: null,
    absent: new Map(),
    products: [...wanted.products],
    webhook: wanted.webhook,
    lastWebhook: null,
    consentExpirationTime: null,
    login,
    bank: seenBank(login.bank, rekey(`${world.seed}/${itemId}`), hidden),
    hidden,
    daysRequested: wanted.daysRequested,
    startDate: wanted.startDate,
    transactions: null,
    investments: null,
  }
}

/** Exchanges a public token. Fails with INVALID_PUBLIC_TOKEN for one that is unknown, used or expired. */
export function exchange(world: World, publicToken: string): { accessToken: string; item: Item } {
  const known = world.publicTokens.get(publicToken)
  const item = known === undefined ? undefined : world.items.get(known.itemId)
  const valid = known !== undefined && !known.used && known.expiresAtMs >= world.clock.nowMs()
  // An item that was removed before its exchange stays removed.
  if (!valid || item?.status !== 'unexchanged') throw failure('INVALID_PUBLIC_TOKEN')
  known.used = true
  item.status = 'good'
  const accessToken = newAccessToken(world, item)
  if (item.products.includes('investments')) readInvestments(world, item)
  if (item.products.includes('transactions')) initialiseTransactions(world, item, item.daysRequested)
  return { accessToken, item }
}

/** Gives the item a new access token and invalidates the old one immediately. */
export function newAccessToken(world: World, item: Item): string {
  if (item.accessToken !== null) world.accessTokens.delete(item.accessToken)
  item.accessToken = `access-sandbox-${world.ids.uuid('access')}`
  world.accessTokens.set(item.accessToken, item.itemId)
  return item.accessToken
}
