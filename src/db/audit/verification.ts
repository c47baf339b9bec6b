// The audit trail as its verification reads it: pages in the order of the chains, so that any number of rows needs the
// memory of one page. Statements only; the Worker runs them over HTTP, the command over TCP.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { bigCount, query } from '../core/statement.ts'
import { hexBytes } from './chains.ts'

const milliseconds = z.coerce.number().transform((value) => new Date(value))

/** A row of `audit_log`, null where there is none, and its people. */
const loggedRow = z.object({
  at: milliseconds.nullable(),
  actor_kind: z.string().nullable(),
  actor_hash: hexBytes.nullable(),
  action: z.string().nullable(),
  target_kind: z.string().nullable(),
  target_id: z.string().nullable(),
  request_id: z.string().nullable(),
  correlation_id: z.string().nullable(),
  network: z.string().nullable(),
  row_key_id: z.string().nullable(),
  row_mac: hexBytes.nullable(),
  actor: z.string().nullable(),
  salt: hexBytes.nullable(),
  api_key: z.string().nullable(),
  owner: z.string().nullable(),
  owner_api_key: z.string().nullable(),
})
export type LoggedRow = z.output<typeof loggedRow>

const logged = sql`(extract(epoch from l.at) * 1000)::bigint as at, l.actor_kind,
  encode(l.actor_hash, 'hex') as actor_hash,
  l.action, l.target_kind, l.target_id, l.request_id, l.correlation_id, l.network, l.key_id as row_key_id,
  encode(l.mac, 'hex') as row_mac, a.person as actor, encode(a.salt, 'hex') as salt, a.api_key,
  o.person as owner, o.api_key as owner_api_key`
const people = sql`left join audit_people a on a.audit_id = l.id and a.part = 'actor'
  left join audit_people o on o.audit_id = l.id and o.part = 'owner'`

const linkRow = loggedRow.extend({
  chain: z.string(),
  number: bigCount,
  previous: hexBytes.nullable(),
  audit_id: z.string(),
  checkpoint: bigCount,
  key_id: z.string(),
  mac: hexBytes,
  /** Whose chain it is; null after an erasure. */
  person: z.string().nullable(),
  has_checkpoint: z.boolean(),
})
export type LinkRow = z.output<typeof linkRow>

export interface LinkPlace {
  readonly chain: string
  readonly number: number
}

/** The place before every chain. */
export const firstPlace: LinkPlace = { chain: '00000000-0000-0000-0000-000000000000', number: 0 }

export const linksAfter = ({ chain, number }: LinkPlace, limit: number) =>
  query(
    linkRow,
    sql`select k.chain, k.number, encode(k.previous, 'hex') as previous, k.audit_id, k.checkpoint, k.key_id,
        encode(k.mac, 'hex') as mac, c.person, exists (select 1 from audit_checkpoints s where s.number = k.checkpoint)
          as has_checkpoint, ${logged}
      from (select * from audit_links where (chain, number) > (${chain}::uuid, ${number}::bigint)
        order by chain, number limit ${limit}) k
      left join audit_log l on l.id = k.audit_id left join audit_chains c on c.id = k.chain ${people}
      order by k.chain, k.number`,
  )

const unchainedRow = loggedRow.extend({ id: z.string(), is_waiting: z.boolean() })
export type UnchainedLog = z.output<typeof unchainedRow>

/** Rows without a link, by id. */
export const unchainedAfter = (id: string, limit: number) =>
  query(
    unchainedRow,
    sql`select l.id, exists (select 1 from audit_unchained u where u.audit_id = l.id) as is_waiting, ${logged}
      from (select * from audit_log g where g.id > ${id}::uuid
          and not exists (select 1 from audit_links k where k.audit_id = g.id) order by g.id limit ${limit}) l ${people}
      order by l.id`,
  )

const checkpointRow = z.object({
  number: bigCount,
  at: milliseconds,
  previous: hexBytes.nullable(),
  heads: z.string(),
  key_id: z.string(),
  mac: hexBytes,
})
export type CheckpointRow = z.output<typeof checkpointRow>

export const checkpointsAfter = (number: number, limit: number) =>
  query(
    checkpointRow,
    sql`select number, (extract(epoch from at) * 1000)::bigint as at, encode(previous, 'hex') as previous, heads,
      key_id,
        encode(mac, 'hex') as mac
      from audit_checkpoints where number > ${number} order by number limit ${limit}`,
  )

const missingHead = z.object({ chain: z.string(), number: bigCount })

/** Of these heads, those whose link is not there, or another one, and was not pruned. */
export const missingHeads = (heads: string) =>
  query(
    missingHead,
    sql`select h.chain, h.number
      from (select split_part(t, ' ', 1)::uuid as chain, split_part(t, ' ', 2)::bigint as number,
        split_part(t, ' ', 3) as mac
        from unnest(string_to_array(${heads}, ';')) t) h
      left join audit_links k on k.chain = h.chain and k.number = h.number
      left join audit_prunings p on p.chain = h.chain and p.number >= h.number
      where p.chain is null and encode(k.mac, 'hex') is distinct from h.mac order by h.chain, h.number`,
  )

const pruningRow = z.object({
  chain: z.string(),
  number: bigCount,
  head: hexBytes,
  at: milliseconds,
  key_id: z.string(),
  mac: hexBytes,
})
export type PruningRow = z.output<typeof pruningRow>

export const pruningOf = (chain: string) =>
  query(
    pruningRow,
    sql`select chain, number, encode(head, 'hex') as head, (extract(epoch from at) * 1000)::bigint as at, key_id,
        encode(mac, 'hex') as mac from audit_prunings where chain = ${chain}::uuid`,
  )

const verifiedRow = loggedRow.extend({ id: z.string() })

/** The newest row about a verification of the trail. */
export const newestVerification = query(
  verifiedRow,
  sql`select l.id, ${logged} from audit_log l ${people} where l.action = 'audit_verified'
    order by l.at desc, l.id desc limit 1`,
)

const waitingRow = z.object({ count: z.number(), oldest: milliseconds.nullable() })

/** How many rows wait for the chaining job, and since when the first one does. It stops counting at `limit`. */
export const countWaiting = (limit: number) =>
  query(
    waitingRow,
    sql`select (select count(*)::int from (select 1 from audit_unchained limit ${limit}) w) as count,
        (select (extract(epoch from min(at)) * 1000)::bigint from audit_unchained) as oldest`,
  )
