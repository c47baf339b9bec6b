// Assertions about Plaid's users: creating one twice under one id, and the items linked for a user.
import { type Assertion, expectEqual, expectThat } from '../assertion.ts'
import { bodyOf, errorOf, type PlaidTarget } from './target.ts'

const create = 'https://plaid.com/docs/api/users/#usercreate'
const userItemsDocs = 'https://plaid.com/docs/api/users/#useritemsget'

async function itemIdsOf(target: PlaidTarget, userId: string): Promise<unknown[]> {
  const path = '/user/items/get'
  const { items } = bodyOf(path, await target.call(path, { user_id: userId }))
  if (!Array.isArray(items)) throw new Error(`${path} has no items`)
  return items.map((item: unknown) =>
    typeof item === 'object' && item !== null && 'item_id' in item ? item.item_id : null,
  )
}

export const userAssertions: readonly Assertion<PlaidTarget>[] = [
  {
    name: 'plaid/user-create-twice',
    promise: 'The first /user/create of a client_user_id is 201, the second 200, with the same id.',
    source: create,
    certainty: 'likely',
    async check(target) {
      const body = { client_user_id: target.newClientUserId() }
      const first = await target.call('/user/create', body)
      const userId = await target.user(body.client_user_id)
      const second = await target.call('/user/create', body)
      expectEqual('statuses', [first.status, second.status], [201, 200])
      expectEqual('ids', [first.body['user_id'], second.body['user_id']], [userId, userId])
    },
  },
  {
    name: 'plaid/user-id-prefix',
    promise: 'A user id begins with `usr_`. Clients from before 2025-12-10 get the older shape, with a user_token.',
    source: create,
    certainty: 'open',
    async check(target) {
      const userId = await target.user()
      expectThat('an id that begins with usr_', userId.startsWith('usr_'), `${userId.slice(0, 4)}…`)
    },
  },
  {
    name: 'plaid/user-items',
    promise: 'An item that was linked with a user_id is listed by /user/items/get before and after its exchange.',
    source: userItemsDocs,
    certainty: 'likely',
    async check(target) {
      const userId = await target.user()
      await target.publicToken({ userId })
      expectEqual('items before the exchange', (await itemIdsOf(target, userId)).length, 1)
      const { itemId } = await target.item({ userId })
      const listed = await itemIdsOf(target, userId)
      expectThat('the exchanged item among them', listed.includes(itemId), listed.length)
    },
  },
  {
    name: 'plaid/user-items-remove',
    promise: '/user/items/remove ends an item without its access token.',
    source: userItemsDocs,
    certainty: 'likely',
    async check(target) {
      const userId = await target.user()
      const { itemId, accessToken } = await target.item({ userId })
      const path = '/user/items/remove'
      bodyOf(path, await target.call(path, { user_id: userId, item_ids: [itemId] }))
      expectEqual('items', await itemIdsOf(target, userId), [])
      const after = errorOf(await target.call('/item/get', { access_token: accessToken }))
      expectEqual('/item/get afterwards', after, '400 ITEM_ERROR ITEM_NOT_FOUND')
    },
  },
  {
    name: 'plaid/user-remove',
    promise: 'After /user/remove the id is unknown: USER_NOT_FOUND.',
    source: 'https://plaid.com/docs/api/users/#userremove',
    certainty: 'likely',
    async check(target) {
      const userId = await target.user()
      bodyOf('/user/remove', await target.call('/user/remove', { user_id: userId }))
      const after = errorOf(await target.call('/user/items/get', { user_id: userId }))
      expectThat('USER_NOT_FOUND', after.endsWith('USER_NOT_FOUND'), after)
    },
  },
]
