// Parses the environment into the configuration, once for each isolate. Errors name the variables at fault and never
// their values.
import * as z from 'zod'
import { alertsOf } from './alerts.ts'
import { constraintViolations } from './constraints.ts'
import { identityUrlMissing } from './logins.ts'
import { providerOf } from './provider.ts'
import type { Config, EmailConfig, TokenRules } from './types.ts'
import { authModeOf, type Violation, type Environment, environmentSchema } from './variables.ts'
import { utf8 } from '../crypto/encoding.ts'
import { AppError } from '../errors.ts'

export { type ProviderConfig, callbackPath } from './provider.ts'
export type { Config, EmailConfig } from './types.ts'
export { type PlaidProduct, plaidProducts, secretTexts } from './variables.ts'

const plaidHosts = { sandbox: 'https://sandbox.plaid.com', production: 'https://production.plaid.com' } as const

/** E-mails that anyone can request: registrations and password resets. */
const defaultMailsPerHour = 500
/** Password hashes for clients without a known device or a live session. Each takes 0.1 to 0.2 s of CPU time. */
const defaultHashesPerMinute = 600

function authOf(env: Environment): Config['auth'] {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_URL: jwksUrl } = env
  if (issuer !== undefined && audience !== undefined && jwksUrl !== undefined)
    return { mode: 'oidc', issuer, audience, jwksUrl, rules: rulesOf(env), longestSeconds: hoursOf(env) * 3600 }
  const { DATABASE_IDENTITY_URL: databaseUrl } = env
  if (databaseUrl === undefined) throw misconfigured([identityUrlMissing])
  const mailsPerHour = env.AUTH_MAILS_PER_HOUR ?? defaultMailsPerHour
  const hashesPerMinute = env.AUTH_HASHES_PER_MINUTE ?? defaultHashesPerMinute
  return { mode: 'builtin', databaseUrl, email: emailOf(env), mailsPerHour, hashesPerMinute }
}

const hoursOf = ({ AUTH_MAX_TOKEN_HOURS: hours = 24 }: Environment): number => hours

/** In strict environments, a token is an administrator's only by a claim that the operator configured. */
function rulesOf(env: Environment): TokenRules {
  const claim = env.AUTH_ADMIN_CLAIM ?? (env.ENVIRONMENT === 'development' ? 'role' : null)
  return {
    scopeClaim: env.AUTH_SCOPE_CLAIM ?? null,
    writeScope: env.AUTH_WRITE_SCOPE === '*' ? null : (env.AUTH_WRITE_SCOPE ?? null),
    admin: claim === null ? null : { claim, value: env.AUTH_ADMIN_VALUE ?? 'admin' },
  }
}

function emailOf(env: Environment): EmailConfig | null {
  const { AUTH_EMAIL_URL: url, AUTH_EMAIL_KEY: key, AUTH_EMAIL_FROM: from, AUTH_PUBLIC_URL: publicUrl } = env
  if (url === undefined || key === undefined || from === undefined || publicUrl === undefined) return null
  const previous = env.AUTH_EMAIL_KEY_PREVIOUS === undefined ? [] : [env.AUTH_EMAIL_KEY_PREVIOUS]
  return { url, keys: [key, ...previous], from, publicUrl }
}

type AuditVariables = Pick<Environment, 'AUDIT_KEY' | 'AUDIT_KEY_ID' | 'AUDIT_KEYS_PREVIOUS'>

/** Each use derives its own key by HKDF (src/audit/keys.ts), from `SECRET_KEY` too. */
const auditOf = (env: AuditVariables & { readonly SECRET_KEY?: string | undefined }): Config['audit'] => {
  const secret = env.AUDIT_KEY ?? (env.SECRET_KEY === undefined ? null : utf8(env.SECRET_KEY))
  if (secret === null) throw misconfigured([['AUDIT_KEY', 'is missing']])
  return { current: { id: env.AUDIT_KEY_ID, secret }, previous: env.AUDIT_KEYS_PREVIOUS }
}

