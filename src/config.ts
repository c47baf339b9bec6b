// Environment → Config. Parsed once an isolate, fails closed, and names the variables at fault but never their values.
import * as z from 'zod'
import { encodeHex, utf8 } from './crypto/encoding.ts'
import { decodeKey, type EncryptionKey, keyIdPattern } from './crypto/keyring.ts'
import { AppError } from './errors.ts'

export const plaidProducts = ['transactions', 'investments', 'liabilities'] as const
export type PlaidProduct = (typeof plaidProducts)[number]

/** The rate limits whose quotas can be configured. */
export const rateLimitNames = ['global', 'global_hour', 'auth', 'link', 'sync', 'sensitive', 'webhook_failed'] as const
export type RateLimitQuotas = Readonly<Partial<Record<(typeof rateLimitNames)[number], number>>>

/** An admission is eight bytes of a stored log. */
const largestQuota = 10_000

/** Calls a minute by item and by client; of paid endpoints also `day`: calls an item and a day. */
const plaidLimit = z.strictObject({
  item: z.int().min(1).max(10_000).optional(),
  client: z.int().min(1).max(1_000_000).optional(),
})
const paidPlaidLimit = plaidLimit.extend({ day: z.int().min(0).max(1000).optional() })
const plaidLimitsSchema = z.strictObject({
  sync: plaidLimit.optional(),
  accounts: plaidLimit.optional(),
  balance: paidPlaidLimit.optional(),
  holdings: plaidLimit.optional(),
  investment_transactions: plaidLimit.optional(),
  liabilities: plaidLimit.optional(),
  item_get: plaidLimit.optional(),
  item_remove: plaidLimit.optional(),
  recurring: plaidLimit.optional(),
  refresh: paidPlaidLimit.optional(),
})
const plaidPricesSchema = z.record(
  z.string().regex(/^(\/[a-z_]{1,40}){1,4}$/),
  z.string().regex(/^\d{1,9}(\.\d{1,9})?$/),
)

/** An HTTP API that sends e-mail: `POST url` with a bearer key. */
export interface EmailConfig {
  readonly url: string
  readonly key: string
  readonly from: string
  /** The page of the application that links in mails lead to. */
  readonly publicUrl: string
}

export interface Config {
  readonly environment: 'development' | 'staging' | 'production'
  /** True in staging and production: https only, real secrets, nothing local. */
  readonly strict: boolean
  readonly plaid: {
    readonly baseUrl: string
    readonly clientId: string
    readonly secret: string
    readonly webhookUrl: string
    readonly products: readonly PlaidProduct[]
    readonly countryCodes: readonly string[]
    /** Numbers that replace those of src/plaid/quota-limits.ts. */
    readonly limits: z.output<typeof plaidLimitsSchema>
    /** Endpoint → price of a call as decimal text. */
    readonly prices: Readonly<Record<string, string>>
  }
  readonly webhookSharedKey: string | null
  readonly database: { readonly apiUrl: string; readonly jobsUrl: string; readonly endpoint: string | null }
  readonly auth:
    /** Accounts of this deployment. Without an e-mail sender (development only), mails are written to the log. */
    | { readonly mode: 'builtin'; readonly secret: Uint8Array; readonly email: EmailConfig | null }
    | { readonly mode: 'oidc'; readonly issuer: string; readonly audience: string; readonly jwksUrl: string }
  readonly encryption: {
    readonly current: EncryptionKey
    readonly previous: readonly EncryptionKey[]
  }
  readonly corsOrigins: readonly string[]
  /** `quotas` replace the defaults. */
  readonly rateLimits: { readonly enabled: boolean; readonly quotas: RateLimitQuotas }
  readonly retention: {
    /** Days after which what a user removed is deleted. */
    readonly removedDays: number
  }
  readonly sentry: { readonly dsn: string; readonly tracesSampleRate: number } | null
}

const plaidHosts = { sandbox: 'https://sandbox.plaid.com', production: 'https://production.plaid.com' } as const

const jsonArray = z.string().transform((text, context) => {
  try {
    return z.array(z.string()).parse(JSON.parse(text))
  } catch {
    context.addIssue({ code: 'custom', message: 'must be a JSON array of strings' })
    return z.NEVER
  }
})

const list = z.string().transform((text) => text.split(/[,\s]+/).filter((part) => part !== ''))

const encryptionKey = z.string().transform((text, context) => {
  const key = decodeKey(text)
  if (key === null) {
    context.addIssue({ code: 'custom', message: 'must be at least 32 random bytes as base64 or hex' })
    return z.NEVER
  }
  return key
})

