// Verifies the audit trail: every row's HMAC, every link of every chain, every checkpoint. Reads pages and stops at the
// first fault. Reads only: it runs while rows are written, whose rows wait for the chaining job.
import { equalConstantTime } from '../crypto/constant-time.ts'
import type { Statement } from '../db/core/statement.ts'
import {
  type CheckpointRow,
  checkpointsAfter,
  firstPlace,
  type LinkRow,
  linksAfter,
  type LoggedRow,
  missingHeads,
  pruningOf,
  unchainedAfter,
} from '../db/audit/verification.ts'
import type { AuditKeys } from './keys.ts'
import { anchorMac, checkpointFields, decodeHeads, linkFields, noChain, pruningFields } from './signed-chain.ts'
import { actorHash, actorKinds, fieldsOf, personOf, splitPerson } from './signed-row.ts'

export type RunStatement = <Row>(statement: Statement<Row>) => Promise<readonly Row[]>

/** The first thing that is wrong, and where. */
export interface Fault {
  readonly what: string
  readonly auditId?: string
  readonly chain?: string
  readonly number?: number
  readonly checkpoint?: number
}

export interface Verification {
  readonly fault: Fault | null
  /** Rows whose place in a chain was verified. */
  readonly rows: number
  readonly chains: number
  /** Rows that wait for the chaining job; until then their deletion leaves no trace. */
  readonly unchained: number
  /** Of those, the oldest. */
  readonly oldestUnchainedAt: Date | null
  /** The last checkpoint, to keep outside of the database. */
  readonly checkpoint: { readonly number: number; readonly mac: string } | null
}

/** A checkpoint that was kept outside of the database: the trail must still contain it. */
export interface Anchor {
  readonly number: number
  /** `anchorMac` of the checkpoint's. */
  readonly mac: string
}

interface Options {
  readonly run: RunStatement
  readonly keys: AuditKeys
  readonly anchors?: readonly Anchor[]
  readonly pageSize?: number
}

/** How far the verification is; `fault` ends it. */
interface Progress {
  fault: Fault | null
  rows: number
  chains: number
  unchained: number
  oldestUnchainedAt: Date | null
  checkpoint: Verification['checkpoint']
}

export async function verifyAudit(options: Options): Promise<Verification> {
  const progress: Progress = {
    fault: null,
    rows: 0,
    chains: 0,
    unchained: 0,
    oldestUnchainedAt: null,
    checkpoint: null,
  }
  // Rows that are chained meanwhile are found by the second or the third step, or by both.
  for (const step of [verifyCheckpoints, verifyUnchained, verifyLinks])
    if (progress.fault === null) progress.fault = await step(options, progress)
  return progress
}

const defaultPageSize = 1000
/** A checkpoint names up to 500 heads. */
const checkpointsAPage = 50

async function verifyCheckpoints(options: Options, progress: Progress): Promise<Fault | null> {
  const { run, anchors = [] } = options
  const open = new Map(anchors.map(({ number, mac }) => [number, mac]))
  const pruned = await beginningOf(options, noChain)
  if (typeof pruned === 'string') return { what: pruned }
  const other = pruned === null ? null : prunedAnchor(open, pruned)
  if (other !== null) return other
  let before: Signed | null = pruned
  for (;;) {
    const page: readonly CheckpointRow[] = await run(checkpointsAfter(before?.number ?? 0, checkpointsAPage))
    for (const row of page) {
      const what = await checkpointFault(options.keys, row, before)
      if (what !== null) return { what, checkpoint: row.number }
      const kept = open.get(row.number)
      if (kept !== undefined && kept !== anchorMac(row.mac)) return { what: anotherOne, checkpoint: row.number }
      open.delete(row.number)
      before = row
    }
    const [missing] = page.length === 0 ? [] : await run(missingHeads(page.map(({ heads }) => heads).join(';')))
    if (missing !== undefined) {
      const named = page.find(({ heads }) => heads.includes(`${missing.chain} ${missing.number} `))
      const what = 'a link that the checkpoint names is missing or another one'
      return { what, ...missing, ...(named === undefined ? {} : { checkpoint: named.number }) }
    }
    if (page.length < checkpointsAPage) break
  }
  progress.checkpoint = before === null ? null : { number: before.number, mac: anchorMac(before.mac) }
  const [missing] = open.keys()
  return missing === undefined ? null : { what: 'the checkpoint that was kept is missing', checkpoint: missing }
}

const anotherOne = 'the checkpoint is another one than the one that was kept'

/** Takes out the kept checkpoints that retention deleted: the signature of the last one vouches for those before. */
function prunedAnchor(open: Map<number, string>, { number: last, mac }: Signed): Fault | null {
  const kept = open.get(last)
  for (const number of open.keys()) if (number <= last) open.delete(number)
  return kept === undefined || kept === anchorMac(mac) ? null : { what: anotherOne, checkpoint: last }
}

async function checkpointFault(keys: AuditKeys, row: CheckpointRow, before: Signed | null): Promise<string | null> {
  if (row.number !== (before?.number ?? 0) + 1) return 'the checkpoint before it is missing'
  if (!isSame(row.previous, before?.mac ?? null)) return 'the checkpoint does not follow the one before it'
  const signed = await keys.verify('checkpoint', checkpointFields(row), { keyId: row.key_id, mac: row.mac })
  if (signed !== 'valid') return nameOf(signed, 'checkpoint')
  return decodeHeads(row.heads) === null ? 'the checkpoint is malformed' : null
}

