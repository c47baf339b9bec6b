// Whether a client may watch a user: only then are live sockets notified of changes. In `user_visits`, because each
// commit of a sync holds the user's row.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type ApiDatabase, batch, type JobsDatabase } from '../core/client.ts'
import { asNewUser, asUser, type Identity, me } from '../core/scope.ts'
import { bigCount, idRow, query } from '../core/statement.ts'

/** A user whom a client may watch, and the number of their newest change. */
export interface Watched {
  readonly userId: string
  readonly seq: number
}

const watchedRow = z
  .object({ id: z.string(), change_seq: bigCount })
  .transform((row): Watched => ({ userId: row.id, seq: row.change_seq }))

/** No row for a user whom no client watches. */
export const selectWatched = (userId: SQL | string) =>
  query(
    watchedRow,
    sql`select u.id, u.change_seq from user_visits v join users u on u.id = v.user_id
      where v.user_id = ${userId} and v.live_until > now()`,
  )

export async function findWatchedIdentity(jobs: JobsDatabase, { issuer, subject }: Identity): Promise<Watched | null> {
  const { found } = await batch(jobs, {
    found: selectWatched(sql`(select id from users where issuer = ${issuer} and subject = ${subject})`),
  })
  return found[0] ?? null
}

export async function findWatchedSelf(database: ApiDatabase, identity: Identity): Promise<Watched | null> {
  const { found } = await asUser(database, identity, { found: selectWatched(me) })
  return found[0] ?? null
}

/** Notes that a client may watch the user until then. Returns the user's id. */
export async function allowWatching(database: ApiDatabase, identity: Identity, until: Date): Promise<string> {
  const { allowed } = await asNewUser(database, identity, {
    allowed: query(
      idRow,
      sql`update user_visits set live_until = greatest(live_until, ${until.toISOString()}::timestamptz(3))
        where user_id = ${me} returning user_id as id`,
    ),
  })
  const [id] = allowed
  if (id === undefined) throw new TypeError('The visit of the user is not stored.')
  return id
}
