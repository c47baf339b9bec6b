// Deletes old rows of the audit trail. In their place each chain keeps the signature of its last deleted link, so that
// what follows still verifies, and a deletion by an attacker does not.
import type { Ctx } from '../context.ts'
import { listOldRows, pruneChains, type SignedPruning } from '../db/audit/prunings.ts'
import { pruningFields } from './signed-chain.ts'

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
