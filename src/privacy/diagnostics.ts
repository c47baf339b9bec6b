// Whether the error monitoring may be told about a request of a person.
import type { ApiDatabase } from '../db/core/client.ts'
import type { Identity } from '../db/core/scope.ts'
import { isAllowed } from '../db/privacy/consents.ts'

/**
 * `anonymously` where the decision cannot be read: an operator must hear of a database that fails, and nothing of such a
 * report leads to the person. Never rejects.
 */
export async function mayReport(database: ApiDatabase, identity: Identity): Promise<'yes' | 'no' | 'anonymously'> {
  try {
    return (await isAllowed(database, identity, 'diagnostics')) ? 'yes' : 'no'
  } catch {
    return 'anonymously'
  }
}
