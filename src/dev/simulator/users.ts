// The users of the application, as Plaid knows them: who was created, and which items belong to whom.

import { createHash } from 'node:crypto'

import { failure } from './failure.ts'
import type { Item } from './item.ts'
import type { World } from './world.ts'

export interface User {
  readonly userId: string
  readonly clientUserId: string
}

/** The user with this `client_user_id`: the one that is known, or a new one. Who was removed comes back under another id. */
export function userFor(world: World, clientUserId: string): User {
  const known = [...world.users.values()].find((user) => user.clientUserId === clientUserId)
  if (known !== undefined) return known
  const user = { userId: idOf(`${clientUserId}/${world.removedUserIds.size}`), clientUserId }
  world.users.set(user.userId, user)
  return user
}

/** The user with this id. Fails with MISSING_FIELDS without one, with USER_NOT_FOUND for one that is unknown or removed. */
export function userCalled(world: World, userId: string | null | undefined): User {
  if (userId == null) throw failure('MISSING_FIELDS', 'missing fields: user_id')
  const user = world.users.get(userId)
  if (user === undefined) throw failure('USER_NOT_FOUND')
  return user
}

/** Forgets the user. The id is never given again. */
export function forgetUser(world: World, { userId }: User): void {
  world.users.delete(userId)
  world.removedUserIds.add(userId)
}

/** Items that were linked in a session whose link token named the `user_id` (Plaid, /user/items/get), exchanged or not. */
export function itemsOf(world: World, { userId }: User): Item[] {
  const gone = new Set<Item['status']>(['removed', 'revoked'])
  return [...world.items.values()].filter(
    (item) => item.linkedWithUserId && item.userId === userId && !gone.has(item.status),
  )
}

function idOf(text: string): string {
  return `usr_${createHash('sha256').update(text).digest('base64url').replaceAll(/[-_]/g, '0').slice(0, 14)}`
}
