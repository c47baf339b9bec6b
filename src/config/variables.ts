// The format of each of the Worker's variables and secrets. constraints.ts checks them together.
import * as z from 'zod'
import { decodeKey, keyIdPattern } from '../crypto/keyring.ts'
import { decodeWebhookSecret } from '../crypto/standard-webhooks.ts'
import { isAgeRecipient } from './age-recipient.ts'
import { providerVariables } from './provider-variables.ts'

export const plaidProducts = ['transactions', 'investments', 'liabilities'] as const
export type PlaidProduct = (typeof plaidProducts)[number]

/** The rate limits whose quotas can be configured. */
const rateLimitNames = [
  'global',
  'global_hour',
  'address',
  'api_key',
  'auth',
  'link',
  'sync',
  'sensitive',
  'webhook_failed',
  'webhook_repeated',
] as const
export type RateLimitQuotas = Readonly<Partial<Record<(typeof rateLimitNames)[number], number>>>

/** Each admission takes eight bytes of a stored log. */
const largestQuota = 10_000

const wholeNumber = (from: number, to: number) => {
  const error = `must be a whole number from ${from} to ${to}`
  return z.int({ error }).min(from, { error }).max(to, { error })
}

/** Calls in a minute by item and by client; for paid endpoints also `day`: calls for an item in a day. */
const plaidLimit = z.strictObject({
  item: wholeNumber(1, 10_000).optional(),
  client: wholeNumber(1, 1_000_000).optional(),
})
const paidPlaidLimit = plaidLimit.extend({ day: wholeNumber(0, 1000).optional() })
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
  user_items: plaidLimit.optional(),
  refresh: paidPlaidLimit.optional(),
  other: plaidLimit.optional(),
})
const plaidPricesSchema = z.record(
  z.string().regex(/^(\/[a-z_]{1,40}){1,4}$/),
  z.string().regex(/^\d{1,9}(\.\d{1,9})?$/),
)

/**
 * Text that contains JSON of this schema. A violation quotes only `members`, names that the schema fixes: if they lead
 * to the error, it reports which of them is invalid.
 */
const jsonOf = <Schema extends z.ZodType>(schema: Schema, message: string, members: readonly string[] = []) =>
  z.string().transform((text, context): z.output<Schema> => {
    try {
      return schema.parse(JSON.parse(text))
    } catch (error) {
      const [issue] = error instanceof z.ZodError ? error.issues : []
      const path = issue?.path.map(String) ?? []
      const isNamed = issue !== undefined && path.length > 0 && path.every((name) => members.includes(name))
      const found = isNamed ? `${message}: ${path.join('.')} ${issue.message}` : message
      context.addIssue({ code: 'custom', message: found })
      return z.NEVER
    }
  })

/** Cloudflare's location hints for Durable Objects. */
const locationHints = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'apac', 'oc', 'afr', 'me'] as const

/** The subject of a person of a laptop. */
const demoName = z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -')

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

const previousKeys = jsonOf(z.record(keyId, encryptionKey), 'must be a JSON object of key id to key').transform(
  (keys) => Object.entries(keys).map(([id, secret]) => ({ id, secret })),
)

const rateLimits = jsonOf(
  z.partialRecord(z.enum(rateLimitNames), wholeNumber(1, largestQuota)),
  `must be a JSON object of ${rateLimitNames.join(', ')} to whole numbers from 1 to ${largestQuota}`,
  rateLimitNames,
)

const plaidLimits = jsonOf(
  plaidLimitsSchema,
  `must be a JSON object of ${Object.keys(plaidLimitsSchema.shape).join(', ')} to {"item", "client"}, whole numbers a minute, with "day" for balance and refresh`,
  [...Object.keys(plaidLimitsSchema.shape), ...Object.keys(paidPlaidLimit.shape)],
)
const plaidPrices = jsonOf(plaidPricesSchema, 'must be a JSON object of endpoints to prices as decimal text')

/** `com.example.app`: at least two parts, each of which begins with a letter. */
const androidPackage = z
  .string()
  .regex(/^(?=.{3,255}$)[A-Za-z]\w*(\.[A-Za-z]\w*)+$/, 'must list package names of Android')

