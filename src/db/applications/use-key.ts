// Looks an API key up for a request. The row is read for every request, so that a revoked key ends at once everywhere.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { bytea } from '../core/bytea.ts'
import { type ApiDatabase, batch } from '../core/client.ts'
import { query } from '../core/statement.ts'

const keyRow = z
  .object({
    id: z.string(),
    application_id: z.string().nullable(),
    issuer: z.string(),
    subject: z.string().nullable(),
    scopes: z.array(z.string()),
    created_at: z.coerce.date(),
    prefix: z.string(),
    state: z.enum(['live', 'revoked', 'expired', 'network']),
  })
  .transform((row) => ({
    id: row.id,
    applicationId: row.application_id,
    issuer: row.issuer,
    subject: row.subject,
    scopes: row.scopes,
    createdAt: row.created_at,
    prefix: row.prefix,
    state: row.state,
  }))

export interface UsedKey extends z.output<typeof keyRow> {}

const columns = sql`k.id, k.application_id, k.issuer, k.subject, to_jsonb(k.scopes) as scopes, k.created_at, k.prefix,
  k.state`

/**
 * The key with this digest, and why it is refused; null if there is none. Notes the use of a live key.
 * @param address the client's, in canonical form; null where it is unknown
 */
export async function useKey(api: ApiDatabase, digest: Uint8Array, address: string | null): Promise<UsedKey | null> {
  const { found } = await batch(api, {
    found: query(keyRow, sql`select ${columns} from app.use_named_api_key(${bytea(digest)}, null, ${address}::inet) k`),
  })
  return found[0] ?? null
}

/** The key that issued a token, which may be used anywhere. */
export async function useKeyOfToken(api: ApiDatabase, keyId: string): Promise<UsedKey | null> {
  const { found } = await batch(api, {
    found: query(keyRow, sql`select ${columns} from app.use_named_api_key(null, ${keyId}::uuid, null) k`),
  })
  return found[0] ?? null
}
