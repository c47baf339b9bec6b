// In whose audit trail a job records what happened to an endpoint.
import { applicationIdentity } from '../auth/application-identity.ts'
import type { AuditOwner } from '../db/audit/record.ts'

/** The owner of the endpoint; the system for those of administrators. */
export function trailOf({
  userId,
  applicationId,
}: {
  readonly userId: string | null
  readonly applicationId: string | null
}): { readonly owner?: AuditOwner } {
  if (userId !== null) return { owner: { userId } }
  return applicationId === null ? {} : { owner: applicationIdentity(applicationId) }
}
