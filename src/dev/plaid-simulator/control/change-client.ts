// Changes which kind of client of Plaid's calls.
import type * as z from 'zod'
import type { World } from '../state/world.ts'
import type { clientRequest } from './requests.ts'

/** Changes what is named and leaves the rest; returns what holds now, in the words of the request. */
export function changeClient({ client }: World, wanted: z.infer<typeof clientRequest>): object {
  client.legacyUsers = wanted.legacy_users ?? client.legacyUsers
  client.categoryVersion = wanted.category_version ?? client.categoryVersion
  client.foreignTokens = wanted.foreign_tokens ?? client.foreignTokens
  const { legacyUsers: legacy_users, categoryVersion: category_version, foreignTokens: foreign_tokens } = client
  return { legacy_users, category_version, foreign_tokens }
}
