// What is known about the audit trail without verifying it: the result of the last verification, and the rows that wait for
// their place in a chain.
import type { Ctx } from '../context.ts'
import { countWaiting, newestVerification } from '../db/audit/verification.ts'
import { batch } from '../db/core/client.ts'
import { parseVerification, type StoredVerification } from './verification.ts'
import { rowFault } from './verify.ts'

/** Waiting rows are not counted further. */
const mostCounted = 10_000

export interface AuditState {
  /** Null while the trail was never verified. */
  readonly last: (StoredVerification & { readonly at: Date }) | null
  readonly waiting: { readonly count: number; readonly oldestAt: Date | null }
}

const forged = (what: string, auditId: string): StoredVerification => ({
  rows: 0,
  chains: 0,
  unchained: 0,
  checkpoint: null,
  fault: { what, auditId },
})

/** A result whose own row is not valid counts as a fault of the trail. */
export async function readAuditState({ services }: Ctx): Promise<AuditState> {
  const { verified, counted } = await batch(services.jobs, {
    verified: newestVerification,
    counted: countWaiting(mostCounted),
  })
  const [row] = verified
  const waiting = { count: counted[0]?.count ?? 0, oldestAt: counted[0]?.oldest ?? null }
  if (row?.at == null) return { last: null, waiting }
  const what = await rowFault(services.auditKeys, row.id, row)
  const stored = parseVerification(row.target_id)
  return {
    last: {
      ...(what === null && stored !== null ? stored : forged(what ?? 'the row is malformed', row.id)),
      at: row.at,
    },
    waiting,
  }
}
