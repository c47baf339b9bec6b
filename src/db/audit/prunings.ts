// Old rows of the audit trail, by chain, and their deletion by the function that leaves a signature in their place.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { type Bytes, encodeHex } from '../../crypto/encoding.ts'
import { batch, type JobsDatabase } from '../core/client.ts'
import { bigCount, query } from '../core/statement.ts'
import { hexBytes } from './chains.ts'

export interface OldRows {
  readonly chain: string
  /** The last link whose row, and all rows before it, are old; and its MAC. */
  readonly number: number
  readonly head: Bytes
}

const oldRow = z.object({ chain: z.string(), number: bigCount, head: hexBytes })

/** The chains of the oldest rows before `before`, at most `limit` rows of them. */
export async function listOldRows(jobs: JobsDatabase, before: Date, limit: number): Promise<readonly OldRows[]> {
  const cutoff = sql`${before.toISOString()}::timestamptz`
  const { found } = await batch(jobs, {
    found: query(
      oldRow,
      sql`with ends as (
          select k.chain, max(k.number) as number from audit_links k
            join (select id from audit_log where at < ${cutoff} order by at, id limit ${limit}) old
              on old.id = k.audit_id
          group by k.chain
        ), whole as (
          select e.chain, least(e.number, (select min(k.number) - 1
            from audit_links k join audit_log l on l.id = k.audit_id
            where k.chain = e.chain and k.number <= e.number and l.at >= ${cutoff})) as number from ends e
        )
        select k.chain, k.number, encode(k.mac, 'hex') as head from whole
          join audit_links k on k.chain = whole.chain and k.number = whole.number order by k.chain`,
    ),
  })
  return found
}

export interface SignedPruning extends OldRows {
  readonly at: Date
  readonly keyId: string
  readonly mac: Bytes
}

const prunedRow = z.object({ rows: bigCount })

/** Deletes the rows and links up to each one. Returns how many. */
export async function pruneChains(jobs: JobsDatabase, prunings: readonly SignedPruning[]): Promise<number> {
  const given = JSON.stringify(
    prunings.map(({ chain, number, head, at, keyId, mac }) => ({
      chain,
      number,
      head: encodeHex(head),
      at: at.toISOString(),
      key: keyId,
      mac: encodeHex(mac),
    })),
  )
  const { pruned } = await batch(jobs, {
    pruned: query(
      prunedRow,
      sql`select coalesce(sum(
          app.prune_audit(chain, number, decode(head, 'hex'), at, key, decode(mac, 'hex'))), 0) as rows
        from jsonb_to_recordset(${given}::jsonb)
          as p(chain uuid, number bigint, head text, at timestamptz, key text, mac text)`,
    ),
  })
  return pruned[0]?.rows ?? 0
}

const checkpointEnd = z.object({ number: bigCount, head: hexBytes })
export type CheckpointEnd = z.output<typeof checkpointEnd>

/**
 * The last of the oldest `limit` checkpoints that is older than `before` and than every row of the trail, apart from
 * the newest one; null for none.
 */
export async function findOldCheckpoint(
  jobs: JobsDatabase,
  before: Date,
  limit: number,
): Promise<CheckpointEnd | null> {
  const { found } = await batch(jobs, {
    found: query(
      checkpointEnd,
      sql`with oldest as (select number, at, mac from audit_checkpoints order by number limit ${limit}),
          kept as (
            select min(number) as number from oldest where at >= (select least(${before.toISOString()}::timestamptz,
              min(at) - interval '1 day') from audit_log)
          )
        select o.number, encode(o.mac, 'hex') as head from oldest o, kept
        where o.number < coalesce(kept.number, o.number + 1)
          and o.number < (select max(number) from audit_checkpoints)
        order by o.number desc limit 1`,
    ),
  })
  return found[0] ?? null
}

/**
 * Deletes the checkpoints up to that one, and at most `limit` chains that are empty since before them. Returns how many
 * checkpoints.
 */
export async function pruneCheckpoints(
  jobs: JobsDatabase,
  { number, head, at, keyId, mac }: Omit<SignedPruning, 'chain'>,
  limit: number,
): Promise<number> {
  const { pruned } = await batch(jobs, {
    pruned: query(
      prunedRow,
      sql`select app.prune_checkpoints(${number}, decode(${encodeHex(head)}, 'hex'), ${at.toISOString()}::timestamptz,
        ${keyId}, decode(${encodeHex(mac)}, 'hex'), ${limit}::integer) as rows`,
    ),
  })
  return pruned[0]?.rows ?? 0
}
