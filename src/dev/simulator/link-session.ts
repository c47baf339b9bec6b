// What Link leaves behind: link tokens, public tokens, and the items that a user makes by going through Link.

import type { Bank, Day } from './bank/model.ts'
import type { OpenBank } from './bank/open.ts'
import { openBank } from './bank/open.ts'
import { randomFrom } from './bank/random.ts'
import { failure } from './failure.ts'
import { initialiseTransactions } from './history.ts'
import { seededIds } from './ids.ts'
import { readInvestments } from './investments.ts'
import type { Institution, Product } from './institutions.ts'
import type { Item } from './item.ts'
import type { World } from './world.ts'

/** Plaid's lifetime of a public token. */
const publicTokenLifeMs = 30 * 60_000

export interface PublicToken {
  itemId: string
  expiresAtMs: number
  /** A public token is exchanged once. */
  used: boolean
}

export interface LinkSession {
  id: string
  startedAt: string
  finishedAt: string
  publicToken: string | null
  itemId: string
}

export interface LinkToken {
  token: string
  createdAt: string
  expiresAtMs: number
  clientName: string
  language: string
  countryCodes: readonly string[]
  products: readonly Product[]
  /** Added to the item where the institution has them. */
  productsIfSupported: readonly Product[]
  webhook: string | null
  redirectUri: string | null
  userId: string
  /** Whether the request named the `user_id` itself. */
  namesUserId: boolean
  daysRequested: number | null
  /** The item that the token repairs, or null for a new one. */
  updateItemId: string | null
  accountSelection: boolean
  /** Whether the session's end is told by webhook, as hosted and multi-item Link do. */
  announces: boolean
  sessions: LinkSession[]
}

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
}

/** The user finishes Link: an item that waits for its exchange, and the public token for it. */
export function makeItem(world: World, wanted: NewItem): { item: Item; publicToken: string } {
  const unsupported = wanted.products.find((product) => !wanted.institution.products.includes(product))
  if (unsupported !== undefined)
    throw failure('PRODUCTS_NOT_SUPPORTED', `${wanted.institution.name} has no ${unsupported}`)
  const item = openItem(world, wanted)
  world.items.set(item.itemId, item)
  const publicToken = `public-sandbox-${world.ids.uuid('public')}`
  const expiresAtMs = world.clock.nowMs() + publicTokenLifeMs
  world.publicTokens.set(publicToken, { itemId: item.itemId, expiresAtMs, used: false })
  return { item, publicToken }
}

function openItem(world: World, wanted: NewItem): Item {
  const { institution, username, customUser, endDate } = wanted
  const itemId = world.ids.next('item')
  // The same login has the same bank behind it each time it is linked, under new ids each time.
  const ids = seededIds(`${world.seed}/${itemId}`)
  const bankIds = (kind: string): string => ids.next(kind)
  const today = world.clock.today()
  const bank = bankBehind({
    seed: world.seed,
    institutionId: institution.id,
    username,
    customUser,
    today,
    ids: bankIds,
  })
  if (endDate !== null) bank.transactions = bank.transactions.filter(({ date }) => date <= endDate)
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
    products: [...wanted.products],
    webhook: wanted.webhook,
    lastWebhook: null,
    consentExpirationTime: null,
    bank,
    unshared: [],
    bankIds,
    bankRandom: randomFrom(`${world.seed}/${itemId}/life`),
    livedUntil: today,
    daysRequested: wanted.daysRequested,
    startDate: wanted.startDate,
    transactions: null,
    investments: null,
  }
}

/** The bank; INVALID_FIELD with the field's name when a custom user does not describe one. */
function bankBehind(login: OpenBank): Bank {
  try {
    return openBank(login)
  } catch (error) {
    if (login.customUser === null || !(error instanceof RangeError)) throw error
    throw failure('INVALID_FIELD', `options.override_password: ${error.message}`)
  }
}

/** Exchanges a public token. Fails with INVALID_PUBLIC_TOKEN for one that is unknown, used up or expired. */
export function exchange(world: World, publicToken: string): { accessToken: string; item: Item } {
  const known = world.publicTokens.get(publicToken)
  const item = known === undefined ? undefined : world.items.get(known.itemId)
  const valid = known !== undefined && !known.used && known.expiresAtMs >= world.clock.nowMs()
  // An item that was removed before its exchange does not come back.
  if (!valid || item?.status !== 'unexchanged') throw failure('INVALID_PUBLIC_TOKEN')
  known.used = true
  item.status = 'good'
  const accessToken = newAccessToken(world, item)
  if (item.products.includes('investments')) readInvestments(world, item)
  if (item.products.includes('transactions')) initialiseTransactions(world, item, item.daysRequested)
  return { accessToken, item }
}

/** Gives the item a new access token; the one before is dead at once. */
export function newAccessToken(world: World, item: Item): string {
  if (item.accessToken !== null) world.accessTokens.delete(item.accessToken)
  item.accessToken = `access-sandbox-${world.ids.uuid('access')}`
  world.accessTokens.set(item.accessToken, item.itemId)
  return item.accessToken
}