const keyId = z.string().regex(keyIdPattern, 'must be 1 to 32 of A-Z, a-z, 0-9, _ and -')

const previousKeys = z.string().transform((text, context) => {
  try {
    const entries = Object.entries(z.record(keyId, z.string()).parse(JSON.parse(text)))
    return entries.map(([id, secret]) => ({ id, secret: encryptionKey.parse(secret) }))
  } catch {
    context.addIssue({ code: 'custom', message: 'must be a JSON object of key id to key' })
    return z.NEVER
  }
})

const quota = z.int().min(1).max(largestQuota)

const rateLimits = z.string().transform((text, context): RateLimitQuotas => {
  try {
    return z.partialRecord(z.enum(rateLimitNames), quota).parse(JSON.parse(text))
  } catch {
    const names = rateLimitNames.join(', ')
    const message = `must be a JSON object of ${names} to whole numbers from 1 to ${largestQuota}`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
})

/** Text that holds JSON of that shape; what is wrong with it is said without quoting it. */
const jsonOf = <Schema extends z.ZodType>(schema: Schema, message: string) =>
  z.string().transform((text, context): z.output<Schema> => {
    try {
      return schema.parse(JSON.parse(text))
    } catch {
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }
  })

const plaidLimits = jsonOf(
  plaidLimitsSchema,
  `must be a JSON object of ${Object.keys(plaidLimitsSchema.shape).join(', ')} to {"item", "client"}, whole numbers a minute, with "day" for balance and refresh`,
)
const plaidPrices = jsonOf(plaidPricesSchema, 'must be a JSON object of endpoints to prices as decimal text')

const databaseUrl = z.string().refine((text) => {
  const url = URL.parse(text)
  return url !== null && /^postgres(ql)?:$/.test(url.protocol) && url.username !== '' && url.pathname.length > 1
}, 'must be a postgres:// URL with a login and a database')

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' })

const environmentSchema = z.object({
  ENVIRONMENT: z.enum(['development', 'staging', 'production']),
  PLAID_ENV: z.enum(['sandbox', 'production']),
  PLAID_CLIENT_ID: z.string().min(1),
  PLAID_SECRET: z.string().min(1),
  PLAID_BASE_URL: httpUrl.optional(),
  PLAID_WEBHOOK_URL: httpUrl,
  PLAID_WEBHOOK_VERIFICATION_KEY: z.string().min(32, 'must be at least 32 characters').optional(),
  PLAID_PRODUCTS: list.pipe(z.array(z.enum(plaidProducts)).min(1)).default(['transactions']),
  PLAID_COUNTRY_CODES: list.pipe(z.array(z.string().regex(/^[A-Z]{2}$/)).min(1)).default(['US']),
  PLAID_LIMITS: plaidLimits.default({}),
  PLAID_PRICES: plaidPrices.default({}),
  DATABASE_URL: databaseUrl,
  DATABASE_JOBS_URL: databaseUrl,
  DATABASE_ENDPOINT: httpUrl.optional(),
  SECRET_KEY: z.string().min(32, 'must be at least 32 characters'),
  ENCRYPTION_KEY: encryptionKey,
  ENCRYPTION_KEY_ID: keyId.default('k1'),
  ENCRYPTION_KEYS_PREVIOUS: previousKeys.default([]),
  CORS_ORIGINS: jsonArray.default([]),
  RETENTION_REMOVED_DAYS: z.coerce.number().int().min(0).max(3650).default(30),
  SENTRY_DSN: httpUrl.optional(),
  SENTRY_TRACES_SAMPLE_RATE: z.coerce.number().min(0).max(1).default(0.1),
  RATE_LIMIT_ENABLED: z.enum(['true', 'false'], { error: 'must be true or false' }).default('true'),
  RATE_LIMITS: rateLimits.default({}),
  AUTH_MODE: z.enum(['oidc', 'builtin']).optional(),
  AUTH_ISSUER: httpUrl.optional(),
  AUTH_AUDIENCE: z.string().min(1).optional(),
  AUTH_JWKS_URL: httpUrl.optional(),
  AUTH_EMAIL_URL: httpUrl.optional(),
  AUTH_EMAIL_KEY: z.string().min(16, 'must be at least 16 characters').optional(),
  AUTH_EMAIL_FROM: z
    .string()
    .regex(/^[^\r\n]{0,100}[^\s@<>]+@[^\s@<>]+>?$/, 'must be an e-mail address')
    .optional(),
  AUTH_PUBLIC_URL: httpUrl.optional(),
})

type Environment = z.infer<typeof environmentSchema>
type Complaint = readonly [variable: string, what: string]

const originIsExact = (origin: string): boolean => {
  const url = URL.parse(origin)
  return url !== null && url.origin === origin && (url.protocol === 'https:' || url.protocol === 'http:')
}

const isFake = (value: string): boolean => /fake|example|change-?me|local-only/i.test(value)

const httpsOnly = [
  'PLAID_WEBHOOK_URL',
  'AUTH_ISSUER',
  'AUTH_JWKS_URL',
  'AUTH_EMAIL_URL',
  'AUTH_PUBLIC_URL',
  'SENTRY_DSN',
] as const
const oidcVariables = ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_JWKS_URL'] as const
const emailVariables = ['AUTH_EMAIL_URL', 'AUTH_EMAIL_KEY', 'AUTH_EMAIL_FROM', 'AUTH_PUBLIC_URL'] as const

const authModeOf = (env: Environment): 'oidc' | 'builtin' =>
  env.AUTH_MODE ?? (env.AUTH_ISSUER === undefined ? 'builtin' : 'oidc')

/** Each mode has its own variables, whole; one of the other mode would look as if it did something. */
function authComplaints(env: Environment): Complaint[] {
  const mode = authModeOf(env)
  const isSet = (name: keyof Environment): boolean => env[name] !== undefined
  const complaints: Complaint[] = []
  if (mode === 'oidc')
    for (const name of emailVariables.filter(isSet)) complaints.push([name, 'is for AUTH_MODE=builtin'])
  if (env.AUTH_MODE === 'builtin')
    for (const name of oidcVariables.filter(isSet)) complaints.push([name, 'is for AUTH_MODE=oidc'])
  else if ((mode === 'oidc' || oidcVariables.some(isSet)) && !oidcVariables.every(isSet))
    complaints.push([oidcVariables.join(', '), 'must be set together'])
  if (mode === 'builtin' && (env.ENVIRONMENT !== 'development' || emailVariables.some(isSet)))
    for (const name of emailVariables.filter((variable) => !isSet(variable)))
      complaints.push([name, 'is missing: built-in accounts need an e-mail sender'])
  return complaints
}

/** What only a laptop may do. Staging is as strict as production. */
function strictComplaints(env: Environment, raw: Readonly<Record<string, unknown>>): Complaint[] {
  const complaints: Complaint[] = []
  for (const name of ['DATABASE_URL', 'DATABASE_JOBS_URL'] as const) {
    const sslmode = URL.parse(env[name])?.searchParams.get('sslmode') ?? ''
    if (!['require', 'verify-ca', 'verify-full'].includes(sslmode)) complaints.push([name, 'must say sslmode=require'])
  }
  for (const name of ['PLAID_BASE_URL', 'DATABASE_ENDPOINT'] as const)
    if (env[name] !== undefined) complaints.push([name, 'is for local use only'])
  for (const name of httpsOnly)
    if (env[name] !== undefined && !env[name].startsWith('https://')) complaints.push([name, 'must be an https URL'])
  if (env.CORS_ORIGINS.length === 0 || env.CORS_ORIGINS.some((origin) => !origin.startsWith('https://')))
    complaints.push(['CORS_ORIGINS', 'must list explicit https origins'])
  if (env.RATE_LIMIT_ENABLED === 'false') complaints.push(['RATE_LIMIT_ENABLED', 'may be false in development only'])
  const secrets = [
    'PLAID_SECRET',
    'SECRET_KEY',
    'ENCRYPTION_KEY',
    'PLAID_WEBHOOK_VERIFICATION_KEY',
    'AUTH_EMAIL_KEY',
  ] as const
  for (const name of secrets) {
    const value = raw[name]
    if (typeof value !== 'string') continue
    if (isFake(value)) complaints.push([name, 'is an example value'])
    if (secrets.some((other) => other !== name && raw[other] === value))
      complaints.push([name, 'must differ from the other secrets'])
  }
  // A key that was retired may be read by more people than one that is in use.
  const current = encodeHex(env.ENCRYPTION_KEY)
  if (env.ENCRYPTION_KEYS_PREVIOUS.some(({ secret }) => encodeHex(secret) === current))
    complaints.push(['ENCRYPTION_KEYS_PREVIOUS', 'must not hold ENCRYPTION_KEY'])
  return complaints
}

function complaintsAbout(env: Environment, raw: Readonly<Record<string, unknown>>): Complaint[] {
  const complaints: Complaint[] = []
  if (env.PLAID_ENV === 'production' && env.ENVIRONMENT !== 'production')
    complaints.push(['PLAID_ENV', 'may be production only where ENVIRONMENT is production'])
  if (!env.CORS_ORIGINS.every(originIsExact)) complaints.push(['CORS_ORIGINS', 'must hold exact origins'])
  complaints.push(...authComplaints(env))
  if (env.DATABASE_URL === env.DATABASE_JOBS_URL)
    complaints.push(['DATABASE_JOBS_URL', 'must be another login than DATABASE_URL'])
  if (env.ENCRYPTION_KEYS_PREVIOUS.some((key) => key.id === env.ENCRYPTION_KEY_ID))
    complaints.push(['ENCRYPTION_KEYS_PREVIOUS', 'must not hold ENCRYPTION_KEY_ID'])
  return env.ENVIRONMENT === 'development' ? complaints : [...complaints, ...strictComplaints(env, raw)]
}

function authOf(env: Environment): Config['auth'] {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_URL: jwksUrl } = env
  if (issuer !== undefined && audience !== undefined && jwksUrl !== undefined)
    return { mode: 'oidc', issuer, audience, jwksUrl }
  return { mode: 'builtin', secret: utf8(env.SECRET_KEY), email: emailOf(env) }
}

