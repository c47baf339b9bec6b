// /user/remove: forgets a user of the application and removes the user's items.

import * as z from 'zod'

import { endpoint } from '../endpoint.ts'
import { failure } from '../failure.ts'
import { removeItem } from './item.ts'

export const userRemove = endpoint(
  '/user/remove',
  { user_id: z.string().optional(), user_token: z.string().optional() },
  (world, body) => {
    const { user_id: userId } = body
    if (userId === undefined) throw failure('MISSING_FIELDS', 'missing fields: user_id')
    const items = [...world.items.values()].filter((item) => item.userId === userId)
    const tokens = [...world.linkTokens.values()].filter((token) => token.userId === userId)
    if (items.length + tokens.length === 0) throw failure('INVALID_USER_ID')
    for (const item of items) removeItem(item)
    for (const { token } of tokens) world.linkTokens.delete(token)
    return {}
  },
)
