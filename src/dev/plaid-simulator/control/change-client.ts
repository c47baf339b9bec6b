// Changes which kind of Plaid client the caller is.
import type * as z from 'zod'
import type { World } from '../state/world.ts'
import type { clientRequest } from './requests.ts'

/** Changes the given settings and returns all of them, in the shape of the request. */
export function changeClient({ client }: World, wanted: z.infer<typeof clientRequest>): object {
  client.legacyUsers = wanted.legacy_users ?? client.legacyUsers
  client.categoryVersion = wanted.category_version ?? client.categoryVersion
  client.foreignTokens = wanted.foreign_tokens ?? client.foreignTokens
  client.secrets = wanted.secrets ?? client.secrets
  const { legacyUsers, categoryVersion, foreignTokens, secrets } = client
  return {
    legacy_users: legacyUsers,
    category_version: categoryVersion,
    foreign_tokens: foreignTokens,
    secrets: [...secrets],
  }
}
