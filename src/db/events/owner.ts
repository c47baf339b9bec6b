// Whose endpoints a statement reads and writes: a user's, entered with row-level security, or those that administrators
// made for the events of every user.
import { type SQL, sql } from 'drizzle-orm'
import { type ApiDatabase, batch, type JobsDatabase } from '../core/client.ts'
import { asUser, type Identity, me } from '../core/scope.ts'
import type { Batch, Results } from '../core/statement.ts'

export type EndpointOwner =
  | { readonly kind: 'user'; readonly api: ApiDatabase; readonly identity: Identity }
  | { readonly kind: 'everyone'; readonly jobs: JobsDatabase }

/** The condition over the owner's column. */
export const isOwned = (owner: EndpointOwner, column: SQL = sql`user_id`): SQL =>
  owner.kind === 'user' ? sql`${column} = ${me}` : sql`${column} is null`

/** Runs a batch with the rights of the owner. */
export async function asOwner<B extends Batch>(owner: EndpointOwner, statements: B): Promise<Results<B>> {
  return owner.kind === 'user'
    ? await asUser(owner.api, owner.identity, statements)
    : await batch(owner.jobs, statements)
}