/** Where the console's own pages are: the host that Plaid's webhooks go to. */
const ownOrigins = ({ CONSOLE, PLAID_WEBHOOK_URL }: Environment): string[] =>
  CONSOLE === 'on' ? [new URL(PLAID_WEBHOOK_URL).origin] : []

/** The page of the console to which Hosted Link returns. */
const returnPath = '/connect/return'

/** A demo user needs tokens of this deployment, and is refused outside development (constraints.ts). */
function consoleOf(env: Environment): Config['console'] {
  if (env.CONSOLE === 'off') return null
  const { origin } = new URL(env.PLAID_WEBHOOK_URL)
  const mayHaveDemo = env.ENVIRONMENT === 'development' && authModeOf(env) === 'builtin'
  return {
    bankUrl: (env.ENVIRONMENT === 'development' ? env.CONSOLE_BANK_URL : undefined) ?? null,
    demoUser: (mayHaveDemo ? env.CONSOLE_DEMO_USER : undefined) ?? null,
    demoOperator: (mayHaveDemo ? env.CONSOLE_DEMO_OPERATOR : undefined) ?? null,
    origin,
    provider: authModeOf(env) === 'oidc' ? providerOf(env, origin) : null,
  }
}

function backupOf({ BACKUP_RECIPIENT: recipients, DATABASE_BACKUP_URL: databaseUrl }: Environment): Config['backup'] {
  if (recipients === undefined || recipients.length === 0 || databaseUrl === undefined) return null
  return { recipients, databaseUrl }
}

function misconfigured(violations: readonly Violation[]): AppError {
  const reason = violations.map(([variable, what]) => `${variable} ${what}`).join('; ')
  return new AppError('misconfigured', 'The service is not configured correctly.', { reason })
}

/**
 * The keys of the audit trail alone, for its verification outside of the Worker.
 * @throws AppError `misconfigured` as `parseConfig`
 */
export function parseAuditKeys(bindings: Readonly<Record<string, unknown>>): Config['audit'] {
  const { AUDIT_KEY, AUDIT_KEY_ID, AUDIT_KEYS_PREVIOUS, SECRET_KEY } = environmentSchema.shape
  const schema = z.object({ AUDIT_KEY, AUDIT_KEY_ID, AUDIT_KEYS_PREVIOUS, SECRET_KEY: SECRET_KEY.optional() })
  return auditOf(parseVariables(schema, withoutEmpty(bindings)))
}

const withoutEmpty = (bindings: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(bindings).filter(([, value]) => value !== ''))

function parseVariables<Schema extends z.ZodObject>(schema: Schema, raw: Record<string, unknown>): z.output<Schema> {
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  throw misconfigured(
    parsed.error.issues.map((issue) => [
      String(issue.path[0] ?? 'environment'),
      raw[String(issue.path[0])] === undefined ? 'is missing' : issue.message,
    ]),
  )
}

/**
 * Reads the Worker's variables and secrets. An empty string counts as absent.
 * @throws AppError `misconfigured`, whose `reason` names every variable at fault and no value
 */
