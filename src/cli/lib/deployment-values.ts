// The values that a deployment would have: the variables of wrangler.toml, and the secrets of a file or of the shell. Never
// prints a value.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { secretVariables } from '../../config/variables.ts'
import { nullIfMissing } from '../../dev/lib/missing.ts'
import type { DeployedConfig } from './deployed-config.ts'

/** Everything that may be a secret of a Worker. */
export const secretNames: readonly string[] = [
  ...new Set([
    ...secretVariables,
    'PLAID_CLIENT_ID',
    'DATABASE_URL',
    'DATABASE_JOBS_URL',
    'DATABASE_IDENTITY_URL',
    'DATABASE_BACKUP_URL',
    'ENCRYPTION_KEYS_PREVIOUS',
    'AUDIT_KEYS_PREVIOUS',
    'SENTRY_DSN',
    'ALERT_WEBHOOK_URL',
    'ALERT_WEBHOOK_SECRET',
  ]),
]

/** Other names of credentials that the shell of an operator or of CI has. */
const credentialNames: ReadonlySet<string> = new Set([
  ...secretNames,
  'MIGRATE_DATABASE_URL',
  'CLOUDFLARE_API_KEY',
  'PGPASSWORD',
  'SCAN_PASSWORD',
])

/** The variables without credentials: for commands that run third-party code and need none. */
export function withoutCredentials(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isCredential = (name: string) => credentialNames.has(name) || /_(?:TOKEN|SECRET|PASSWORD)$/.test(name)
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isCredential(name)))
}

const fileSchema = z.record(z.string(), z.string())

export type Values = Readonly<Record<string, string>>

/**
 * The secrets of a file such as `.secrets.production.json`, then those of the shell. A file that does not exist is empty.
 * @throws Error if the file is not a JSON object of texts
 */
export async function readSecrets(file: string, environment: NodeJS.ProcessEnv): Promise<Values> {
  const text = await readFile(file, 'utf8').catch(nullIfMissing)
  const fromShell = secretNames.flatMap((name): [string, string][] => {
    const value = environment[name]
    return value === undefined || value === '' ? [] : [[name, value]]
  })
  return { ...parseSecrets(file, text), ...Object.fromEntries(fromShell) }
}

function parseSecrets(file: string, text: string | null): Values {
  if (text === null) return {}
  try {
    return fileSchema.parse(JSON.parse(text))
  } catch {
    // The message of the parser quotes the file.
    throw new Error(`${file} is not a JSON object of secrets.`)
  }
}

/** All texts that must not be printed: the secrets, and the passwords in them. */
export function secretTextsOf(secrets: Values): string[] {
  return Object.values(secrets).flatMap((value) => {
    const password = URL.parse(value)?.password ?? ''
    return password === '' ? [value] : [value, password, decodeURIComponent(password)]
  })
}

const databaseRoles: Readonly<Record<string, string>> = {
  DATABASE_URL: 'wn_api',
  DATABASE_JOBS_URL: 'wn_jobs',
  DATABASE_IDENTITY_URL: 'wn_identity',
  DATABASE_BACKUP_URL: 'wn_backup',
}

/** Forms of a stand-in other than 32 bytes in base64. */
const forms: Readonly<Record<string, (base64: string) => string>> = {
  ENCRYPTION_KEYS_PREVIOUS: () => '{}',
  AUDIT_KEYS_PREVIOUS: () => '{}',
  SENTRY_DSN: () => 'https://unknown@sentry.invalid/1',
  ALERT_WEBHOOK_URL: () => 'https://receiver.invalid/unknown',
  ALERT_WEBHOOK_SECRET: (base64) => `whsec_${base64}`,
  ALERT_WEBHOOK_SECRET_PREVIOUS: (base64) => `whsec_${base64}`,
}

/** A value of the right form for a secret that only Cloudflare knows. It comes from the name, so that no two are equal. */
function standIn(name: string): string {
  const role = databaseRoles[name]
  if (role !== undefined) return `postgres://${role}_a:unknown@database.invalid/unknown?sslmode=require`
  const base64 = createHash('sha256').update(name).digest('base64')
  return forms[name]?.(base64) ?? base64
}

/**
 * The variables of the Worker, with stand-ins for secrets that exist at Cloudflare and that cannot be read there.
 * @param atCloudflare the names of those that exist there
 */
export function workerValues({ variables }: DeployedConfig, secrets: Values, atCloudflare: readonly string[]) {
  const unseen = atCloudflare.filter((name) => secrets[name] === undefined)
  const invented = unseen.map((name) => [name, standIn(name)])
  return { values: { ...Object.fromEntries(invented), ...variables, ...secrets } as Values, unseen }
}
