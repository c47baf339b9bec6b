// Requests with an `Idempotency-Key`: the first one runs, and its repetitions get the stored response for a day.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { bytea } from '../core/bytea.ts'
import type { ApiDatabase } from '../core/client.ts'
import { asNewUser, asUser, type Identity, me } from '../core/scope.ts'
import { command, query } from '../core/statement.ts'

export interface IdempotentRequest {
  readonly route: string
  readonly keyDigest: Uint8Array
  /** Of the path and the body. */
  readonly requestDigest: Uint8Array
  /** Names this run. */
  readonly runId: string
}

/** The row of the first request with the key. */
const storedRow = z
  .object({ run_id: z.string(), is_same: z.boolean(), status: z.number().nullable(), body: z.unknown() })
  .transform((row) => ({ runId: row.run_id, isSame: row.is_same, status: row.status, body: row.body }))
export type StoredRequest = z.output<typeof storedRow>

/** Rows of a user. A day of syncs by hand stays far below. */
const mostRequests = 1000
/** Longer than any request runs. After it, a repetition takes the place of a request that died. */
const abandonedAfter = sql.raw(`interval '15 minutes'`)
const keptFor = sql.raw(`interval '24 hours'`)

/** The row of the key, which is the given run's if it is the first; null where the user has too many rows. */
export async function beginRequest(
  api: ApiDatabase,
  identity: Identity,
  { route, keyDigest, requestDigest, runId }: IdempotentRequest,
): Promise<StoredRequest | null> {
  const isKey = sql`user_id = ${me} and route = ${route} and key_digest = ${bytea(keyDigest)}`
  const { found } = await asNewUser(api, identity, {
    dropped: command(
      sql`delete from idempotent_requests where user_id = ${me} and (started_at < now() - ${keptFor}
        or route = ${route} and key_digest = ${bytea(keyDigest)} and request_digest = ${bytea(requestDigest)}
          and status is null and started_at < now() - ${abandonedAfter})`,
    ),
    begun: command(
      sql`insert into idempotent_requests (user_id, route, key_digest, request_digest, run_id)
        select ${me}, ${route}::text, ${bytea(keyDigest)}, ${bytea(requestDigest)}, ${runId}::uuid
        where (select count(*) < ${mostRequests} from idempotent_requests where user_id = ${me})
        on conflict (user_id, route, key_digest) do nothing`,
    ),
    found: query(
      storedRow,
      sql`select run_id, request_digest = ${bytea(requestDigest)} as is_same, status, body
        from idempotent_requests where ${isKey}`,
    ),
  })
  return found[0] ?? null
}

/** Stores the response of the run. */
export async function storeResponse(
  api: ApiDatabase,
  identity: Identity,
  runId: string,
  status: number,
  body: unknown,
): Promise<void> {
  await asUser(api, identity, {
    stored: command(
      sql`update idempotent_requests set status = ${status}, body = ${JSON.stringify(body)}::jsonb
        where user_id = ${me} and run_id = ${runId}::uuid`,
    ),
  })
}

/** Forgets a run that failed, so that a repetition runs again. */
export async function forgetRequest(api: ApiDatabase, identity: Identity, runId: string): Promise<void> {
  await asUser(api, identity, {
    forgotten: command(sql`delete from idempotent_requests where user_id = ${me} and run_id = ${runId}::uuid`),
  })
}
