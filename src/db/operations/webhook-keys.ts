// Plaid's webhook keys, which all isolates share, so that a new isolate can verify immediately. Contains only public
// keys, and a bounded number of them.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { execute, batch, type JobsDatabase } from '../core/client.ts'
import { command, query } from '../core/statement.ts'

/** A shared key. */
export interface SharedKey {
  readonly kid: string
  /** Plaid's JWK, unchanged. */
  readonly jwk: unknown
  readonly fetchedAtMs: number
}

/** Plaid has a few keys at a time; the ones fetched longest ago are deleted first. */
export const maxStoredKeys = 100

const keyRow = z.object({ kid: z.string(), jwk: z.unknown(), fetched_at_ms: z.number() })

export async function readKeys(jobs: JobsDatabase): Promise<SharedKey[]> {
  const { found } = await batch(jobs, {
    found: query(
      keyRow,
      sql`select kid, jwk, extract(epoch from fetched_at)::double precision * 1000 as fetched_at_ms from webhook_keys
        order by fetched_at desc limit ${maxStoredKeys}`,
    ),
  })
  return found.map(({ kid, jwk, fetched_at_ms: fetchedAtMs }) => ({ kid, jwk, fetchedAtMs }))
}

/** Stores a key, or replaces it with Plaid's newer version. */
export async function saveKey(jobs: JobsDatabase, { kid, jwk, fetchedAtMs }: SharedKey): Promise<void> {
  await execute(jobs, [
    command(sql`insert into webhook_keys (kid, jwk, fetched_at)
        values (${kid}, ${JSON.stringify(jwk)}::jsonb, ${new Date(fetchedAtMs).toISOString()}::timestamptz(3))
        on conflict (kid) do update set jwk = excluded.jwk, fetched_at = excluded.fetched_at
          where webhook_keys.fetched_at < excluded.fetched_at`),
    command(sql`delete from webhook_keys where kid in (
        select kid from webhook_keys order by fetched_at desc, kid offset ${maxStoredKeys})`),
  ])
}

/** Deletes a key that Plaid no longer has. */
export async function deleteKey(jobs: JobsDatabase, kid: string): Promise<void> {
  await execute(jobs, [command(sql`delete from webhook_keys where kid = ${kid}`)])
}