/** The prefix of the developer's account, and the bundle id: `ABCDE12345.com.example.app`. */
const appleAppId = z
  .string()
  .regex(
    /^[A-Z0-9]{10}(?:\.[A-Za-z0-9-]{1,100}){2,10}$/,
    'must list application identifiers of Apple (PREFIX.bundle.id)',
  )

/** SHA-256 of a certificate as `keytool` prints it: 32 pairs of hexadecimal digits with colons. */
const certificateFingerprint = z
  .string()
  .regex(/^(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/, 'must list SHA-256 fingerprints (AB:CD:…)')
  .toUpperCase()

const databaseUrl = z.string().refine((text) => {
  const url = URL.parse(text)
  return url !== null && /^postgres(ql)?:$/.test(url.protocol) && url.username !== '' && url.pathname.length > 1
}, 'must be a postgres:// URL with a login and a database')

/** A member of a token's payload, or a path to one: `scp`, `https://example.com/roles`, `realm_access.roles`. */
const claimName = z.string().regex(/^\S{1,256}$/, 'must be the name of a claim')

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' })

/** A contact: `mailto:security@example.com`, `https://example.com/security`, `tel:+1-201-555-0123` (RFC 9116). */
const contact = z
  .string()
  .max(500)
  .regex(/^(?:mailto:[^\s@]+@[^\s@]+|https:\/\/\S+|tel:\+?[\d-]+)$/, 'must list addresses as mailto:, https: or tel:')

/** The placeholder of wrangler.toml. */
export const exampleRecipient = 'age1example'
const isRecipient = (text: string): boolean => text === exampleRecipient || isAgeRecipient(text)
const noRecipient = 'must be age public keys (age1…), separated by commas, or none'

/** Public keys that backups are encrypted for; none for `none`. Only they may be on the server, never a secret key. */
const backupRecipients = list.transform((recipients, context): readonly string[] => {
  if (recipients.length === 1 && recipients[0] === 'none') return []
  if (recipients.length > 0 && recipients.every(isRecipient)) return recipients
  const isSecret = recipients.some((recipient) => /^AGE-SECRET-KEY/i.test(recipient))
  context.addIssue({ code: 'custom', message: isSecret ? 'must not be a secret key' : noRecipient })
  return z.NEVER
})

/** A project of Sentry, as its settings show it: `https://<public key>@<host>/<project>`; null for `none`. */
const sentryDsn = z.string().transform((text, context): string | null => {
  if (text === 'none') return null
  const url = URL.parse(text)
  const isDsn = url !== null && /^https?:$/.test(url.protocol) && url.username !== '' && /\/\d+$/.test(url.pathname)
  if (isDsn) return text
  context.addIssue({ code: 'custom', message: 'must be the DSN of a Sentry project, or none' })
  return z.NEVER
})
/** A line of text that people read. */
const shownText = z
  .string()
  .max(200)
  .regex(/^[^\p{Cc}{}]+$/u, 'must be one line of text without braces')

/** The secrets: never logged, all different, no example values. */
export const secretVariables = [
  'PLAID_SECRET',
  'SECRET_KEY',
  'SECRET_KEY_PREVIOUS',
  'ENCRYPTION_KEY',
  'AUDIT_KEY',
  'PLAID_WEBHOOK_VERIFICATION_KEY',
  'PLAID_WEBHOOK_VERIFICATION_KEY_PREVIOUS',
  'AUTH_EMAIL_KEY',
  'AUTH_EMAIL_KEY_PREVIOUS',
  'CONSOLE_OIDC_CLIENT_SECRET',
  // Slack's URLs are secrets: who has one can send messages.
  'ALERT_WEBHOOK_URL',
  'ALERT_WEBHOOK_SECRET',
  'ALERT_WEBHOOK_SECRET_PREVIOUS',
] as const

/** Variables that hold several secrets, as a JSON object of id to key. */
const secretMaps = ['ENCRYPTION_KEYS_PREVIOUS', 'AUDIT_KEYS_PREVIOUS'] as const
const secretMap = jsonOf(z.record(z.string(), z.string()), 'must be a JSON object of id to key').catch({})

/** The text of every secret of an environment, also of those that are used no longer. */
export const secretTexts = (raw: Readonly<Record<string, unknown>>): string[] => [
  ...secretVariables.map((name) => raw[name]).filter((value) => typeof value === 'string'),
  ...secretMaps.flatMap((name) => Object.values(secretMap.parse(raw[name]))),
]

const relayKey = z.string().min(32, 'must be at least 32 characters')
const senderKey = z.string().min(16, 'must be at least 16 characters')
const alertSecret = z
  .string()
  .refine((text) => decodeWebhookSecret(text) !== null, 'must be whsec_ and the base64 of 24 to 64 bytes')

export const environmentSchema = z.object({
  ENVIRONMENT: z.enum(['development', 'staging', 'production']),
  PLAID_ENV: z.enum(['sandbox', 'production']),
  PLAID_CLIENT_ID: z.string().min(1),
  PLAID_SECRET: z.string().min(1),
  PLAID_BASE_URL: httpUrl.optional(),
  PLAID_WEBHOOK_URL: httpUrl,
  PLAID_WEBHOOK_VERIFICATION_KEY: relayKey.optional(),
  PLAID_WEBHOOK_VERIFICATION_KEY_PREVIOUS: relayKey.optional(),
  PLAID_PRODUCTS: list.pipe(z.array(z.enum(plaidProducts)).min(1)).default(['transactions']),
  PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS: list.pipe(z.array(z.enum(plaidProducts))).default([]),
  PLAID_ADDITIONAL_CONSENTED_PRODUCTS: list.pipe(z.array(z.enum(plaidProducts))).default([]),
  PLAID_CLIENT_NAME: z
    .string()
    .regex(/^[^\p{C}]{1,30}$/u, 'must be 1 to 30 characters')
    .default('WealthNavigator'),
  PLAID_ANDROID_PACKAGES: list.pipe(z.array(androidPackage)).default([]),
  PLAID_COMPLETION_REDIRECT_URIS: list.pipe(z.array(z.string().max(2048))).default([]),
  PLAID_COUNTRY_CODES: list.pipe(z.array(z.string().regex(/^[A-Z]{2}$/)).min(1)).default(['US']),
  MAX_ITEMS_PER_USER: z.coerce.number().int().min(1).max(100_000).default(20),
  MAX_LINKS_PER_DAY: z.coerce.number().int().min(1).max(100_000).default(20),
  ALLOW_DUPLICATE_ITEMS: z.enum(['true', 'false'], { error: 'must be true or false' }).default('false'),
  PLAID_LIMITS: plaidLimits.default({}),
  PLAID_QUOTA_LOCATION: z.enum(locationHints, { error: `must be one of ${locationHints.join(', ')}` }).optional(),
  PLAID_PRICES: plaidPrices.default({}),
  PLAID_REFRESHES_PER_DAY: z.coerce.number().int().min(0).max(1_000_000).default(0),
  PLAID_REFRESHES_PER_USER: z.coerce.number().int().min(1).max(1000).default(6),
  PLAID_REFRESHES_PER_ITEM: z.coerce.number().int().min(1).max(100).default(2),
  DATABASE_URL: databaseUrl,
  DATABASE_JOBS_URL: databaseUrl,
  DATABASE_IDENTITY_URL: databaseUrl.optional(),
  DATABASE_BACKUP_URL: databaseUrl.optional(),
  DATABASE_ENDPOINT: httpUrl.optional(),
  SECRET_KEY: z.string().min(32, 'must be at least 32 characters'),
  SECRET_KEY_PREVIOUS: z.string().min(32, 'must be at least 32 characters').optional(),
  ENCRYPTION_KEY: encryptionKey,
  ENCRYPTION_KEY_ID: keyId.default('k1'),
  ENCRYPTION_KEYS_PREVIOUS: previousKeys.default([]),
  ENCRYPTION_MIN_KEY_ID: keyId.optional(),
  AUDIT_KEY: encryptionKey.optional(),
  AUDIT_KEY_ID: keyId.default('a1'),
  AUDIT_KEYS_PREVIOUS: previousKeys.default([]),
  CORS_ORIGINS: jsonOf(z.array(z.string()), 'must be a JSON array of strings').default([]),
  // Plaid sends two years of history again in a full sync.
  RETENTION_DAYS: z.coerce.number().int().min(731).max(36_500).default(2555),
  RETENTION_REMOVED_DAYS: z.coerce.number().int().min(0).max(3650).default(30),
  BACKUP_RECIPIENT: backupRecipients.optional(),
  BACKUP_RETENTION_DAYS: z.coerce.number().int().min(1).max(3650).default(30),
  ORPHAN_REMOVAL: z.enum(['off', 'report', 'end'], { error: 'must be off, report or end' }).default('end'),
  ORPHAN_REMOVALS_PER_DAY: z.coerce.number().int().min(0).max(100_000).default(20),
  SWEEP_WAKES_PER_SECOND: z.coerce.number().int().min(1).max(500).default(25),
  APPLE_APP_IDS: list.pipe(z.array(appleAppId).max(20)).default([]),
  ANDROID_PACKAGE_NAMES: list.pipe(z.array(androidPackage).max(20)).default([]),
  ANDROID_CERT_FINGERPRINTS: list.pipe(z.array(certificateFingerprint).max(20)).default([]),
  SECURITY_CONTACT: list.pipe(z.array(contact).max(5)).default([]),
  OPERATOR_NAME: shownText.optional(),
  OPERATOR_CONTACT: shownText.optional(),
  SENTRY_DSN: sentryDsn.optional(),
  SENTRY_TRACES_SAMPLE_RATE: z.coerce.number().min(0).max(1).default(0.1),
  ALERT_WEBHOOK_URL: httpUrl.max(2048).optional(),
  ALERT_WEBHOOK_SECRET: alertSecret.optional(),
  ALERT_WEBHOOK_SECRET_PREVIOUS: alertSecret.optional(),
  ALERT_WEBHOOK_FORMAT: z.enum(['standard', 'slack'], { error: 'must be standard or slack' }).optional(),
  CONSOLE: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  CONSOLE_BANK_URL: httpUrl.max(2048).optional(),
  CONSOLE_DEMO_USER: demoName.optional(),
  CONSOLE_DEMO_OPERATOR: demoName.optional(),
  ...providerVariables,
  API_KEYS: z.enum(['on', 'off'], { error: 'must be on or off' }).default('off'),
  RATE_LIMIT_ENABLED: z.enum(['true', 'false'], { error: 'must be true or false' }).default('true'),
  RATE_LIMITS: rateLimits.default({}),
  AUTH_MODE: z.enum(['oidc', 'builtin']).optional(),
  AUTH_ISSUER: httpUrl.optional(),
  AUTH_AUDIENCE: z.string().min(1).optional(),
  AUTH_JWKS_URL: httpUrl.optional(),
  AUTH_SCOPE_CLAIM: claimName.optional(),
  AUTH_WRITE_SCOPE: z
    .string()
    .regex(/^[^\s"\\]{1,256}$/, 'must be a scope, or * for all tokens')
    .optional(),
  AUTH_ADMIN_CLAIM: claimName.optional(),
  AUTH_ADMIN_VALUE: z.string().min(1).max(256).optional(),
  AUTH_MAX_TOKEN_HOURS: z.coerce.number().int().min(1).max(744).optional(),
  AUTH_EMAIL_URL: httpUrl.optional(),
  AUTH_EMAIL_KEY: senderKey.optional(),
  AUTH_EMAIL_KEY_PREVIOUS: senderKey.optional(),
  AUTH_EMAIL_FROM: z
    .string()
    .regex(/^[^\r\n]{0,100}[^\s@<>]+@[^\s@<>]+>?$/, 'must be an e-mail address')
    .optional(),
  AUTH_PUBLIC_URL: httpUrl.optional(),
  AUTH_MAILS_PER_HOUR: z.coerce.number().pipe(wholeNumber(1, largestQuota)).optional(),
  AUTH_HASHES_PER_MINUTE: z.coerce.number().pipe(wholeNumber(1, largestQuota)).optional(),
})

export type Environment = z.infer<typeof environmentSchema>
export type Violation = readonly [variable: string, what: string]

export const authModeOf = (env: Environment): 'oidc' | 'builtin' =>
  env.AUTH_MODE ?? (env.AUTH_ISSUER === undefined ? 'builtin' : 'oidc')

/** Plaid's limits that the operator chose. Each number can be set alone. */
export type ChosenPlaidLimits = z.output<typeof plaidLimitsSchema>
