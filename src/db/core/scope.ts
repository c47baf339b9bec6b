// Row-level-security scopes. All statements of a user run after `app.enter`, in the same transaction, so that a query
// without its filter returns no row of another user.
import { type SQL, sql } from 'drizzle-orm'
import { type ApiDatabase, batch, batchAfter } from './client.ts'
import { AppError } from '../../errors.ts'
import { inIndexOrder } from './plans.ts'
import { sqlState, sqlStateOf } from './sql-state.ts'
import { command, idRow, query, type Batch, type Results } from './statement.ts'

/** The verified identity of a user: an issuer and its subject. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
  /** When the token was issued; absent where a job acts for the user. */
  readonly issuedAt?: Date
}

/** The user of the transaction, in SQL. */
export const me = sql<string>`app.user_id()`
/** The application of the transaction, in SQL. */
export const thisApplication = sql<string>`app.application_id()`

const entry = (identity: Identity, create: boolean): SQL =>
  sql`app.enter(${identity.issuer}, ${identity.subject}, ${create},
    ${identity.issuedAt?.toISOString() ?? null}::timestamptz) as id`

/** A token of a person who was erased since gets the same error as any other bad token. */
async function refuseErased<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    if (sqlStateOf(error) !== sqlState.erased) throw error
    throw new AppError('unauthorized', 'A valid access token is required.', { reason: 'the person was erased' })
  }
}

async function runAs<B extends Batch>(database: ApiDatabase, enter: SQL, statements: B): Promise<Results<B>> {
  return await refuseErased(batchAfter(database, [command(sql`select ${enter}`)], statements))
}

/** Runs a batch as that user, in one transaction and one round trip. */
export async function asUser<B extends Batch>(
  database: ApiDatabase,
  identity: Identity,
  statements: B,
): Promise<Results<B>> {
  return await runAs(database, entry(identity, false), statements)
}

/** The same for a user who may be new: inserts their row if there is none. */
export async function asNewUser<B extends Batch>(
  database: ApiDatabase,
  identity: Identity,
  statements: B,
): Promise<Results<B>> {
  return await runAs(database, entry(identity, true), statements)
}

/** The same for a page of a list, whose rows come in the order of an index (./plans.ts). */
export async function pageAsUser<B extends Batch>(
  database: ApiDatabase,
  identity: Identity,
  statements: B,
): Promise<Results<B>> {
  return await runAs(database, sql`${entry(identity, false)}, ${inIndexOrder}`, statements)
}

/** Runs a batch as an application that acts for no user: it sees what is the application's own. */
export async function asApplication<B extends Batch>(
  database: ApiDatabase,
  applicationId: string,
  statements: B,
): Promise<Results<B>> {
  const enter = sql`app.enter_application(${applicationId}::uuid)`
  return await batchAfter(database, [command(sql`select ${enter}`)], statements)
}

/** The id of an identity in this database. Inserts the user's row at the first call. */
export async function registerUser(database: ApiDatabase, identity: Identity): Promise<string> {
  const { entered } = await refuseErased(
    batch(database, { entered: query(idRow, sql`select ${entry(identity, true)}`) }),
  )
  const [id] = entered
  if (id === undefined) throw new TypeError('app.enter returned no user')
  return id
}