export function parseConfig(bindings: Readonly<Record<string, unknown>>): Config {
  const raw = withoutEmpty(bindings)
  const env = parseVariables(environmentSchema, raw)
  const violations = constraintViolations(env, raw)
  if (violations.length > 0) throw misconfigured(violations)
  return {
    environment: env.ENVIRONMENT,
    strict: env.ENVIRONMENT !== 'development',
    plaid: {
      environment: env.PLAID_ENV,
      baseUrl: env.PLAID_BASE_URL ?? plaidHosts[env.PLAID_ENV],
      clientId: env.PLAID_CLIENT_ID,
      secret: env.PLAID_SECRET,
      webhookUrl: env.PLAID_WEBHOOK_URL,
      products: env.PLAID_PRODUCTS,
      link: {
        clientName: env.PLAID_CLIENT_NAME,
        requiredIfSupported: env.PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS,
        additionalConsented: env.PLAID_ADDITIONAL_CONSENTED_PRODUCTS,
        androidPackages: [...new Set([...env.PLAID_ANDROID_PACKAGES, ...env.ANDROID_PACKAGE_NAMES])],
        completionRedirectUris: [
          ...env.PLAID_COMPLETION_REDIRECT_URIS,
          ...ownOrigins(env).map((origin) => `${origin}${returnPath}`),
        ],
      },
      countryCodes: env.PLAID_COUNTRY_CODES,
      limits: env.PLAID_LIMITS,
      quotaLocation: env.PLAID_QUOTA_LOCATION ?? null,
      prices: env.PLAID_PRICES,
      refreshes: {
        perDay: env.PLAID_REFRESHES_PER_DAY,
        perUser: env.PLAID_REFRESHES_PER_USER,
        perItem: env.PLAID_REFRESHES_PER_ITEM,
      },
    },
    secret: utf8(env.SECRET_KEY),
    previousSecret: env.SECRET_KEY_PREVIOUS === undefined ? null : utf8(env.SECRET_KEY_PREVIOUS),
    webhookSharedKeys: [env.PLAID_WEBHOOK_VERIFICATION_KEY, env.PLAID_WEBHOOK_VERIFICATION_KEY_PREVIOUS].filter(
      (key) => key !== undefined,
    ),
    database: { apiUrl: env.DATABASE_URL, jobsUrl: env.DATABASE_JOBS_URL, endpoint: env.DATABASE_ENDPOINT ?? null },
    auth: authOf(env),
    encryption: {
      current: { id: env.ENCRYPTION_KEY_ID, secret: env.ENCRYPTION_KEY },
      previous: env.ENCRYPTION_KEYS_PREVIOUS,
      ...(env.ENCRYPTION_MIN_KEY_ID === undefined ? {} : { minimumKeyId: env.ENCRYPTION_MIN_KEY_ID }),
    },
    audit: auditOf(env),
    apiKeys: env.API_KEYS === 'on' ? { kind: env.PLAID_ENV === 'production' ? 'live' : 'test' } : null,
    corsOrigins: [...new Set([...env.CORS_ORIGINS, ...ownOrigins(env)])],
    console: consoleOf(env),
    rateLimits: { enabled: env.RATE_LIMIT_ENABLED === 'true', quotas: env.RATE_LIMITS },
    linking: {
      itemsPerUser: env.MAX_ITEMS_PER_USER,
      linksPerDay: env.MAX_LINKS_PER_DAY,
      allowsDuplicates: env.ALLOW_DUPLICATE_ITEMS === 'true',
    },
    retention: { days: env.RETENTION_DAYS, removedDays: env.RETENTION_REMOVED_DAYS },
    securityContacts: env.SECURITY_CONTACT,
    appLinks: {
      appleAppIds: env.APPLE_APP_IDS,
      androidPackages: env.ANDROID_PACKAGE_NAMES,
      androidFingerprints: env.ANDROID_CERT_FINGERPRINTS,
    },
    backup: backupOf(env),
    backupRetentionDays: env.BACKUP_RETENTION_DAYS,
    operator:
      env.OPERATOR_NAME === undefined || env.OPERATOR_CONTACT === undefined
        ? null
        : { name: env.OPERATOR_NAME, contact: env.OPERATOR_CONTACT },
    orphanRemoval: { mode: env.ORPHAN_REMOVAL, perDay: env.ORPHAN_REMOVALS_PER_DAY },
    sweep: { messagesPerSecond: env.SWEEP_WAKES_PER_SECOND },
    alerts: alertsOf(env),
    sentry:
      env.SENTRY_DSN === undefined || env.SENTRY_DSN === null
        ? null
        : { dsn: env.SENTRY_DSN, tracesSampleRate: env.SENTRY_TRACES_SAMPLE_RATE },
  }
}
