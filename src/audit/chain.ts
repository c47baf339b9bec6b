// Chains new rows of the audit trail: each row becomes the next link of its person's chain, or of the system's, and each
// run signs a checkpoint of the new heads. Runs each minute, apart from the writers, who never wait for it. Of two runs at
// once, one commits and the other stops.
import type { Ctx } from '../context.ts'
import {
  appendChains,
  type ChainedRow,
  type NewHead,
  readUnchained,
  type Unchained,
  type UnchainedRow,
} from '../db/audit/chains.ts'
import { anchorMac, checkpointFields, encodeHeads, type Head, linkFields } from './signed-chain.ts'

/** Rows of one transaction. */
const batchSize = 500
/** At most 25,000 rows a run; the next one takes the rest. */
const mostBatches = 50

/** Chains what is not chained yet. Returns the number of rows. */
export async function chainAudit(ctx: Ctx): Promise<number> {
  let chained = 0
  for (let batch = 0; batch < mostBatches; batch += 1) {
    const found = await readUnchained(ctx.services.jobs, batchSize)
    if (found.rows.length === 0) break
    if (!(await chainRows(ctx, found))) break
    chained += found.rows.length
    if (found.rows.length < batchSize) break
  }
  return chained
}

/** False if another run was faster. */
async function chainRows(ctx: Ctx, { rows, last }: Unchained): Promise<boolean> {
  const { jobs, auditKeys, saveCheckpoint } = ctx.services
  const number = (last?.number ?? 0) + 1
  const { links, heads } = await linkRows(ctx, rows, number)
  const at = ctx.now()
  const given = { number, at, previous: last?.mac ?? null, heads: encodeHeads(heads) }
  const checkpoint = { ...given, ...(await auditKeys.sign('checkpoint', checkpointFields(given))) }
  if (!(await appendChains(jobs, { links, heads, checkpoint }))) return false
  // A copy outside of the database: an attacker who rewrites the database cannot rewrite the log.
  ctx.log.info('audit_checkpoint', { checkpoint: `${number}:${anchorMac(checkpoint.mac)}`, count: rows.length })
  await saveCheckpoint?.(checkpoint)
  return true
}

async function linkRows(
  { services }: Ctx,
  rows: readonly UnchainedRow[],
  checkpoint: number,
): Promise<{ links: readonly ChainedRow[]; heads: readonly NewHead[] }> {
  const ends = new Map<string | null, NewHead & { readonly previous: Head | null }>()
  const links: ChainedRow[] = []
  for (const { id, mac: rowMac, person, head } of rows) {
    const before = ends.get(person)
    const previous = before ?? head
    const chain = previous?.chain ?? services.newId()
    const link = {
      chain,
      number: (previous?.number ?? 0) + 1,
      previous: previous?.mac ?? null,
      auditId: id,
      rowMac,
      checkpoint,
    }
    const { keyId, mac } = await services.auditKeys.sign('link', linkFields(link))
    links.push({ ...link, keyId, mac })
    ends.set(person, { chain, number: link.number, mac, person, previous: before?.previous ?? head })
  }
  return { links, heads: [...ends.values()] }
}
