// The chains of the audit trail in the database: what waits for its place in one, and what one run of the chaining job
// appends, in one transaction. MACs travel as hexadecimal text.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { type Bytes, decodeHex, encodeHex } from '../../crypto/encoding.ts'
import { batch, execute, type JobsDatabase } from '../core/client.ts'
import { refuseWhen, sqlState, sqlStateOf } from '../core/sql-state.ts'
import { bigCount, command, query } from '../core/statement.ts'

export const hexBytes = z.string().transform((text, context): Bytes => {
  const bytes = decodeHex(text)
  if (bytes !== null) return bytes
  context.addIssue({ code: 'custom', message: 'no hexadecimal' })
  return z.NEVER
})

interface End {
  readonly chain: string
  readonly number: number
  readonly mac: Bytes
}

export interface UnchainedRow {
  readonly id: string
  readonly mac: Bytes
  /** In whose trail the row is; null for the system's. */
  readonly person: string | null
  /** Of the chain that it joins; null for a new one. */
  readonly head: End | null
}

export interface Unchained {
  readonly rows: readonly UnchainedRow[]
  /** The last checkpoint. */
  readonly last: { readonly number: number; readonly mac: Bytes } | null
}

const waitingRow = z
  .object({
    id: z.string(),
    mac: hexBytes,
    person: z.string().nullable(),
    chain: z.string().nullable(),
    number: bigCount.nullable(),
    head: hexBytes.nullable(),
  })
  .transform(({ id, mac, person, chain, number, head }): UnchainedRow => ({
    id,
    mac,
    person,
    head: chain === null || number === null || head === null ? null : { chain, number, mac: head },
  }))
const lastRow = z.object({ number: bigCount, mac: hexBytes })

/** The oldest rows that are in no chain. The chain of the system has no person. */
export async function readUnchained(jobs: JobsDatabase, limit: number): Promise<Unchained> {
  const { rows, last } = await batch(jobs, {
    rows: query(
      waitingRow,
      sql`select l.id, encode(l.mac, 'hex') as mac, p.person, c.id as chain, c.number, encode(c.head, 'hex') as head
        from (select audit_id, at from audit_unchained order by at, audit_id limit ${limit}) u
        join audit_log l on l.id = u.audit_id
        left join audit_people p on p.audit_id = l.id and p.part = 'owner'
        left join audit_chains c on c.person = coalesce(p.person, 'system')
        order by u.at, u.audit_id`,
    ),
    last: query(
      lastRow,
      sql`select number, encode(mac, 'hex') as mac from audit_checkpoints order by number desc limit 1`,
    ),
  })
  return { rows, last: last[0] ?? null }
}

interface Signed {
  readonly keyId: string
  readonly mac: Bytes
}

export interface ChainedRow extends Signed {
  readonly chain: string
  readonly number: number
  readonly previous: Bytes | null
  readonly auditId: string
  readonly checkpoint: number
}

export interface NewHead extends End {
  readonly person: string | null
  /** The head that the new links follow; null for a new chain. */
  readonly previous: End | null
}

export interface SignedCheckpoint extends Signed {
  readonly number: number
  readonly at: Date
  readonly previous: Bytes | null
  readonly heads: string
}

interface Appended {
  readonly links: readonly ChainedRow[]
  readonly heads: readonly NewHead[]
  readonly checkpoint: SignedCheckpoint
}

const hexOf = (bytes: Bytes | null): string | null => (bytes === null ? null : encodeHex(bytes))

/** What another run that appended meanwhile leads to: its checkpoint, chain or head is there. */
const overtaken: ReadonlySet<string | null> = new Set([sqlState.uniqueViolation, sqlState.chainMoved])

/** Appends links, heads and their checkpoint. False if another run has appended since the rows were read. */
export async function appendChains(jobs: JobsDatabase, { links, heads, checkpoint }: Appended): Promise<boolean> {
  const linked = JSON.stringify(
    links.map((link) => ({ ...link, mac: hexOf(link.mac), previous: hexOf(link.previous) })),
  )
  const ends = JSON.stringify(
    heads.map(({ chain, number, mac, person, previous }) => ({
      chain,
      number,
      head: encodeHex(mac),
      person,
      before: previous?.number ?? null,
    })),
  )
  try {
    await execute(jobs, [
      // Its number is the first conflict of two runs: the second waits here, holding nothing, and fails.
      command(sql`insert into audit_checkpoints (number, at, previous, heads, key_id, mac)
        values (${checkpoint.number}, ${checkpoint.at.toISOString()}::timestamptz,
          decode(${hexOf(checkpoint.previous)}, 'hex'), ${checkpoint.heads}, ${checkpoint.keyId},
          decode(${encodeHex(checkpoint.mac)}, 'hex'))`),
      // A person who was erased since the rows were read is not written down again.
      command(sql`insert into audit_chains (id, person, number, head)
        select chain, case when person is null then 'system' else
            (select p.person from audit_people p where p.person = h.person limit 1) end, number, decode(head, 'hex')
        from jsonb_to_recordset(${ends}::jsonb) as h(chain uuid, person text, number bigint, head text, before bigint)
        where before is null`),
      command(sql`with moved as (
          update audit_chains c set number = h.number, head = decode(h.head, 'hex')
          from jsonb_to_recordset(${ends}::jsonb) as h(chain uuid, number bigint, head text, before bigint)
          where c.id = h.chain and c.number = h.before returning 1
        ) select ${refuseWhen(
          sql`(select count(*) from moved) <> ${heads.filter(({ previous }) => previous !== null).length}`,
          sqlState.chainMoved,
        )}`),
      command(sql`insert into audit_links (chain, number, previous, audit_id, checkpoint, key_id, mac)
        select chain, number, decode(previous, 'hex'), "auditId", checkpoint, "keyId", decode(mac, 'hex')
        from jsonb_to_recordset(${linked}::jsonb)
          as l(chain uuid, number bigint, previous text, "auditId" uuid, checkpoint bigint, "keyId" text, mac text)`),
      command(sql`delete from audit_unchained
        where audit_id = any(${sql.param(links.map(({ auditId }) => auditId))}::uuid[])`),
    ])
    return true
  } catch (error) {
    if (overtaken.has(sqlStateOf(error))) return false
    throw error
  }
}
