// The configuration fails closed: every fault is found, all are named together, and no value is ever shown.
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/config/config.ts'
import { AppError } from '../../../src/errors.ts'

/** 32 bytes that look random, as base64. */
const key = (name: string): string => createHash('sha256').update(name).digest('base64')

const development: Readonly<Record<string, unknown>> = {
  ENVIRONMENT: 'development',
  PLAID_ENV: 'sandbox',
  PLAID_CLIENT_ID: 'client',
  PLAID_SECRET: 'plaid-secret',
  PLAID_WEBHOOK_URL: 'http://127.0.0.1:8787/api/v1/plaid/webhook',
  DATABASE_URL: 'postgres://wn_api:one@127.0.0.1:5432/wn',
  DATABASE_JOBS_URL: 'postgres://wn_jobs:two@127.0.0.1:5432/wn',
  DATABASE_IDENTITY_URL: 'postgres://wn_identity:three@127.0.0.1:5432/wn',
  SECRET_KEY: key('signs'),
  ENCRYPTION_KEY: key('seals'),
}

/** In every mode of sign-in. */
const alwaysRequired = Object.keys(development).filter((name) => name !== 'DATABASE_IDENTITY_URL')

const email = {
  AUTH_EMAIL_URL: 'https://mail.test/send',
  AUTH_EMAIL_KEY: key('mails'),
  AUTH_EMAIL_FROM: 'Wealth <accounts@wealth.test>',
  AUTH_PUBLIC_URL: 'https://app.wealth.test/account',
}

const strict: Readonly<Record<string, unknown>> = {
  ...development,
  ENVIRONMENT: 'production',
  PLAID_ENV: 'production',
  PLAID_WEBHOOK_URL: 'https://api.wealth.test/api/v1/plaid/webhook',
  DATABASE_URL: 'postgres://wn_api:one@db.neon.test/wn?sslmode=require',
  DATABASE_JOBS_URL: 'postgres://wn_jobs:two@db.neon.test/wn?sslmode=verify-full',
  DATABASE_IDENTITY_URL: 'postgres://wn_identity:three@db.neon.test/wn?sslmode=require',
  CORS_ORIGINS: '["https://app.wealth.test"]',
  AUDIT_KEY: key('audits'),
  ...email,
}

const oidc = {
  AUTH_ISSUER: 'https://issuer.test/',
  AUTH_AUDIENCE: 'wealth',
  AUTH_JWKS_URL: 'https://issuer.test/jwks',
}

/** Variables that a strict environment requires of an issuer in addition. */
const strictOidc = { ...oidc, AUTH_WRITE_SCOPE: 'accounts:write' }

/** Removes the variables of built-in accounts. */
const noEmail = { AUTH_EMAIL_URL: '', AUTH_EMAIL_KEY: '', AUTH_EMAIL_FROM: '', AUTH_PUBLIC_URL: '' }

/** Why the variables are refused; null when they are accepted. */
function refusalOf(variables: Readonly<Record<string, unknown>>): string | null {
  try {
    parseConfig(variables)
    return null
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'misconfigured') throw error
    return error.reason ?? ''
  }
}

