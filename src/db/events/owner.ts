// Whose endpoints a statement reads and writes: a user's or an application's, entered with row-level security, or those
// that administrators made for the events of every user.
import { type SQL, sql } from 'drizzle-orm'
import { type ApiDatabase, batch, type JobsDatabase } from '../core/client.ts'
import { asApplication, asUser, type Identity, me, thisApplication } from '../core/scope.ts'
import type { Batch, Results } from '../core/statement.ts'

export type EndpointOwner =
  | { readonly kind: 'user'; readonly api: ApiDatabase; readonly identity: Identity }
  /** Of the events of all users of an application. */
  | { readonly kind: 'application'; readonly api: ApiDatabase; readonly applicationId: string }
  | { readonly kind: 'everyone'; readonly jobs: JobsDatabase }

/** @param column the user's id; each table has the application's as `application_id` */
export function isOwned({ kind }: EndpointOwner, column: SQL = sql`user_id`): SQL {
  if (kind === 'user') return sql`${column} = ${me}`
  return kind === 'application'
    ? sql`${column} is null and application_id = ${thisApplication}`
    : sql`${column} is null and application_id is null`
}

/** Runs a batch with the rights of the owner. */
export async function asOwner<B extends Batch>(owner: EndpointOwner, statements: B): Promise<Results<B>> {
  switch (owner.kind) {
    case 'user':
      return await asUser(owner.api, owner.identity, statements)
    case 'application':
      return await asApplication(owner.api, owner.applicationId, statements)
    case 'everyone':
      return await batch(owner.jobs, statements)
  }
}
