// Items by the age of their access token, for a rotation of all of them.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, type JobsDatabase } from '../core/client.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import { bigCount, query } from '../core/statement.ts'
import { lost } from '../sync/work.ts'

/** Items with an access token that Plaid accepts. */
const isLive = sql`removed_at is null and access_token_sealed <> '' and status not in (${lost})`

const tokenRow = z
  .object({ id: z.string(), token_digest: z.string() })
  .transform(({ id: itemId, token_digest: tokenDigest }) => ({ itemId, tokenDigest }))

/** The next items whose access token is older than `before`, by id. */
export async function listOldTokens(
  jobs: JobsDatabase,
  { before, after, limit }: { readonly before: string; readonly after: string | null; readonly limit: number },
): Promise<readonly z.output<typeof tokenRow>[]> {
  const { found } = await batch(jobs, {
    planned: plan(inIndexOrder),
    found: query(
      tokenRow,
      sql`select id, encode(sha256(convert_to(access_token_sealed, 'UTF8')), 'hex') as token_digest from items
        where (${after}::uuid is null or id > ${after}::uuid) and ${isLive} and access_token_at < ${before}::timestamptz
        order by id limit ${limit}`,
    ),
  })
  return found
}

export interface TokenCounts {
  readonly total: number
  /** Items whose access token is older. */
  readonly remaining: number
}

const countRow = z.object({ total: bigCount, remaining: bigCount })

/** Reads every item. */
export async function countOldTokens(jobs: JobsDatabase, before: string): Promise<TokenCounts> {
  const { found } = await batch(jobs, {
    found: query(
      countRow,
      sql`select count(*) as total, count(*) filter (where access_token_at < ${before}::timestamptz) as remaining
        from items where ${isLive}`,
    ),
  })
  return found[0] ?? { total: 0, remaining: 0 }
}