describe('a configuration', () => {
  it('is taken in each of the three environments', () => {
    expect(refusalOf(development)).toBeNull()
    expect(refusalOf(strict)).toBeNull()
    expect(refusalOf({ ...strict, ENVIRONMENT: 'staging', PLAID_ENV: 'sandbox' })).toBeNull()
  })

  it('has defaults for what may be left out', () => {
    expect(parseConfig(development)).toMatchObject({
      strict: false,
      plaid: { baseUrl: 'https://sandbox.plaid.com', products: ['transactions'], countryCodes: ['US'] },
      webhookSharedKey: null,
      database: { endpoint: null },
      auth: { mode: 'builtin', email: null },
      encryption: { current: { id: 'k1' }, previous: [] },
      corsOrigins: [],
      sentry: null,
    })
    expect(parseConfig({ ...development, SENTRY_DSN: 'https://key@sentry.test/1' }).sentry).toEqual({
      dsn: 'https://key@sentry.test/1',
      tracesSampleRate: 0.1,
    })
  })

  it('is strict in staging and in production alike', () => {
    expect(parseConfig(strict)).toMatchObject({ strict: true, plaid: { baseUrl: 'https://production.plaid.com' } })
    expect(parseConfig({ ...strict, ENVIRONMENT: 'staging', PLAID_ENV: 'sandbox' }).strict).toBe(true)
  })

  it('takes an empty list of origins where it is written down: mobile apps send none', () => {
    expect(parseConfig({ ...strict, CORS_ORIGINS: '[]' }).corsOrigins).toEqual([])
  })

  it('reads lists, origins, keys and numbers', () => {
    const config = parseConfig({
      ...development,
      ...oidc,
      PLAID_PRODUCTS: 'transactions, liabilities',
      PLAID_COUNTRY_CODES: 'US CA',
      CORS_ORIGINS: '["http://localhost:3000","https://app.wealth.test"]',
      ENCRYPTION_KEY_ID: 'k2',
      ENCRYPTION_KEYS_PREVIOUS: JSON.stringify({ k1: key('b') }),
      SENTRY_DSN: 'https://key@sentry.test/1',
      SENTRY_TRACES_SAMPLE_RATE: '0.5',
      PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS: 'liabilities',
      PLAID_CLIENT_NAME: 'Orchard Money',
      PLAID_ANDROID_PACKAGES: 'com.example.app com.example.other_1',
      PLAID_COMPLETION_REDIRECT_URIS: 'https://app.wealth.test/done http://localhost:3000/done',
      RETENTION_REMOVED_DAYS: '7',
      ORPHAN_REMOVAL: 'report',
      ORPHAN_REMOVALS_PER_DAY: '3',
    })
    expect(parseConfig(development).retention).toEqual({ removedDays: 30 })
    expect(parseConfig(development).linking).toEqual({ itemsPerUser: 20, linksPerDay: 20, allowsDuplicates: false })
    expect(parseConfig(development).orphanRemoval).toEqual({ mode: 'end', perDay: 20 })
    expect(config).toMatchObject({
      plaid: {
        environment: 'sandbox',
        products: ['transactions', 'liabilities'],
        countryCodes: ['US', 'CA'],
        link: {
          clientName: 'Orchard Money',
          requiredIfSupported: ['liabilities'],
          additionalConsented: [],
          androidPackages: ['com.example.app', 'com.example.other_1'],
          completionRedirectUris: ['https://app.wealth.test/done', 'http://localhost:3000/done'],
        },
      },
      corsOrigins: ['http://localhost:3000', 'https://app.wealth.test'],
      auth: { mode: 'oidc', issuer: oidc.AUTH_ISSUER, audience: 'wealth', jwksUrl: oidc.AUTH_JWKS_URL },
      encryption: { current: { id: 'k2' }, previous: [{ id: 'k1' }] },
      sentry: { tracesSampleRate: 0.5 },
      retention: { removedDays: 7 },
      orphanRemoval: { mode: 'report', perDay: 3 },
    })
  })

  it('has built-in accounts unless an issuer is named or the mode is chosen', () => {
    expect(parseConfig(strict).auth).toMatchObject({
      mode: 'builtin',
      email: { url: email.AUTH_EMAIL_URL, key: email.AUTH_EMAIL_KEY, from: email.AUTH_EMAIL_FROM },
    })
    expect(parseConfig({ ...development, AUTH_MODE: 'builtin' }).auth).toMatchObject({ mode: 'builtin', email: null })
    expect(parseConfig(strict).auth).toMatchObject({ mailsPerHour: 500 })
    expect(parseConfig({ ...strict, AUTH_MAILS_PER_HOUR: '40' }).auth).toMatchObject({ mailsPerHour: 40 })
    expect(parseConfig(strict).auth).toMatchObject({ hashesPerMinute: 600 })
    expect(parseConfig({ ...strict, AUTH_HASHES_PER_MINUTE: '40' }).auth).toMatchObject({ hashesPerMinute: 40 })
    expect(parseConfig({ ...development, ...oidc }).auth.mode).toBe('oidc')
    expect(parseConfig({ ...strict, ...noEmail, ...strictOidc, AUTH_MODE: 'oidc' }).auth.mode).toBe('oidc')
  })

  it('says what an issuer’s token may do, and where strict grants nothing that is not configured', () => {
    const rulesOf = (variables: Readonly<Record<string, unknown>>) => {
      const { auth } = parseConfig(variables)
      return auth.mode === 'oidc' ? { ...auth.rules, hours: auth.longestSeconds / 3600 } : null
    }
    expect(rulesOf({ ...development, ...oidc })).toEqual({
      scopeClaim: null,
      writeScope: null,
      admin: { claim: 'role', value: 'admin' },
      hours: 24,
    })
    const issued = { ...strict, ...noEmail, ...strictOidc }
    expect(rulesOf(issued)).toEqual({ scopeClaim: null, writeScope: 'accounts:write', admin: null, hours: 24 })
    expect(rulesOf({ ...issued, AUTH_WRITE_SCOPE: '*' })).toMatchObject({ writeScope: null })
    const named = {
      AUTH_SCOPE_CLAIM: 'permissions',
      AUTH_ADMIN_CLAIM: 'https://wealth.test/roles',
      AUTH_ADMIN_VALUE: 'operator',
      AUTH_MAX_TOKEN_HOURS: '1',
    }
    expect(rulesOf({ ...issued, ...named })).toEqual({
      scopeClaim: 'permissions',
      writeScope: 'accounts:write',
      admin: { claim: 'https://wealth.test/roles', value: 'operator' },
      hours: 1,
    })
  })

  it('takes the logins of any generation, and the name of the role itself', () => {
    for (const [api, jobs, identity] of [
      ['wn_api_a', 'wn_jobs_b', 'wn_identity_b'],
      ['wn_api', 'wn_jobs', 'wn_identity'],
    ])
      expect(
        refusalOf({
          ...strict,
          DATABASE_URL: `postgres://${api}:one@db.neon.test/wn?sslmode=require`,
          DATABASE_JOBS_URL: `postgres://${jobs}:two@db.neon.test/wn?sslmode=require`,
          DATABASE_IDENTITY_URL: `postgres://${identity}:three@db.neon.test/wn?sslmode=require`,
        }),
      ).toBeNull()
  })

  it('reads the login of built-in accounts only where accounts are built in', () => {
    expect(refusalOf({ ...development, DATABASE_IDENTITY_URL: '' })).toBe(
      'DATABASE_IDENTITY_URL is missing: built-in accounts need a login of their own, as db:bootstrap prints it',
    )
    const issued = { ...strict, ...noEmail, ...strictOidc }
    for (const url of ['', 'postgres://wn_api:one@db.neon.test/wn']) {
      const { auth } = parseConfig({ ...issued, DATABASE_IDENTITY_URL: url })
      expect(auth).not.toHaveProperty('databaseUrl')
    }
  })

  it('takes an empty string for an absent variable', () => {
    expect(refusalOf({ ...development, PLAID_BASE_URL: '', AUTH_ISSUER: '', ENCRYPTION_KEY_ID: '' })).toBeNull()
    expect(refusalOf({ ...development, PLAID_SECRET: '' })).toBe('PLAID_SECRET is missing')
  })

  it('limits rates unless they are disabled, and accepts other quotas', () => {
    const limitsOf = (variables: Readonly<Record<string, string>>) =>
      parseConfig({ ...development, ...variables }).rateLimits
    expect(limitsOf({})).toEqual({ enabled: true, quotas: {} })
    expect(limitsOf({ RATE_LIMIT_ENABLED: 'true', RATE_LIMITS: '{"global":50,"webhook_failed":10000}' })).toEqual({
      enabled: true,
      quotas: { global: 50, webhook_failed: 10_000 },
    })
    expect(limitsOf({ RATE_LIMIT_ENABLED: 'false' }).enabled).toBe(false)
    expect(parseConfig({ ...strict, RATE_LIMITS: '{"auth":3}' }).rateLimits.quotas).toEqual({ auth: 3 })
  })

  it('names the quota that is out of its bounds, and quotes no value and no unknown name', () => {
    const refused = (text: string) => refusalOf({ ...development, RATE_LIMITS: text })
    expect(refused('{"global":5,"global_hour":100000}')).toMatch(
      /: global_hour must be a whole number from 1 to 10000$/,
    )
    expect(refused('{"s3cr3t":100000}')).toMatch(/^RATE_LIMITS must be a JSON object [^:]*$/)
    expect(refused('{"s3cr3t":100000}')).not.toContain('s3cr3t')
    expect(refusalOf({ ...development, PLAID_LIMITS: '{"sync":{"item":0}}' })).toMatch(
      /: sync\.item must be a whole number from 1 to 10000$/,
    )
  })

  it('takes other limits and prices of Plaid’s, one number at a time', () => {
    expect(parseConfig(development).plaid).toMatchObject({ limits: {}, prices: {} })
    const chosen = {
      PLAID_LIMITS: '{"sync":{"client":100},"balance":{"item":5,"client":1200,"day":0}}',
      PLAID_PRICES: '{"/accounts/balance/get":"0.10","/transactions/refresh":"0"}',
    }
    expect(parseConfig({ ...strict, ...chosen }).plaid).toMatchObject({
      limits: { sync: { client: 100 }, balance: { item: 5, client: 1200, day: 0 } },
      prices: { '/accounts/balance/get': '0.10', '/transactions/refresh': '0' },
    })
  })

  it('takes a place for the quota objects and a pace for the sweep', () => {
    expect(parseConfig(strict)).toMatchObject({ plaid: { quotaLocation: null }, sweep: { messagesPerSecond: 25 } })
    expect(parseConfig({ ...strict, PLAID_QUOTA_LOCATION: 'weur', SWEEP_WAKES_PER_SECOND: '100' })).toMatchObject({
      plaid: { quotaLocation: 'weur' },
      sweep: { messagesPerSecond: 100 },
    })
  })

  it('ignores bindings that are no variables', () => {
    expect(refusalOf({ ...development, SYNC_QUEUE: { send: () => undefined }, SOMETHING_ELSE: 'x' })).toBeNull()
  })
})

