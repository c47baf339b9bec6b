// Row-level-security scopes. All statements of a user run after `app.enter`, in the same transaction, so that a query
// without its filter returns no row of another user.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type ApiDatabase, batch, batchAfter } from './client.ts'
import { AppError } from '../../errors.ts'
import { inIndexOrder } from './plans.ts'
import { sqlState, sqlStateOf } from './sql-state.ts'
import { command, idRow, query, rowsOf, type Batch, type Results } from './statement.ts'

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

/**
 * The counter of a user's changes. With its epoch, it names the state of what the API shows to the user (docs/feed.md).
 */
export interface FeedCounter {
  readonly userId: string
  readonly epoch: number
  /** A decimal number, as text. */
  readonly number: string
}

/** A database that reports the counter of the user before the other statements of a batch read anything. */
type CountingDatabase = ApiDatabase & { readonly onCounter?: (counter: FeedCounter) => void }

const counterRow = z
  .object({ id: z.string(), feed_epoch: z.number(), change_seq: z.string() })
  .transform(({ id, feed_epoch: epoch, change_seq: number }): FeedCounter => ({ userId: id, epoch, number }))
// The name of the table distinguishes it from the statement that a batch is made for (./statement-name.ts).
const selectCounter = query(counterRow, sql`select id, feed_epoch, change_seq::text from public.users where id = ${me}`)

async function runAs<B extends Batch>(database: CountingDatabase, enter: SQL, statements: B): Promise<Results<B>> {
  const { onCounter } = database
  const entered = command(sql`select ${enter}`)
  if (onCounter === undefined) return await refuseErased(batchAfter(database, [entered], statements))
  const report = (_: unknown, found: unknown): void => rowsOf(selectCounter, found).forEach(onCounter)
  return await refuseErased(batchAfter(database, [entered, selectCounter], statements, report))
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

/** The counter of the user; null for a user without data. */
export async function readFeedCounter(database: ApiDatabase, identity: Identity): Promise<FeedCounter | null> {
  const { found } = await asUser(database, identity, { found: selectCounter })
  return found[0] ?? null
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
