// The Worker's variables on a developer's machine: their names, their sources, and which source wins. Never prints a
// value.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { nullIfMissing } from './missing.ts'

/** Every variable of the configuration table but AUTH_*. No other name passes from the shell to the Worker. */
export const variableNames = [
  'ENVIRONMENT',
  'OPERATOR_NAME',
  'OPERATOR_CONTACT',
  'PLAID_ENV',
  'PLAID_CLIENT_ID',
  'PLAID_SECRET',
  'PLAID_BASE_URL',
  'PLAID_WEBHOOK_URL',
  'PLAID_WEBHOOK_VERIFICATION_KEY',
  'PLAID_WEBHOOK_VERIFICATION_KEY_PREVIOUS',
  'PLAID_PRODUCTS',
  'PLAID_COUNTRY_CODES',
  'PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS',
  'PLAID_ADDITIONAL_CONSENTED_PRODUCTS',
  'PLAID_CLIENT_NAME',
  'PLAID_ANDROID_PACKAGES',
  'PLAID_COMPLETION_REDIRECT_URIS',
  'MAX_ITEMS_PER_USER',
  'MAX_LINKS_PER_DAY',
  'ALLOW_DUPLICATE_ITEMS',
  'PLAID_LIMITS',
  'PLAID_PRICES',
  'PLAID_REFRESHES_PER_DAY',
  'PLAID_REFRESHES_PER_USER',
  'PLAID_REFRESHES_PER_ITEM',
  'PLAID_QUOTA_LOCATION',
  'DATABASE_URL',
  'DATABASE_JOBS_URL',
  'DATABASE_IDENTITY_URL',
  'DATABASE_BACKUP_URL',
  'DATABASE_ENDPOINT',
  'SECRET_KEY',
  'SECRET_KEY_PREVIOUS',
  'ENCRYPTION_KEY',
  'ENCRYPTION_KEY_ID',
  'ENCRYPTION_KEYS_PREVIOUS',
  'ENCRYPTION_MIN_KEY_ID',
  'AUDIT_KEY',
  'AUDIT_KEY_ID',
  'AUDIT_KEYS_PREVIOUS',
  'API_KEYS',
  'CONSOLE',
  'CONSOLE_BANK_URL',
  'CONSOLE_DEMO_OPERATOR',
  'CONSOLE_DEMO_USER',
  'CONSOLE_OIDC_AUTHORIZATION_URL',
  'CONSOLE_OIDC_CLIENT_ID',
  'CONSOLE_OIDC_CLIENT_SECRET',
  'CONSOLE_OIDC_END_SESSION_URL',
  'CONSOLE_OIDC_PARAMETERS',
  'CONSOLE_OIDC_REVOCATION_URL',
  'CONSOLE_OIDC_SCOPES',
  'CONSOLE_OIDC_TOKEN_URL',
  'CORS_ORIGINS',
  'SWEEP_WAKES_PER_SECOND',
  'APPLE_APP_IDS',
  'ANDROID_PACKAGE_NAMES',
  'ANDROID_CERT_FINGERPRINTS',
  'SECURITY_CONTACT',
  'ALERT_WEBHOOK_URL',
  'ALERT_WEBHOOK_SECRET',
  'ALERT_WEBHOOK_SECRET_PREVIOUS',
  'ALERT_WEBHOOK_FORMAT',
  'SENTRY_DSN',
  'SENTRY_TRACES_SAMPLE_RATE',
  'RATE_LIMIT_ENABLED',
  'RATE_LIMITS',
  'RETENTION_DAYS',
  'RETENTION_REMOVED_DAYS',
  'BACKUP_RECIPIENT',
  'BACKUP_RETENTION_DAYS',
  'ORPHAN_REMOVAL',
  'ORPHAN_REMOVALS_PER_DAY',
] as const

const names = new Set<string>(variableNames)

export type Variables = Record<string, string>

export interface LocalVariables {
  /** From the shell, or else from `.dev.vars`: what the developer chose. */
  chosen: Variables
  /** The obviously fake values of `.dev.vars.example`, for use without a `.dev.vars`. */
  examples: Variables
}

/** Whether the Worker accepts tokens of an OIDC issuer instead of those that SECRET_KEY signs. */
export function usesOidc(variables: Variables): boolean {
  return variables['AUTH_MODE'] ? variables['AUTH_MODE'] === 'oidc' : Boolean(variables['AUTH_ISSUER'])
}

async function readVariables(path: string): Promise<Variables | null> {
  const text = await readFile(path, 'utf8').catch(nullIfMissing)
  if (text === null) return null
  const entries = Object.entries(parseEnv(text)).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  )
  return Object.fromEntries(entries)
}

function fromShell(environment: NodeJS.ProcessEnv): Variables {
  const isOurs = (name: string) => names.has(name) || name.startsWith('AUTH_')
  const entries = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && isOurs(name) ? [[name, value]] : [],
  )
  return Object.fromEntries(entries)
}

/** Reads the shell's variables and the project's files. A missing file counts as empty. */
export async function readLocalVariables(
  projectFolder: string,
  environment: NodeJS.ProcessEnv,
): Promise<LocalVariables> {
  const file = await readVariables(join(projectFolder, '.dev.vars'))
  const examples = file === null ? await readVariables(join(projectFolder, '.dev.vars.example')) : null
  return { chosen: { ...file, ...fromShell(environment) }, examples: examples ?? {} }
}

/** Quotes `value` so that wrangler's reader of such files returns it unchanged. */
function quote(name: string, value: string): string {
  const mark = ["'", '`', '"'].find((one) => !value.includes(one))
  if (mark === undefined || value.endsWith('\\') || (mark === '"' && /\\[nr]/.test(value))) {
    throw new Error(`${name} holds every kind of quote, or ends in a backslash: wrangler could not read it.`)
  }
  return `${mark}${value.replaceAll('$', String.raw`\$`)}${mark}`
}

/** The text of the file that `wrangler dev --env-file` reads. */
export function formatVariables(variables: Variables): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${quote(name, value)}\n`)
    .join('')
}