describe('a variable that is missing is named', () => {
  it.each(alwaysRequired)('%s', (name) => {
    expect(refusalOf({ ...development, [name]: undefined })).toBe(`${name} is missing`)
  })
})

/** Values that are refused in every environment, each in an otherwise valid configuration. */
const malformed: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['ENVIRONMENT', { ENVIRONMENT: 'prod' }],
  ['ENVIRONMENT', { ENVIRONMENT: 'Production' }],
  ['PLAID_ENV', { PLAID_ENV: 'development' }],
  ['PLAID_ENV', { PLAID_ENV: 'production' }],
  ['PLAID_BASE_URL', { PLAID_BASE_URL: 'ftp://127.0.0.1' }],
  ['PLAID_WEBHOOK_URL', { PLAID_WEBHOOK_URL: 'webhook' }],
  ['PLAID_WEBHOOK_VERIFICATION_KEY', { PLAID_WEBHOOK_VERIFICATION_KEY: 'k'.repeat(31) }],
  ['PLAID_PRODUCTS', { PLAID_PRODUCTS: 'transactions,assets' }],
  ['PLAID_PRODUCTS', { PLAID_PRODUCTS: ' , ' }],
  ['PLAID_COUNTRY_CODES', { PLAID_COUNTRY_CODES: 'us' }],
  ['PLAID_COUNTRY_CODES', { PLAID_COUNTRY_CODES: 'USA' }],
  ['DATABASE_URL', { DATABASE_URL: 'mysql://wn_api:one@127.0.0.1/wn' }],
  ['DATABASE_URL', { DATABASE_URL: 'postgres://127.0.0.1/wn' }],
  ['DATABASE_URL', { DATABASE_URL: 'postgres://wn_api:one@127.0.0.1/' }],
  ['DATABASE_JOBS_URL', { DATABASE_JOBS_URL: 'wn_jobs' }],
  ['DATABASE_JOBS_URL', { DATABASE_JOBS_URL: development['DATABASE_URL'] }],
  ['DATABASE_JOBS_URL', { DATABASE_JOBS_URL: `${String(development['DATABASE_URL'])}?a=1` }],
  ['DATABASE_IDENTITY_URL', { DATABASE_IDENTITY_URL: 'wn_identity' }],
  ['DATABASE_IDENTITY_URL', { DATABASE_IDENTITY_URL: development['DATABASE_URL'] }],
  ['DATABASE_IDENTITY_URL', { DATABASE_IDENTITY_URL: `${String(development['DATABASE_JOBS_URL'])}?a=1` }],
  ['AUTH_SCOPE_CLAIM', { ...oidc, AUTH_SCOPE_CLAIM: 'scope claim' }],
  ['AUTH_WRITE_SCOPE', { ...oidc, AUTH_WRITE_SCOPE: 'read write' }],
  ['AUTH_WRITE_SCOPE', { AUTH_WRITE_SCOPE: 'write' }],
  ['AUTH_ADMIN_CLAIM', { ...oidc, AUTH_ADMIN_VALUE: 'operator' }],
  ['AUTH_MAX_TOKEN_HOURS', { ...oidc, AUTH_MAX_TOKEN_HOURS: '0' }],
  ['AUTH_MAX_TOKEN_HOURS', { ...oidc, AUTH_MAX_TOKEN_HOURS: 'long' }],
  ['DATABASE_ENDPOINT', { DATABASE_ENDPOINT: '127.0.0.1:8789' }],
  ['SECRET_KEY', { SECRET_KEY: 'k'.repeat(31) }],
  ['SECRET_KEY', { SECRET_KEY: 12 }],
  ['ENCRYPTION_KEY', { ENCRYPTION_KEY: Buffer.alloc(31).toString('base64') }],
  ['ENCRYPTION_KEY', { ENCRYPTION_KEY: 'a passphrase that is quite long but no key' }],
  ['ENCRYPTION_KEY_ID', { ENCRYPTION_KEY_ID: 'k 1' }],
  ['ENCRYPTION_KEY_ID', { ENCRYPTION_KEY_ID: 'k'.repeat(33) }],
  ['ENCRYPTION_KEYS_PREVIOUS', { ENCRYPTION_KEYS_PREVIOUS: '[]' }],
  ['ENCRYPTION_KEYS_PREVIOUS', { ENCRYPTION_KEYS_PREVIOUS: '{"k0":' }],
  ['ENCRYPTION_KEYS_PREVIOUS', { ENCRYPTION_KEYS_PREVIOUS: '{"k0":"short"}' }],
  ['ENCRYPTION_KEYS_PREVIOUS', { ENCRYPTION_KEYS_PREVIOUS: JSON.stringify({ 'k 0': key('b') }) }],
  ['ENCRYPTION_KEYS_PREVIOUS', { ENCRYPTION_KEYS_PREVIOUS: JSON.stringify({ k1: key('b') }) }],
  ['AUDIT_KEY', { AUDIT_KEY: Buffer.alloc(31).toString('base64') }],
  ['AUDIT_KEY_ID', { AUDIT_KEY_ID: 'a 1' }],
  ['AUDIT_KEYS_PREVIOUS', { AUDIT_KEYS_PREVIOUS: '[]' }],
  ['AUDIT_KEYS_PREVIOUS', { AUDIT_KEYS_PREVIOUS: JSON.stringify({ a1: key('b') }) }],
  ['CORS_ORIGINS', { CORS_ORIGINS: 'https://app.wealth.test' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '[1]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["*"]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["null"]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["https://app.wealth.test/"]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["https://APP.wealth.test"]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["https://*.wealth.test/x"]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["https://app.wealth.test:443"]' }],
  ['SENTRY_DSN', { SENTRY_DSN: 'sentry' }],
  ['RATE_LIMIT_ENABLED', { RATE_LIMIT_ENABLED: 'no' }],
  ['RATE_LIMIT_ENABLED', { RATE_LIMIT_ENABLED: 'False' }],
  ['RATE_LIMITS', { RATE_LIMITS: '{' }],
  ['RATE_LIMITS', { RATE_LIMITS: '100' }],
  ['RATE_LIMITS', { RATE_LIMITS: '[{"global":1}]' }],
  ['RATE_LIMITS', { RATE_LIMITS: '{"globl":1}' }],
  ['RATE_LIMITS', { RATE_LIMITS: '{"global":0}' }],
  ['RATE_LIMITS', { RATE_LIMITS: '{"global":1.5}' }],
  ['RATE_LIMITS', { RATE_LIMITS: '{"global":"1"}' }],
  ['RATE_LIMITS', { RATE_LIMITS: '{"global":10001}' }],
  ['PLAID_QUOTA_LOCATION', { PLAID_QUOTA_LOCATION: 'us-east-1' }],
  ['SWEEP_WAKES_PER_SECOND', { SWEEP_WAKES_PER_SECOND: '0' }],
  ['SWEEP_WAKES_PER_SECOND', { SWEEP_WAKES_PER_SECOND: '501' }],
  ['PLAID_LIMITS', { PLAID_LIMITS: '{' }],
  ['PLAID_LIMITS', { PLAID_LIMITS: '{"sync":50}' }],
  ['PLAID_LIMITS', { PLAID_LIMITS: '{"synk":{"item":5}}' }],
  ['PLAID_LIMITS', { PLAID_LIMITS: '{"sync":{"items":5}}' }],
  ['PLAID_LIMITS', { PLAID_LIMITS: '{"sync":{"item":0}}' }],
  ['PLAID_LIMITS', { PLAID_LIMITS: '{"sync":{"client":1.5}}' }],
  ['PLAID_LIMITS', { PLAID_LIMITS: '{"sync":{"day":5}}' }],
  ['PLAID_LIMITS', { PLAID_LIMITS: '{"balance":{"day":-1}}' }],
  ['PLAID_PRICES', { PLAID_PRICES: '["/accounts/balance/get"]' }],
  ['PLAID_PRICES', { PLAID_PRICES: '{"/accounts/balance/get":0.1}' }],
  ['PLAID_PRICES', { PLAID_PRICES: '{"/accounts/balance/get":"-1"}' }],
  ['PLAID_PRICES', { PLAID_PRICES: '{"/accounts/balance/get":"1e3"}' }],
  ['PLAID_PRICES', { PLAID_PRICES: '{"balance":"1"}' }],
  ['RETENTION_REMOVED_DAYS', { RETENTION_REMOVED_DAYS: '-1' }],
  ['RETENTION_REMOVED_DAYS', { RETENTION_REMOVED_DAYS: '1.5' }],
  ['RETENTION_REMOVED_DAYS', { RETENTION_REMOVED_DAYS: 'never' }],
  ['PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS', { PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS: 'liabilities' }],
  ['PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS', { PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS: 'transactions' }],
  ['PLAID_ADDITIONAL_CONSENTED_PRODUCTS', { PLAID_ADDITIONAL_CONSENTED_PRODUCTS: 'auth' }],
  [
    'PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS, PLAID_ADDITIONAL_CONSENTED_PRODUCTS',
    {
      PLAID_PRODUCTS: 'transactions,liabilities',
      PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS: 'liabilities',
      PLAID_ADDITIONAL_CONSENTED_PRODUCTS: 'liabilities',
    },
  ],
  ['PLAID_CLIENT_NAME', { PLAID_CLIENT_NAME: 'x'.repeat(31) }],
  ['PLAID_CLIENT_NAME', { PLAID_CLIENT_NAME: 'Orchard\nMoney' }],
  ['PLAID_ANDROID_PACKAGES', { PLAID_ANDROID_PACKAGES: 'app' }],
  ['PLAID_ANDROID_PACKAGES', { PLAID_ANDROID_PACKAGES: 'com.example.app,com.1example' }],
  ['PLAID_COMPLETION_REDIRECT_URIS', { PLAID_COMPLETION_REDIRECT_URIS: 'https://app.wealth.test/?done=1' }],
  ['PLAID_COMPLETION_REDIRECT_URIS', { PLAID_COMPLETION_REDIRECT_URIS: 'app://done' }],
  ['ORPHAN_REMOVAL', { ORPHAN_REMOVAL: 'yes' }],
  ['ORPHAN_REMOVALS_PER_DAY', { ORPHAN_REMOVALS_PER_DAY: '-1' }],
  ['SENTRY_TRACES_SAMPLE_RATE', { SENTRY_TRACES_SAMPLE_RATE: '1.1' }],
  ['SENTRY_TRACES_SAMPLE_RATE', { SENTRY_TRACES_SAMPLE_RATE: 'often' }],
  ['AUTH_ISSUER', { ...oidc, AUTH_ISSUER: 'issuer' }],
  ['AUTH_ISSUER, AUTH_AUDIENCE, AUTH_JWKS_URL', { AUTH_ISSUER: oidc.AUTH_ISSUER }],
  ['AUTH_ISSUER, AUTH_AUDIENCE, AUTH_JWKS_URL', { ...oidc, AUTH_AUDIENCE: '' }],
  ['AUTH_ISSUER, AUTH_AUDIENCE, AUTH_JWKS_URL', { ...oidc, AUTH_JWKS_URL: undefined }],
  ['AUTH_ISSUER, AUTH_AUDIENCE, AUTH_JWKS_URL', { AUTH_MODE: 'oidc' }],
  ['AUTH_ISSUER, AUTH_AUDIENCE, AUTH_JWKS_URL', { AUTH_AUDIENCE: oidc.AUTH_AUDIENCE }],
  ['AUTH_MODE', { AUTH_MODE: 'local' }],
  ['AUTH_', { ...oidc, AUTH_MODE: 'builtin' }],
  ['AUTH_AUDIENCE', { AUTH_MODE: 'builtin', AUTH_AUDIENCE: oidc.AUTH_AUDIENCE }],
  ...Object.keys(email).map((name) => [name, { ...email, [name]: '' }] as const),
  ...Object.entries(email).map(([name, value]) => [name, { ...oidc, [name]: value }] as const),
  ['AUTH_MAILS_PER_HOUR', { ...oidc, AUTH_MAILS_PER_HOUR: '40' }],
  ...['0', '10001', '1.5', 'many'].map((text) => ['AUTH_MAILS_PER_HOUR', { AUTH_MAILS_PER_HOUR: text }] as const),
  ['AUTH_HASHES_PER_MINUTE', { ...oidc, AUTH_HASHES_PER_MINUTE: '40' }],
  ...['0', '10001', '1.5', 'many'].map((text) => ['AUTH_HASHES_PER_MINUTE', { AUTH_HASHES_PER_MINUTE: text }] as const),
  ['AUTH_EMAIL_URL', { ...email, AUTH_EMAIL_URL: 'mail.test' }],
  ['AUTH_EMAIL_KEY', { ...email, AUTH_EMAIL_KEY: 'short' }],
  ['AUTH_EMAIL_FROM', { ...email, AUTH_EMAIL_FROM: 'Wealth' }],
  ['AUTH_EMAIL_FROM', { ...email, AUTH_EMAIL_FROM: 'a@b.test\r\nBcc: c@d.test' }],
  ['AUTH_PUBLIC_URL', { ...email, AUTH_PUBLIC_URL: 'data:text/html,x' }],
]

