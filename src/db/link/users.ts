// Stores Plaid's ids of users.
import { and, eq, isNull, notLike, or } from 'drizzle-orm'
import { users } from '../../../drizzle/tables/users.ts'
import type { ApiDatabase } from '../core/client.ts'
import { asUser, type Identity, me } from '../core/scope.ts'

/** Plaid's id of the user; null if none was created yet. */
export async function getPlaidUserId(database: ApiDatabase, identity: Identity): Promise<string | null> {
  const { found } = await asUser(database, identity, {
    found: database.connection.select({ id: users.plaidUserId }).from(users).where(eq(users.id, me)),
  })
  return found[0]?.id ?? null
}

/** Stores Plaid's id of the user and returns the first stored one. Replaces an id of Plaid's older user API. */
export async function setPlaidUserId(database: ApiDatabase, identity: Identity, plaidUserId: string): Promise<string> {
  const { connection } = database
  const { found } = await asUser(database, identity, {
    stored: connection
      .update(users)
      .set({ plaidUserId })
      .where(and(eq(users.id, me), or(isNull(users.plaidUserId), notLike(users.plaidUserId, 'usr\\_%')))),
    found: connection.select({ id: users.plaidUserId }).from(users).where(eq(users.id, me)),
  })
  return found[0]?.id ?? plaidUserId
}