async function verifyLinks(options: Options, progress: Progress): Promise<Fault | null> {
  const { run, pageSize = defaultPageSize } = options
  let before: LinkRow | null = null
  for (;;) {
    const page: readonly LinkRow[] = await run(linksAfter(before ?? firstPlace, pageSize))
    for (const row of page) {
      const isFirst: boolean = before?.chain !== row.chain
      const what = await linkFault(options, row, isFirst ? null : before)
      if (what !== null) return { what, auditId: row.audit_id, chain: row.chain, number: row.number }
      if (isFirst) progress.chains += 1
      progress.rows += 1
      before = row
    }
    if (page.length < pageSize) return null
  }
}

async function linkFault(options: Options, row: LinkRow, before: LinkRow | null): Promise<string | null> {
  const { keys } = options
  const start = before ?? (await beginningOf(options, row.chain))
  if (typeof start === 'string') return start
  if (row.number !== (start?.number ?? 0) + 1) return `link ${(start?.number ?? 0) + 1} of the chain is missing`
  if (!isSame(row.previous, start?.mac ?? null)) return 'the link does not follow the one before it'
  if (row.row_mac === null) return 'the row of the link is missing'
  const link = { ...row, auditId: row.audit_id, rowMac: row.row_mac }
  const signed = await keys.verify('link', linkFields(link), { keyId: row.key_id, mac: row.mac })
  if (signed !== 'valid') return nameOf(signed, 'link')
  if (!row.has_checkpoint) return `checkpoint ${row.checkpoint}, which was signed with the link, is missing`
  if (row.person !== null && row.owner !== null && row.owner !== row.person)
    return 'the row is in another trail than its chain'
  return await rowFault(keys, row.audit_id, row)
}

interface Signed {
  readonly number: number
  readonly mac: Uint8Array
}

/** Where a chain, or the list of checkpoints, begins: null, after what retention pruned, or a fault. */
async function beginningOf({ run, keys }: Options, chain: string): Promise<Signed | string | null> {
  const [pruning] = await run(pruningOf(chain))
  if (pruning === undefined) return null
  const { number, head, at, key_id: keyId, mac } = pruning
  const signed = await keys.verify('pruning', pruningFields({ chain, number, mac: head, at }), { keyId, mac })
  return signed === 'valid' ? { number, mac: head } : nameOf(signed, 'pruning')
}

async function verifyUnchained(options: Options, progress: Progress): Promise<Fault | null> {
  const { run, keys, pageSize = defaultPageSize } = options
  let after: string = firstPlace.chain
  for (;;) {
    const page = await run(unchainedAfter(after, pageSize))
    for (const row of page) {
      const what =
        (await rowFault(keys, row.id, row)) ?? (row.is_waiting ? null : 'the row is in no chain and waits for none')
      if (what !== null) return { what, auditId: row.id }
      progress.unchained += 1
      if (row.at !== null && row.at < (progress.oldestUnchainedAt ?? new Date(8.64e15)))
        progress.oldestUnchainedAt = row.at
      after = row.id
    }
    if (page.length < pageSize) return null
  }
}

/** What is wrong with a row; null for nothing. */
export async function rowFault(keys: AuditKeys, id: string, row: LoggedRow): Promise<string | null> {
  const kind = actorKinds.find((name) => name === row.actor_kind)
  const { at, action, target_kind: targetKind, request_id: requestId, row_key_id: keyId, row_mac: mac } = row
  if (
    kind === undefined ||
    at === null ||
    action === null ||
    targetKind === null ||
    requestId === null ||
    keyId === null ||
    mac === null
  )
    return 'the row is malformed'
  const fields = fieldsOf({
    id,
    at,
    actorKind: kind,
    actorHash: row.actor_hash,
    action,
    targetKind,
    targetId: row.target_id,
    requestId,
    correlationId: row.correlation_id,
    network: row.network,
  })
  const signed = await keys.verify('row', fields, { keyId, mac })
  if (signed !== 'valid') return nameOf(signed, 'row')
  return await peopleFault(kind, row)
}

/** The people of a row are not signed, so that they can be erased; as long as they are there, the hash vouches for them. */
async function peopleFault(kind: string, row: LoggedRow): Promise<string | null> {
  if (row.actor === null) return null
  const person = splitPerson(row.actor)
  if (person === null || row.salt === null || row.actor_hash === null) return 'the actor of the row is malformed'
  if (!equalConstantTime(await actorHash(row.salt, person, row.api_key), row.actor_hash))
    return 'the row names another actor'
  if (row.owner !== null && row.owner_api_key !== row.api_key) return 'the row names another API key in its trail'
  return kind === 'user' && row.owner !== null && row.owner !== personOf(person)
    ? 'the row is in another trail than its actor’s'
    : null
}

const nameOf = (answer: 'invalid' | 'unknown_key', of: string): string =>
  answer === 'invalid' ? `the HMAC of the ${of} is wrong` : `the key that signed the ${of} is not configured`

const isSame = (one: Uint8Array | null, other: Uint8Array | null): boolean =>
  one === null || other === null ? one === other : equalConstantTime(one, other)

/** `NUMBER:MAC`, as `audit_checkpoint` in the log and the command print it; null for other text. */
export function parseAnchor(text: string): Anchor | null {
  const [, number, mac] = /^([1-9]\d{0,14}):([0-9a-f]{32})$/.exec(text) ?? []
  return number === undefined || mac === undefined ? null : { number: Number(number), mac }
}
