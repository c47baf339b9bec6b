// Parses the environment into the configuration, once for each isolate. Errors name the variables at fault and never
// their values.
import * as z from 'zod'
import { type AlertsConfig, alertsOf } from './alerts.ts'
import { constraintViolations } from './constraints.ts'
import { identityUrlMissing } from './logins.ts'
import { type ProviderConfig, providerOf } from './provider.ts'
import {
  authModeOf,
  type Violation,
  type Environment,
  environmentSchema,
  type ChosenPlaidLimits,
  type PlaidProduct,
  type RateLimitQuotas,
} from './variables.ts'
import { utf8 } from '../crypto/encoding.ts'
import type { EncryptionKey } from '../crypto/keyring.ts'
import { AppError } from '../errors.ts'

export { type ProviderConfig, callbackPath } from './provider.ts'
export { type PlaidProduct, plaidProducts, secretTexts } from './variables.ts'

/** An HTTP API that sends e-mail: `POST url` with a bearer key. */
export interface EmailConfig {
  readonly url: string
  readonly key: string
  readonly from: string
  /** The application's page that links in e-mails open. */
  readonly publicUrl: string
}

/** How to derive the rights of an issuer's token; applied by src/auth/token-rights.ts. */
interface TokenRules {
  readonly scopeClaim: string | null
  readonly writeScope: string | null
  readonly admin: { readonly claim: string; readonly value: string } | null
}

export interface Config {
  readonly environment: 'development' | 'staging' | 'production'
  /** True in staging and production: https only, real secrets, nothing local. */
  readonly strict: boolean
  readonly plaid: {
    readonly baseUrl: string
    readonly environment: 'sandbox' | 'production'
    readonly clientId: string
    readonly secret: string
    readonly webhookUrl: string
    readonly products: readonly PlaidProduct[]
    readonly link: {
      /** Shown by Link, by the bank and in consent dialogs. */
      readonly clientName: string
      /** Those of `products` that are required of banks that support them. */
      readonly requiredIfSupported: readonly PlaidProduct[]
      /** Those of `products` to which the user agrees in Link. Plaid adds them at their first read. */
      readonly additionalConsented: readonly PlaidProduct[]
      readonly androidPackages: readonly string[]
      /** The pages to which Hosted Link may redirect a user at its end. */
      readonly completionRedirectUris: readonly string[]
    }
    readonly countryCodes: readonly string[]
    /** Numbers that replace those of src/plaid/rate-limit/limits.ts. */
    readonly limits: ChosenPlaidLimits
    /** The region of the objects that count Plaid's limits; null for near their first caller. */
    readonly quotaLocation: NonNullable<Environment['PLAID_QUOTA_LOCATION']> | null
    /** Endpoint → price of a call as decimal text. */
    readonly prices: Readonly<Record<string, string>>
    /** Billed calls that users may cause in a UTC day: of the deployment (0: none), of a user, and of an item. */
    readonly refreshes: { readonly perDay: number; readonly perUser: number; readonly perItem: number }
  }
  readonly webhookSharedKey: string | null
  /** `SECRET_KEY`. Signs this deployment's access tokens; src/crypto/derived-key.ts derives other keys from it. */
  readonly secret: Uint8Array
  /** `SECRET_KEY_PREVIOUS`. Verifies what it signed, and signs nothing; null outside a rotation. */
  readonly previousSecret: Uint8Array | null
  readonly database: { readonly apiUrl: string; readonly jobsUrl: string; readonly endpoint: string | null }
  readonly auth:
    /** Accounts of this deployment. Without an e-mail sender (development only), e-mails are written to the log. */
    | {
        readonly mode: 'builtin'
        /** The URL of the only login with access to the accounts. */
        readonly databaseUrl: string
        readonly email: EmailConfig | null
        readonly mailsPerHour: number
        readonly hashesPerMinute: number
      }
    | {
        readonly mode: 'oidc'
        readonly issuer: string
        readonly audience: string
        readonly jwksUrl: string
        readonly rules: TokenRules
        /** Tokens that are valid for longer are refused. */
        readonly longestSeconds: number
      }
  readonly encryption: {
    readonly current: EncryptionKey
    readonly previous: readonly EncryptionKey[]
  }
  /** Keys of the audit trail. Without `AUDIT_KEY` (development only), the current one is derived from `SECRET_KEY`. */
  readonly audit: { readonly current: EncryptionKey; readonly previous: readonly EncryptionKey[] }
  /** API keys, and the tokens that they issue; null where the deployment accepts none. */
  readonly apiKeys: { readonly kind: 'live' | 'test' } | null
  /** The configured origins, and this deployment's own where it has the console. */
  readonly corsOrigins: readonly string[]
  /** The pages of this deployment (docs/console.md); null where it has none. */
  readonly console: {
    /** The page of the simulated bank; null outside of `npm run dev`. */
    readonly bankUrl: string | null
    /** The subject whom everyone on this machine may continue as; null outside of `npm run dev`. */
    readonly demoUser: string | null
    /** The same for the demo operator, an administrator. */
    readonly demoOperator: string | null
    /** Its own origin, the host that Plaid's webhooks go to. */
    readonly origin: string
    /** Its client at the identity provider; null with built-in accounts, and where the provider has no client for it. */
    readonly provider: ProviderConfig | null
  } | null
  /** `quotas` replace the defaults. */
  readonly rateLimits: { readonly enabled: boolean; readonly quotas: RateLimitQuotas }
  /** Limits of one user. */
  readonly linking: {
    /** Live items of a user: neither removed nor lost. */
    readonly itemsPerUser: number
    /** Exchanges of public tokens by a user within 24 hours. */
    readonly linksPerDay: number
    /** Whether a client may link a bank that is linked already. */
    readonly allowsDuplicates: boolean
  }
  /**
   * The contacts in `/.well-known/security.txt` for reports of vulnerabilities. Without one, the file does not exist.
   */
  readonly securityContacts: readonly string[]
  /** The apps that may open links to this host. */
  readonly appLinks: {
    /** `<prefix>.<bundle id>`. */
    readonly appleAppIds: readonly string[]
    readonly androidPackages: readonly string[]
    /** SHA-256 of the certificates that sign the packages. */
    readonly androidFingerprints: readonly string[]
  }
  /** Who is responsible for the data; null where the deployment has no privacy policy. */
  readonly operator: { readonly name: string; readonly contact: string } | null
  readonly retention: {
    /** Days that transactions and other history are kept, from their date. */
    readonly days: number
    /** Days after which data that a user removed is deleted. */
    readonly removedDays: number
  }
  /** Backups into the bucket; null where they are made elsewhere (`none`), or in development without a recipient. */
  readonly backup: {
    /** age public keys. */
    readonly recipients: readonly string[]
    /** The login that reads every row and changes none. */
    readonly databaseUrl: string
  } | null
  /** Days that backups in the bucket are kept. */
  readonly backupRetentionDays: number
  /** Whether items at Plaid that are not stored here are removed there, and how many a day. */
  readonly orphanRemoval: { readonly mode: 'off' | 'report' | 'end'; readonly perDay: number }
  /** Messages that a sweep sends per second until the next sweep. */
  readonly sweep: { readonly messagesPerSecond: number }
  /** Where alarms are sent; null sends them to Sentry alone. */
  readonly alerts: AlertsConfig | null
  readonly sentry: { readonly dsn: string; readonly tracesSampleRate: number } | null
}

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
  return { url, key, from, publicUrl }
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
    webhookSharedKey: env.PLAID_WEBHOOK_VERIFICATION_KEY ?? null,
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
