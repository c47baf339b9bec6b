// Calls the functions of schema `identity`: each call is one round trip and one transaction. The calls are in the other
// files of this folder; they pass only hashes and sealed text.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type Bytes, encodeHex } from '../../crypto/encoding.ts'
import { bytea } from '../core/bytea.ts'
import { batch, type IdentityDatabase } from '../core/client.ts'
import { query } from '../core/statement.ts'

/** A rate limit in the database: `most` attempts in any `seconds`. */
export interface Bucket {
  /** What is limited; for logs. */
  readonly name: string
  /** Who is limited; stored as a hash. */
  readonly key: string
  readonly most: number
  readonly seconds: number
  /** If true, a success returns only the place that it took; otherwise it empties the bucket. */
  readonly shared: boolean
}

/** A session to create. */
export interface NewSession {
  readonly id: string
  readonly selectorHash: Bytes
  readonly verifierHash: Bytes
  readonly scope: string
  readonly idleSeconds: number
  readonly absoluteSeconds: number
  /** The most sessions that the account may have, this one included. */
  readonly most: number
}

/** The account and session of a verified access token. */
export interface SessionKey {
  readonly accountId: string
  readonly sessionId: string
}

/** A code that was verified: a time step, or a recovery code's hash. Neither if the code was wrong. */
export interface SecondFactor {
  readonly step: number | null
  readonly recoveryHash: Bytes | null
}

export const byteas = (list: readonly Bytes[]): SQL =>
  sql`${`{${list.map((bytes) => `"\\\\x${encodeHex(bytes)}"`).join(',')}}`}::bytea[]`
export const bucketsOf = (buckets: readonly Bucket[]): SQL => sql`${JSON.stringify(buckets)}::jsonb`
export const session = (given: NewSession): SQL =>
  sql`${given.id}::uuid, ${bytea(given.selectorHash)}, ${bytea(given.verifierHash)}, ${given.scope},
    ${given.idleSeconds}::int, ${given.absoluteSeconds}::int, ${given.most}::int`
export const sessionKey = ({ accountId, sessionId }: SessionKey): SQL => sql`${accountId}::uuid, ${sessionId}::uuid`
export const factor = ({ step, recoveryHash }: SecondFactor): SQL => sql`${step}::bigint, ${bytea(recoveryHash)}`

export async function ask<Row>(
  database: IdentityDatabase,
  row: z.ZodType<Row>,
  statement: SQL,
): Promise<readonly Row[]> {
  const { found } = await batch(database, { found: query(row, statement) })
  return found
}

export async function askOne<Row>(database: IdentityDatabase, row: z.ZodType<Row>, statement: SQL): Promise<Row> {
  const [first] = await ask(database, row, statement)
  if (first === undefined) throw new TypeError('a function of schema identity gave no row')
  return first
}

export const outcomeOf = <const Outcomes extends readonly string[]>(outcomes: Outcomes) =>
  z.object({ outcome: z.enum(outcomes) })
export const happened = z.object({ happened: z.boolean() })
