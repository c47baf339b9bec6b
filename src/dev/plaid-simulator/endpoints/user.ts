// /user/*: the application's users, and their items without an access token.
import * as z from 'zod'
import { forgetUser, itemsOf, knownUser, requestedUser, userFor } from '../items/users.ts'
import { failure } from '../lib/failure.ts'
import { itemView } from '../state/item.ts'
import { endpoint } from './endpoint.ts'
import { removeItem } from './item.ts'

const userFields = { user_id: z.string().nullish(), user_token: z.string().nullish() }

/** Idempotent: a known user keeps the id. Does not store identity data. */
const create = endpoint(
  '/user/create',
  {
    client_user_id: z.string().min(1).max(128),
    identity: z.looseObject({}).nullish(),
    consumer_report_user_identity: z.looseObject({}).nullish(),
    with_upgraded_user: z.boolean().optional(),
  },
  (world, body) => {
    const user = userFor(world, body.client_user_id)
    user.created = true
    const legacy = world.client.legacyUsers && body.with_upgraded_user !== true
    return legacy ? { user_token: user.legacy.token, user_id: user.legacy.id } : { user_id: user.userId }
  },
  (world, body) => (knownUser(world, body.client_user_id)?.created === true ? 200 : 201),
)

const itemsGet = endpoint('/user/items/get', userFields, (world, body) => ({
  items: itemsOf(world, requestedUser(world, body)).map(itemView),
}))

/** Removes all or none: fails if one id does not belong to the user. */
const itemsRemove = endpoint(
  '/user/items/remove',
  { ...userFields, item_ids: z.array(z.string()).min(1) },
  (world, body) => {
    const own = itemsOf(world, requestedUser(world, body))
    const wanted = new Set(body.item_ids)
    const found = own.filter(({ itemId }) => wanted.has(itemId))
    if (found.length < wanted.size) throw failure('ITEM_NOT_FOUND')
    for (const item of found) removeItem(item)
    return {}
  },
)

/** Removes the user, the user's link tokens and the user's items. */
const remove = endpoint('/user/remove', userFields, (world, body) => {
  const gone = requestedUser(world, body)
  for (const item of itemsOf(world, gone)) removeItem(item)
  for (const { token, userId } of world.linkTokens.values()) if (userId === gone.userId) world.linkTokens.delete(token)
  forgetUser(world, gone)
  return {}
})

export const userEndpoints = [create, itemsGet, itemsRemove, remove]
