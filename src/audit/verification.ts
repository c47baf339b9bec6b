// The result of a verification of the audit trail as a row of the trail: signed, and in the chain that it verifies.
import * as z from 'zod'
import type { Verification } from './verify.ts'

const verificationSchema = z.object({
  rows: z.int(),
  chains: z.int(),
  unchained: z.int(),
  checkpoint: z.string().nullable(),
  fault: z
    .object({
      what: z.string(),
      auditId: z.string().optional(),
      chain: z.string().optional(),
      number: z.int().optional(),
      checkpoint: z.int().optional(),
    })
    .nullable(),
})
export type StoredVerification = z.output<typeof verificationSchema>

/** The target of the row. */
export const verificationText = ({ rows, chains, unchained, checkpoint, fault }: Verification): string =>
  JSON.stringify({
    rows,
    chains,
    unchained,
    checkpoint: checkpoint === null ? null : `${checkpoint.number}:${checkpoint.mac}`,
    fault,
  } satisfies StoredVerification)

/** Null for text that `verificationText` does not return. */
export function parseVerification(text: string | null): StoredVerification | null {
  try {
    return verificationSchema.safeParse(JSON.parse(text ?? 'null')).data ?? null
  } catch {
    return null
  }
}
