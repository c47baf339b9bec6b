// What the set-up of an environment needs from outside.
import type { Cloudflare } from '../lib/cloudflare.ts'
import type { DeployedConfig } from '../lib/deployed-config.ts'

export interface SetupDatabase {
  /** Applies all migrations to a database that has none. */
  migrateIfEmpty: () => Promise<void>
  /** The keys that stored rows need: ENCRYPTION_KEY for access tokens, AUDIT_KEY for the audit trail. */
  keysInUse: () => Promise<readonly string[]>
  /** Makes a generation of logins. Returns the URL for each variable. */
  makeLogins: () => Promise<Readonly<Record<string, string>>>
}

export interface SetupPorts {
  readonly config: DeployedConfig
  readonly cloudflare: Cloudflare
  /** The file of secrets. */
  readonly file: string
  /** Null without the owner's URL. */
  readonly database: SetupDatabase | null
  readonly print: (line: string) => void
}
