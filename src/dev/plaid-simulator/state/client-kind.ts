// What Plaid knows of the calling client: which older behaviours apply to it, and whether its tokens belong to it.
import type { Settings } from './options.ts'

export interface ClientKind {
  /** Uses the user API from before December 2025. */
  legacyUsers: boolean
  /** `v1`: gets v2 categories only on request. `v2`: gets nothing else. */
  categoryVersion: 'v1' | 'v2'
  /** Treats every access token as one of another team, as with that team's API keys. */
  foreignTokens: boolean
  /** The active secrets: two while one is being rotated. */
  secrets: readonly string[]
}

export function clientKindOf({ legacyUsers, categoryVersion, secret }: Settings): ClientKind {
  return { legacyUsers, categoryVersion, foreignTokens: false, secrets: [secret] }
}
