// The application's users, as Plaid knows them: which were created, and which items each one has.
import { createHash } from 'node:crypto'
import { failure } from '../lib/failure.ts'
import type { Item } from '../state/item.ts'
import type { User } from '../state/user.ts'
import type { World } from '../state/world.ts'

/** The user with this `client_user_id`, or a new one. A removed user returns under another id. */
export function userFor(world: World, clientUserId: string): User {
  const known = knownUser(world, clientUserId)
  if (known !== undefined) return known
  const digest = digestOf(`${clientUserId}/${world.removedUserIds.size}`)
  const user: User = {
    userId: `usr_${digest.slice(0, 14)}`,
    clientUserId,
    created: false,
    legacy: { id: digest.slice(0, 29), token: `user-sandbox-${world.ids.uuid('user')}` },
  }
  world.users.set(user.userId, user)
  return user
}

export function knownUser({ users }: World, clientUserId: string): User | undefined {
  return [...users.values()].find((user) => user.clientUserId === clientUserId)
}

/** How a request names a user: by id, or by an older client's token. */
export interface UserNamed {
  readonly user_id?: string | null | undefined
  readonly user_token?: string | null | undefined
}

/**
 * The user of the request. Fails with MISSING_FIELDS without a name, with INVALID_FIELD for an id of the older user
 * API, and with USER_NOT_FOUND for an unknown or removed user.
 */
export function requestedUser({ users }: World, { user_id: id, user_token: token }: UserNamed): User {
  if (id == null && token == null) throw failure('MISSING_FIELDS', 'missing fields: user_id')
  if (id != null && !id.startsWith('usr_')) throw failure('INVALID_FIELD', 'user_id: must begin with usr_')
  const user = id == null ? [...users.values()].find(({ legacy }) => legacy.token === token) : users.get(id)
  if (user === undefined) throw failure('USER_NOT_FOUND')
  return user
}

/** Removes the user. The id is never reused. */
export function forgetUser(world: World, { userId }: User): void {
  world.users.delete(userId)
  world.removedUserIds.add(userId)
}

/**
 * Items that were linked in a session whose link token named the `user_id` (Plaid, /user/items/get), exchanged or not.
 */
export function itemsOf(world: World, { userId }: User): Item[] {
  const gone = new Set<Item['status']>(['removed', 'revoked'])
  return [...world.items.values()].filter(
    (item) => item.linkedWithUserId && item.userId === userId && !gone.has(item.status),
  )
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').replaceAll(/[-_]/g, '0')
}
