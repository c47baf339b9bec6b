// Decides whether error monitoring may receive data about a person's request.
import type { ApiDatabase } from '../db/core/client.ts'
import type { Identity } from '../db/core/scope.ts'
import { isAllowed } from '../db/privacy/consents.ts'

/**
 * `anonymously` if the decision cannot be read: an operator must learn of a failing database, and such a report
 * contains nothing that leads to the person. Never rejects.
 */
export async function mayReport(database: ApiDatabase, identity: Identity): Promise<'yes' | 'no' | 'anonymously'> {
  try {
    return (await isAllowed(database, identity, 'diagnostics')) ? 'yes' : 'no'
  } catch {
    return 'anonymously'
  }
}
