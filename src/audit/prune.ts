// Deletes old rows and checkpoints of the audit trail. In their place each chain, and the list of checkpoints, keeps the
// signature of its last deleted link, so that what follows still verifies, and a deletion by an attacker does not.
import type { Ctx } from '../context.ts'
import {
  findOldCheckpoint,
  listOldRows,
  pruneChains,
  pruneCheckpoints,
  type SignedPruning,
} from '../db/audit/prunings.ts'
import { noChain, pruningFields } from './signed-chain.ts'

/**
 * Deletes at most about `limit` rows from before `before`, oldest first; safe to interrupt and to repeat. Rows of the last
 * year stay for any `before`. Returns how many it deleted; 0 when none is left.
 */
export async function pruneAudit(ctx: Ctx, before: Date, limit: number): Promise<number> {
  const { jobs, auditKeys } = ctx.services
  const old = await listOldRows(jobs, before, limit)
  if (old.length === 0) return 0
  const at = ctx.now()
  const prunings: SignedPruning[] = []
  for (const { chain, number, head } of old)
    prunings.push({
      chain,
      number,
      head,
      at,
      ...(await auditKeys.sign('pruning', pruningFields({ chain, number, mac: head, at }))),
    })
  return await pruneChains(jobs, prunings)
}

/**
 * Deletes at most `limit` checkpoints from before `before` that no row needs, and chains that have lost all rows since
 * before the oldest checkpoint. Safe to interrupt and to repeat. Returns how many checkpoints; 0 when none is left.
 */
export async function pruneAuditCheckpoints(ctx: Ctx, before: Date, limit: number): Promise<number> {
  const { jobs, auditKeys } = ctx.services
  const end = await findOldCheckpoint(jobs, before, limit)
  if (end === null) return 0
  const at = ctx.now()
  const fields = pruningFields({ chain: noChain, number: end.number, mac: end.head, at })
  return await pruneCheckpoints(jobs, { ...end, at, ...(await auditKeys.sign('pruning', fields)) }, limit)
}
