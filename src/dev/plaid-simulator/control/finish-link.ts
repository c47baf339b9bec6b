// Plays a user in Link with a link token, for a control and for the pages in link-page.
import type * as z from 'zod'
import { type Institution, institutionById, institutions, type Product } from '../bank/institutions.ts'
import { customUserOf } from '../items/custom-user-password.ts'
import { pullChanges } from '../items/history.ts'
import { makeItem, shareAccounts } from '../items/link-session.ts'
import { repairLogin } from '../items/login-status.ts'
import { errorInside, isErrorCode, PlaidFailure } from '../lib/failure.ts'
import { type ExitPoint, type LinkSession, type LinkToken, statusOf } from '../state/link-token.ts'
import type { World } from '../state/world.ts'
import { itemAddResult, linkEvents, sessionFinished, type WebhookBody } from '../webhooks/events.ts'
import { sendWebhooks } from '../webhooks/send.ts'
import { type linkChoice, type linkRequest, refuse } from './requests.ts'

type LinkRequest = z.infer<typeof linkRequest>
type Choice = z.infer<typeof linkChoice>
type ExitRequest = Exclude<LinkRequest['exit'], true | undefined>

export interface Finished {
  /** The items that this call added. `public_token` and `item_id` are those of the first. */
  public_token: string | null
  item_id: string | null
  public_tokens: string[]
  item_ids: string[]
  link_session_id: string
  /** Null while the session is open. */
  status: 'SUCCESS' | 'EXITED' | null
}

/** As `playLink`, with the failures that Link would show as errors of the control. */
export function finishLink(world: World, wanted: LinkRequest): Finished {
  try {
    return playLink(world, wanted)
  } catch (error) {
    if (error instanceof PlaidFailure)
      throw refuse(400, `Link would show ${error.body.error_code}: ${error.body.error_message}`)
    throw error
  }
}

/**
 * Plays the user in the link token's open session, or in a new one. New items get the token's webhook, products and
 * days. Update mode repairs the item, shares further accounts if the token has account selection, and returns no public
 * token. `items` adds several items in one multi-item session, `finish: false` leaves the session open for another
 * call, and `exit` leaves Link without a further item. `open` only opens the session. `abandon` leaves it open for ever
 * and reports its events. Hosted and multi-item sessions send webhooks. Fails with a PlaidFailure if the bank or Plaid refuses.
 */
export function playLink(world: World, wanted: LinkRequest): Finished {
  const token = world.linkTokens.get(wanted.link_token)
  if (token === undefined || token.expiresAtMs < world.clock.nowMs())
    throw refuse(404, 'there is no such link token now')
  const choices = choicesOf(token, wanted)
  const session = openSession(world, token)
  const before = session.added.length
  const updates = token.updateItemId !== null && !leaves(wanted)
  const updatedItem = updates ? update(world, token, wanted.account_ids ?? null) : null
  session.updated ||= updatedItem !== null
  for (const choice of choices) {
    const added = linkNew(world, token, choice)
    session.added.push(added)
    announce(world, token, itemAddResult(token.token, session.id, added.publicToken))
  }
  if (wanted.exit !== undefined && wanted.exit !== true) session.exit = exitPointOf(wanted.exit)
  if (wanted.abandon !== undefined) announceEvents(world, token, session)
  else if (wanted.finish !== false && wanted.open !== true) finish(world, token, session)
  const added = session.added.slice(before)
  return {
    public_token: added[0]?.publicToken ?? null,
    item_id: added[0]?.itemId ?? updatedItem,
    public_tokens: added.map(({ publicToken }) => publicToken),
    item_ids: added.map(({ itemId }) => itemId),
    link_session_id: session.id,
    status: session.finished === null ? null : statusOf(session),
  }
}

/** Whether the user links and repairs nothing in this call. */
const leaves = ({ open, exit, abandon }: LinkRequest): boolean =>
  open === true || exit !== undefined || abandon === 'opened'

