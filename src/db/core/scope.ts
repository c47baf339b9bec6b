// Row-level-security scopes. Whatever a user asks runs behind `app.enter`, in the same transaction, so that a query that
// forgets its filter returns nothing instead of somebody else's money.
import { type SQL, sql } from 'drizzle-orm'
import type { BatchResponse } from 'drizzle-orm/batch'
import { type ApiDatabase, batch, batchAfter, type Statement } from './client.ts'
import { inIndexOrder } from './plans.ts'

/** Who asks, as verified: an issuer and its subject. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
}

/** The user of the transaction, in SQL. */
export const me = sql<string>`app.user_id()`

type Statements = readonly [Statement, ...Statement[]]
type Entered = { readonly id: string | null }

const entry = (identity: Identity, create: boolean): SQL =>
  sql`app.enter(${identity.issuer}, ${identity.subject}, ${create}) as id`

async function runAs<T extends Statements>(
  database: ApiDatabase,
  enter: SQL,
  statements: T,
): Promise<BatchResponse<T>> {
  return await batchAfter(database, [database.connection.execute<Entered>(sql`select ${enter}`)], statements)
}

/** Runs statements as that user, in one transaction and one round trip. */
export async function asUser<T extends Statements>(
  database: ApiDatabase,
  identity: Identity,
  ...statements: T
): Promise<BatchResponse<T>> {
  return await runAs(database, entry(identity, false), statements)
}

/** The same for a user who may be new: their row is made where there is none. */
export async function asNewUser<T extends Statements>(
  database: ApiDatabase,
  identity: Identity,
  ...statements: T
): Promise<BatchResponse<T>> {
  return await runAs(database, entry(identity, true), statements)
}

/** The same for a page of a list, whose rows come in the order of an index (./plans.ts). */
export async function pageAsUser<T extends Statements>(
  database: ApiDatabase,
  identity: Identity,
  ...statements: T
): Promise<BatchResponse<T>> {
  return await runAs(database, sql`${entry(identity, false)}, ${inIndexOrder}`, statements)
}

/** Our id for an identity, made at its first sight. */
export async function registerUser(database: ApiDatabase, identity: Identity): Promise<string> {
  const [entered] = await batch(database, [database.connection.execute<Entered>(sql`select ${entry(identity, true)}`)])
  const id = entered.rows[0]?.id
  if (typeof id !== 'string') throw new TypeError('app.enter gave no user')
  return id
}
