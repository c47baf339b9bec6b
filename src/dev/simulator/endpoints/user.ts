// /user/*: the users of the application, and their items without an access token.

import * as z from 'zod'

import { endpoint } from '../endpoint.ts'
import { failure } from '../failure.ts'
import { itemView } from '../item.ts'
import { forgetUser, itemsOf, userCalled, userFor } from '../users.ts'
import { removeItem } from './item.ts'

const user = { user_id: z.string().nullish(), user_token: z.string().nullish() }

/** Idempotent: who is known already keeps the id. What is said of the user's identity is not kept. */
const create = endpoint(
  '/user/create',
  {
    client_user_id: z.string().min(1).max(128),
    identity: z.looseObject({}).nullish(),
    consumer_report_user_identity: z.looseObject({}).nullish(),
    with_upgraded_user: z.boolean().optional(),
  },
  (world, body) => ({ user_id: userFor(world, body.client_user_id).userId }),
)

const itemsGet = endpoint('/user/items/get', user, (world, body) => ({
  items: itemsOf(world, userCalled(world, body.user_id)).map(itemView),
}))

/** All or nothing: one id that is not the user's, and none is removed. */
const itemsRemove = endpoint('/user/items/remove', { ...user, item_ids: z.array(z.string()).min(1) }, (world, body) => {
  const own = itemsOf(world, userCalled(world, body.user_id))
  const wanted = new Set(body.item_ids)
  const found = own.filter(({ itemId }) => wanted.has(itemId))
  if (found.length < wanted.size) throw failure('ITEM_NOT_FOUND')
  for (const item of found) removeItem(item)
  return {}
})

/** Forgets the user, the link tokens made for the user, and removes the user's items. */
const remove = endpoint('/user/remove', user, (world, body) => {
  const gone = userCalled(world, body.user_id)
  for (const item of itemsOf(world, gone)) removeItem(item)
  for (const { token, userId } of world.linkTokens.values()) if (userId === gone.userId) world.linkTokens.delete(token)
  forgetUser(world, gone)
  return {}
})

export const userEndpoints = [create, itemsGet, itemsRemove, remove]
