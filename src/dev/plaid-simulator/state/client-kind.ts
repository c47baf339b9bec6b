// What Plaid knows of the client that calls: which of its older ways hold for it, and whether the tokens are its own.
import type { Settings } from './options.ts'

export interface ClientKind {
  /** Uses the user API from before December 2025. */
  legacyUsers: boolean
  /** `v1` is a client that gets v2 categories only when it asks for them; `v2` one that gets nothing else. */
  categoryVersion: 'v1' | 'v2'
  /** Every access token is of another team's, as with the API keys of another team. */
  foreignTokens: boolean
}

export function clientKindOf({ legacyUsers, categoryVersion }: Settings): ClientKind {
  return { legacyUsers, categoryVersion, foreignTokens: false }
}