/** What the user links in this call: nothing in update mode or on exit, otherwise one or more banks. */
function choicesOf(token: LinkToken, wanted: LinkRequest): Choice[] {
  const { items, finish: ends } = wanted
  if ((items !== undefined || ends === false) && (!token.multiItem || token.updateItemId !== null)) {
    throw refuse(400, 'items and finish: false need a link token with enable_multi_item_link')
  }
  if (leaves(wanted) || token.updateItemId !== null) return []
  if (Array.isArray(items)) return items
  if (items === undefined) return [wanted]
  return banksFor(token, wanted, items).map((institution_id) => ({ ...wanted, institution_id }))
}

/** `count` different institutions with the products; `institution_id` comes first. */
function banksFor(token: LinkToken, { institution_id, products }: LinkRequest, count: number): string[] {
  const needed = products ?? token.products
  const able = institutions.filter((each) => needed.every((product) => each.products.includes(product)))
  const ids = able.map(({ id }) => id).filter((id) => id !== institution_id)
  const chosen = [...(institution_id === undefined ? [] : [institution_id]), ...ids].slice(0, count)
  if (chosen.length < count) throw refuse(400, `only ${chosen.length} institutions have these products`)
  return chosen
}

function openSession(world: World, { sessions }: LinkToken): LinkSession {
  const open = sessions.find(({ finished }) => finished === null)
  if (open !== undefined) return open
  const session: LinkSession = {
    id: world.ids.uuid('session'),
    startedAt: world.clock.timestamp(),
    finished: null,
    added: [],
    updated: false,
    exit: null,
    events: [],
  }
  sessions.push(session)
  return session
}

function exitPointOf({ institution_id: id, status, error_code: code }: ExitRequest): ExitPoint {
  const bank = institutionById(id ?? '')
  const institution = bank === null ? null : { name: bank.name, institution_id: bank.id }
  return { institution, status, error: code !== undefined && isErrorCode(code) ? errorInside(code) : null }
}

/** Sends what the user did in the session, as Plaid does after the end of a hosted one, and after it was abandoned. */
export function announceEvents(world: World, token: LinkToken, session: LinkSession): void {
  announce(world, token, linkEvents(token.token, session))
}

function finish(world: World, token: LinkToken, session: LinkSession): void {
  session.finished = { at: world.clock.timestamp(), ms: world.clock.nowMs() }
  announce(world, token, sessionFinished(token, session))
}

function announce(world: World, token: LinkToken, body: WebhookBody): void {
  if (!token.reportsByWebhook || token.webhook === null || world.replaying) return
  world.delivery.send(null, token.webhook, body)
}

function linkNew(world: World, token: LinkToken, wanted: Choice): LinkSession['added'][number] {
  const institution = institutionById(wanted.institution_id ?? 'ins_109508')
  if (institution === null) throw refuse(404, `there is no institution ${wanted.institution_id ?? ''}`)
  const username = wanted.username ?? 'user_good'
  const { item, publicToken } = makeItem(world, {
    institution,
    products: wanted.products ?? productsAt(institution, token),
    username,
    customUser: customUserOf(username, wanted.password ?? null),
    webhook: token.webhook,
    userId: token.userId,
    linkedWithUserId: token.namesUserId,
    daysRequested: token.daysRequested,
    startDate: null,
    endDate: null,
    sharedAccounts: wanted.account_ids ?? null,
  })
  return { publicToken, itemId: item.itemId }
}

function productsAt({ products }: Institution, token: LinkToken): Product[] {
  const supported = token.productsIfSupported.filter((product) => products.includes(product))
  return [...new Set([...token.products, ...supported])]
}

function update(world: World, token: LinkToken, accounts: readonly string[] | null): string {
  const item = world.items.get(token.updateItemId ?? '')
  if (item === undefined || item.status === 'removed' || item.status === 'revoked')
    throw refuse(404, 'the item is gone')
  repairLogin(world, item)
  if (token.accountSelection) shareAccounts(item, accounts)
  for (const product of token.consents) {
    if (item.absent.get(product) === 'ADDITIONAL_CONSENT_REQUIRED') item.absent.delete(product)
  }
  sendWebhooks(world, item, pullChanges(world, item))
  return item.itemId
}