function emailOf(env: Environment): EmailConfig | null {
  const { AUTH_EMAIL_URL: url, AUTH_EMAIL_KEY: key, AUTH_EMAIL_FROM: from, AUTH_PUBLIC_URL: publicUrl } = env
  if (url === undefined || key === undefined || from === undefined || publicUrl === undefined) return null
  return { url, key, from, publicUrl }
}

function misconfigured(complaints: readonly Complaint[]): AppError {
  const reason = complaints.map(([variable, what]) => `${variable} ${what}`).join('; ')
  return new AppError('misconfigured', 'The service is not configured correctly.', { reason })
}

/**
 * Reads the Worker's variables and secrets. An empty string counts as absent.
 * @throws AppError `misconfigured` whose `reason` names every variable at fault, and no value.
 */
export function parseConfig(bindings: Readonly<Record<string, unknown>>): Config {
  const raw = Object.fromEntries(Object.entries(bindings).filter(([, value]) => value !== ''))
  const parsed = environmentSchema.safeParse(raw)
  if (!parsed.success)
    throw misconfigured(
      parsed.error.issues.map((issue) => [
        String(issue.path[0] ?? 'environment'),
        raw[String(issue.path[0])] === undefined ? 'is missing' : issue.message,
      ]),
    )
  const env = parsed.data
  const complaints = complaintsAbout(env, raw)
  if (complaints.length > 0) throw misconfigured(complaints)
  return {
    environment: env.ENVIRONMENT,
    strict: env.ENVIRONMENT !== 'development',
    plaid: {
      baseUrl: env.PLAID_BASE_URL ?? plaidHosts[env.PLAID_ENV],
      clientId: env.PLAID_CLIENT_ID,
      secret: env.PLAID_SECRET,
      webhookUrl: env.PLAID_WEBHOOK_URL,
      products: env.PLAID_PRODUCTS,
      countryCodes: env.PLAID_COUNTRY_CODES,
      limits: env.PLAID_LIMITS,
      prices: env.PLAID_PRICES,
    },
    webhookSharedKey: env.PLAID_WEBHOOK_VERIFICATION_KEY ?? null,
    database: { apiUrl: env.DATABASE_URL, jobsUrl: env.DATABASE_JOBS_URL, endpoint: env.DATABASE_ENDPOINT ?? null },
    auth: authOf(env),
    encryption: {
      current: { id: env.ENCRYPTION_KEY_ID, secret: env.ENCRYPTION_KEY },
      previous: env.ENCRYPTION_KEYS_PREVIOUS,
    },
    corsOrigins: env.CORS_ORIGINS,
    rateLimits: { enabled: env.RATE_LIMIT_ENABLED === 'true', quotas: env.RATE_LIMITS },
    retention: { removedDays: env.RETENTION_REMOVED_DAYS },
    sentry:
      env.SENTRY_DSN === undefined ? null : { dsn: env.SENTRY_DSN, tracesSampleRate: env.SENTRY_TRACES_SAMPLE_RATE },
  }
}
