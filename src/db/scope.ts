// Row-level-security scopes. Whatever a user asks runs behind `app.enter`, in the same transaction, so that a query that
// forgets its filter returns nothing instead of somebody else's money.
import { sql } from 'drizzle-orm'
import type { BatchResponse } from 'drizzle-orm/batch'
import { type ApiDatabase, batch, type Statement } from './client.ts'

/** Who asks, as verified: an issuer and its subject. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
}

/** The user of the transaction, in SQL. */
export const me = sql<string>`app.user_id()`

function enter(database: ApiDatabase, identity: Identity, create: boolean) {
  return database.connection.execute<{ id: string | null }>(
    sql`select app.enter(${identity.issuer}, ${identity.subject}, ${create}) as id`,
  )
}

/** Runs statements as that user, in one transaction and one round trip. */
export async function asUser<T extends readonly [Statement, ...Statement[]]>(
  database: ApiDatabase,
  identity: Identity,
  ...statements: T
): Promise<BatchResponse<T>> {
  const answers: readonly unknown[] = await batch(database, [enter(database, identity, false), ...statements])
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- the types of all answers but the first, in order
  return answers.slice(1) as BatchResponse<T>
}

/** Our id for an identity, made at its first sight. */
export async function registerUser(database: ApiDatabase, identity: Identity): Promise<string> {
  const [entered] = await batch(database, [enter(database, identity, true)])
  const id = entered.rows[0]?.id
  if (typeof id !== 'string') throw new TypeError('app.enter gave no user')
  return id
}
