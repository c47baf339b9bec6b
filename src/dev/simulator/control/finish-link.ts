// Plays the user who goes through Link with a link token: a control, since Link itself is a page of Plaid's.

import type * as z from 'zod'

import { customUserOf } from '../custom-user.ts'
import { PlaidFailure } from '../failure.ts'
import { newsOf, pull } from '../history.ts'
import type { Institution, Product } from '../institutions.ts'
import { institutionById } from '../institutions.ts'
import type { LinkToken } from '../link-session.ts'
import { makeItem } from '../link-session.ts'
import { repairLogin } from '../login.ts'
import { itemAddResult, sessionFinished } from '../webhooks/events.ts'
import type { World } from '../world.ts'
import { sendWebhooks } from '../world.ts'
import { shareNewAccounts } from './change-accounts.ts'
import type { linkRequest } from './requests.ts'
import { refuse } from './requests.ts'

type LinkRequest = z.infer<typeof linkRequest>

/**
 * A new item with the link token's webhook, products and days, and its public token; in update mode the item is repaired, what
 * it did not share yet is shared if the token asked for account selection, and the public token is null.
 */
export function finishLink(world: World, wanted: LinkRequest): { public_token: string | null; item_id: string } {
  const token = world.linkTokens.get(wanted.link_token)
  if (token === undefined || token.expiresAtMs < world.clock.nowMs())
    throw refuse(404, 'there is no such link token now')
  const startedAt = world.clock.timestamp()
  const { publicToken, itemId } = token.updateItemId === null ? linkNew(world, token, wanted) : update(world, token)
  const session = { id: world.ids.uuid('session'), startedAt, finishedAt: world.clock.timestamp(), publicToken, itemId }
  token.sessions.push(session)
  if (token.announces && token.webhook !== null && !world.replaying) {
    const tokens = publicToken === null ? [] : [publicToken]
    for (const each of tokens) world.delivery.send(null, token.webhook, itemAddResult(token.token, session.id, each))
    world.delivery.send(null, token.webhook, sessionFinished(token.token, session.id, tokens))
  }
  return { public_token: publicToken, item_id: itemId }
}

function linkNew(world: World, token: LinkToken, wanted: LinkRequest) {
  const institution = institutionById(wanted.institution_id ?? 'ins_109508')
  if (institution === null) throw refuse(404, `there is no institution ${wanted.institution_id ?? ''}`)
  const username = wanted.username ?? 'user_good'
  try {
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
    })
    return { publicToken, itemId: item.itemId }
  } catch (error) {
    if (error instanceof PlaidFailure)
      throw refuse(400, `Link would show ${error.body.error_code}: ${error.body.error_message}`)
    throw error
  }
}

function productsAt({ products }: Institution, token: LinkToken): Product[] {
  const supported = token.productsIfSupported.filter((product) => products.includes(product))
  return [...new Set([...token.products, ...supported])]
}

function update(world: World, token: LinkToken) {
  const item = world.items.get(token.updateItemId ?? '')
  if (item === undefined || item.status === 'removed' || item.status === 'revoked')
    throw refuse(404, 'the item is gone')
  repairLogin(world, item)
  if (token.accountSelection) shareNewAccounts(item)
  sendWebhooks(world, item, newsOf(item, pull(world, item)))
  return { publicToken: null, itemId: item.itemId }
}