describe('refused everywhere:', () => {
  it.each(malformed)('%s as in %j', (name, variables) => {
    const reason = refusalOf({ ...development, ...variables })
    expect(reason).not.toBeNull()
    expect(reason?.split('; ').every((complaint) => complaint.startsWith(name))).toBe(true)
  })
})

/** Values that a development environment accepts and a strict one refuses. */
const local: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['DATABASE_URL', { DATABASE_URL: 'postgres://wn_api:one@db.neon.test/wn' }],
  ['DATABASE_URL', { DATABASE_URL: 'postgres://wn_api:one@db.neon.test/wn?sslmode=prefer' }],
  ['DATABASE_JOBS_URL', { DATABASE_JOBS_URL: 'postgres://wn_jobs:two@db.neon.test/wn?sslmode=disable' }],
  ['DATABASE_IDENTITY_URL', { DATABASE_IDENTITY_URL: 'postgres://wn_identity:three@db.neon.test/wn' }],
  ['DATABASE_IDENTITY_URL', { DATABASE_IDENTITY_URL: 'postgres://neondb_owner:three@db.neon.test/wn?sslmode=require' }],
  ['PLAID_BASE_URL', { PLAID_BASE_URL: 'https://plaid.wealth.test' }],
  ['DATABASE_ENDPOINT', { DATABASE_ENDPOINT: 'https://db.wealth.test/sql' }],
  ['PLAID_WEBHOOK_URL', { PLAID_WEBHOOK_URL: 'http://api.wealth.test/api/v1/plaid/webhook' }],
  ['AUTH_ISSUER', { ...noEmail, ...strictOidc, AUTH_ISSUER: 'http://issuer.test/' }],
  ['AUTH_WRITE_SCOPE', { ...noEmail, ...oidc }],
  ['DATABASE_URL', { DATABASE_URL: 'postgres://wn_owner:one@db.neon.test/wn?sslmode=require' }],
  ['DATABASE_URL', { DATABASE_URL: 'postgres://wn_apis:one@db.neon.test/wn?sslmode=require' }],
  ['DATABASE_JOBS_URL', { DATABASE_JOBS_URL: 'postgres://neondb_owner:two@db.neon.test/wn?sslmode=require' }],
  ['PLAID_WEBHOOK_URL', { PLAID_WEBHOOK_URL: 'https://api.wealth.test/webhook' }],
  ['PLAID_WEBHOOK_URL', { PLAID_WEBHOOK_URL: 'https://api.wealth.test/api/v1/plaid/webhook?key=1' }],
  ['ENCRYPTION_KEY', { ENCRYPTION_KEY: Buffer.alloc(32).toString('base64') }],
  [
    'ENCRYPTION_KEY',
    { ENCRYPTION_KEY: Buffer.from('fakeEncryptionKeyForLocalWorkNeverShipThis0=', 'base64').toString('hex') },
  ],
  ['ENCRYPTION_KEYS_PREVIOUS', { ENCRYPTION_KEYS_PREVIOUS: '{"k0":"fakeEncryptionKeyForLocalWorkNeverShipThis0="}' }],
  [
    'ENCRYPTION_KEYS_PREVIOUS',
    { ENCRYPTION_KEYS_PREVIOUS: JSON.stringify({ k0: Buffer.alloc(32, 'ab').toString('hex') }) },
  ],
  ['AUDIT_KEY', { AUDIT_KEY: '' }],
  ['AUDIT_KEY', { AUDIT_KEY: Buffer.alloc(32).toString('base64') }],
  ['AUDIT_KEY', { AUDIT_KEY: 'fakeAuditKeyForLocalWorkNeverShipThisKey000=' }],
  ['AUDIT_KEYS_PREVIOUS', { AUDIT_KEYS_PREVIOUS: JSON.stringify({ a0: Buffer.alloc(32, 'ab').toString('hex') }) }],
  ['SECRET_KEY', { SECRET_KEY: 'a'.repeat(32) }],
  ['PLAID_WEBHOOK_VERIFICATION_KEY', { PLAID_WEBHOOK_VERIFICATION_KEY: 'abc'.repeat(20) }],
  ['AUTH_JWKS_URL', { ...noEmail, ...strictOidc, AUTH_JWKS_URL: 'http://issuer.test/jwks' }],
  ['AUTH_EMAIL_URL', { ...email, AUTH_EMAIL_URL: 'http://mail.test/send' }],
  ['AUTH_PUBLIC_URL', { ...email, AUTH_PUBLIC_URL: 'http://app.wealth.test/account' }],
  ['AUTH_EMAIL_KEY', { ...email, AUTH_EMAIL_KEY: 'fake-key-of-the-sender' }],
  ['AUTH_', noEmail],
  ['AUTH_', { ...noEmail, AUTH_MODE: 'builtin' }],
  ['SENTRY_DSN', { SENTRY_DSN: 'http://key@sentry.test/1' }],
  ['RATE_LIMIT_ENABLED', { RATE_LIMIT_ENABLED: 'false' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["https://app.wealth.test","http://localhost:3000"]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["https://app.example.com"]' }],
  ['PLAID_WEBHOOK_URL', { PLAID_WEBHOOK_URL: 'https://api.example.com/api/v1/plaid/webhook' }],
  ['PLAID_COMPLETION_REDIRECT_URIS', { PLAID_COMPLETION_REDIRECT_URIS: 'http://localhost:3000/done' }],
  ['PLAID_SECRET', { PLAID_SECRET: 'fake-secret-for-the-simulator' }],
  ['SECRET_KEY', { SECRET_KEY: 'fake-secret-key-for-local-use-only-never-deploy-this' }],
  ['SECRET_KEY', { SECRET_KEY: `${key('k')}CHANGEME` }],
  ['ENCRYPTION_KEY', { ENCRYPTION_KEY: 'fakeEncryptionKeyForLocalWorkNeverShipThis0=' }],
  ['PLAID_WEBHOOK_VERIFICATION_KEY', { PLAID_WEBHOOK_VERIFICATION_KEY: `example-${key('k')}` }],
]

describe.each(['staging', 'production'])('refused in %s:', (environment) => {
  const base = { ...strict, ENVIRONMENT: environment, PLAID_ENV: 'sandbox' }

  it.each(local)('%s as in %j', (name, variables) => {
    const reason = refusalOf({ ...base, ...variables })
    expect(reason).not.toBeNull()
    expect(reason?.split('; ').every((complaint) => complaint.startsWith(name))).toBe(true)
    expect(refusalOf({ ...development, ...variables })).toBeNull()
  })

  it('a retired encryption key that is the current one', () => {
    const same = { ENCRYPTION_KEY: key('z'), ENCRYPTION_KEY_ID: 'k2', ENCRYPTION_KEYS_PREVIOUS: `{"k1":"${key('z')}"}` }
    expect(refusalOf({ ...base, ...same })).toBe('ENCRYPTION_KEYS_PREVIOUS must not hold ENCRYPTION_KEY')
    expect(refusalOf({ ...base, ...same, ENCRYPTION_KEYS_PREVIOUS: `{"k1":"${key('y')}"}` })).toBeNull()
  })

  it('a retired audit key that is the current one', () => {
    const same = { AUDIT_KEY: key('z'), AUDIT_KEY_ID: 'a2', AUDIT_KEYS_PREVIOUS: `{"a1":"${key('z')}"}` }
    expect(refusalOf({ ...base, ...same })).toBe('AUDIT_KEYS_PREVIOUS must not hold AUDIT_KEY or a key twice')
    expect(refusalOf({ ...base, ...same, AUDIT_KEYS_PREVIOUS: `{"a1":"${key('y')}"}` })).toBeNull()
  })

  it.each([
    ['PLAID_SECRET', 'SECRET_KEY'],
    ['AUDIT_KEY', 'ENCRYPTION_KEY'],
    ['SECRET_KEY', 'ENCRYPTION_KEY'],
    ['ENCRYPTION_KEY', 'PLAID_WEBHOOK_VERIFICATION_KEY'],
    ['PLAID_WEBHOOK_VERIFICATION_KEY', 'PLAID_SECRET'],
    ['AUTH_EMAIL_KEY', 'SECRET_KEY'],
  ])('%s equal to %s', (one, other) => {
    const reason = refusalOf({ ...base, [one]: key('z'), [other]: key('z') })
    expect(reason?.split('; ').toSorted()).toEqual(
      [one, other].map((name) => `${name} must differ from the other secrets`).toSorted(),
    )
  })
})

describe('production of Plaid', () => {
  it.each(['development', 'staging'])('is refused in %s', (environment) => {
    expect(refusalOf({ ...strict, ENVIRONMENT: environment })).toContain('PLAID_ENV')
  })
})

describe('the message about a refused configuration', () => {
  it('names all faults at once', () => {
    expect(refusalOf({})?.split('; ').toSorted()).toEqual(alwaysRequired.map((name) => `${name} is missing`).toSorted())
    const reason = refusalOf({
      ...strict,
      CORS_ORIGINS: '',
      PLAID_BASE_URL: 'http://plaid.test',
      SENTRY_DSN: 'http://s.test',
    })
    for (const name of ['CORS_ORIGINS', 'PLAID_BASE_URL', 'SENTRY_DSN']) expect(reason).toContain(name)
  })

  it('contains no value, for any fault', () => {
    const everyName = [
      ...Object.keys(strict),
      ...Object.keys(oidc),
      'PLAID_BASE_URL',
      'PLAID_WEBHOOK_VERIFICATION_KEY',
      'PLAID_PRODUCTS',
      'PLAID_COUNTRY_CODES',
      'PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS',
      'PLAID_ADDITIONAL_CONSENTED_PRODUCTS',
      'PLAID_CLIENT_NAME',
      'PLAID_ANDROID_PACKAGES',
      'PLAID_COMPLETION_REDIRECT_URIS',
      'DATABASE_ENDPOINT',
      'ENCRYPTION_KEY_ID',
      'ENCRYPTION_KEYS_PREVIOUS',
      'AUDIT_KEY_ID',
      'AUDIT_KEYS_PREVIOUS',
      'SENTRY_DSN',
      'SENTRY_TRACES_SAMPLE_RATE',
      'RETENTION_REMOVED_DAYS',
      'ORPHAN_REMOVAL',
      'ORPHAN_REMOVALS_PER_DAY',
      'RATE_LIMIT_ENABLED',
      'RATE_LIMITS',
      'PLAID_LIMITS',
      'PLAID_PRICES',
    ]
    const canaries = ['canary', '["canary"]', '{"canary":"canary"}', 'http://canary.test/', 'example-canary'.repeat(4)]
    for (const canary of canaries) {
      for (const base of [development, strict])
        for (const name of everyName) expect(refusalOf({ ...base, [name]: canary }) ?? '').not.toContain('canary')
      expect(refusalOf(Object.fromEntries(everyName.map((name) => [name, canary])))).not.toContain('canary')
    }
  })
})
