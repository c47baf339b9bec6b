// Values of variables that are refused: in every environment, in strict environments, and in production.
import { describe, expect, it } from 'vitest'
import {
  backups,
  key,
  development,
  email,
  strict,
  oidc,
  recipient,
  strictOidc,
  noEmail,
  refusalOf,
} from './variables.ts'

const alertSecret = `whsec_${key('alerts')}`
const slack = { ALERT_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/x', ALERT_WEBHOOK_FORMAT: 'slack' }

/** Values that are refused in every environment, each in an otherwise valid configuration. */
const fingerprint = Array.from({ length: 32 }, () => 'AB').join(':')
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
  ['SECRET_KEY_PREVIOUS', { SECRET_KEY_PREVIOUS: 'k'.repeat(31) }],
  ['SECRET_KEY_PREVIOUS', { SECRET_KEY: key('z'), SECRET_KEY_PREVIOUS: key('z') }],
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
  ['BACKUP_RECIPIENT', { BACKUP_RECIPIENT: 'age1example', ...backups }],
  ['BACKUP_RECIPIENT', { BACKUP_RECIPIENT: 'someone@wealth.test', ...backups }],
  ['BACKUP_RECIPIENT', { BACKUP_RECIPIENT: recipient.replace(/.$/, 'q'), ...backups }],
  ['BACKUP_RECIPIENT', { BACKUP_RECIPIENT: `${recipient},none`, ...backups }],
  ['BACKUP_RECIPIENT', { BACKUP_RECIPIENT: `AGE-SECRET-KEY-1${'Q'.repeat(58)}`, ...backups }],
  ['BACKUP_RETENTION_DAYS', { BACKUP_RETENTION_DAYS: '0' }],
  ['DATABASE_BACKUP_URL', { BACKUP_RECIPIENT: recipient }],
  ['DATABASE_BACKUP_URL', { BACKUP_RECIPIENT: recipient, DATABASE_BACKUP_URL: development['DATABASE_JOBS_URL'] }],
  ['CORS_ORIGINS', { CORS_ORIGINS: 'https://app.wealth.test' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '[1]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["*"]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["null"]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["https://app.wealth.test/"]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["https://APP.wealth.test"]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["https://*.wealth.test/x"]' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '["https://app.wealth.test:443"]' }],
  ['SENTRY_DSN', { SENTRY_DSN: 'sentry' }],
  ['ALERT_WEBHOOK_URL', { ALERT_WEBHOOK_URL: 'hooks', ALERT_WEBHOOK_SECRET: alertSecret }],
  ['ALERT_WEBHOOK_URL', { ALERT_WEBHOOK_SECRET: alertSecret }],
  ['ALERT_WEBHOOK_SECRET', { ALERT_WEBHOOK_URL: 'https://hooks.test/a' }],
  ['ALERT_WEBHOOK_SECRET', { ALERT_WEBHOOK_URL: 'https://hooks.test/a', ALERT_WEBHOOK_SECRET: key('no prefix') }],
  ['ALERT_WEBHOOK_SECRET', { ALERT_WEBHOOK_URL: 'https://hooks.test/a', ALERT_WEBHOOK_SECRET: 'whsec_c2hvcnQ=' }],
  ['ALERT_WEBHOOK_SECRET', { ...slack, ALERT_WEBHOOK_SECRET: alertSecret }],
  ['ALERT_WEBHOOK_SECRET_PREVIOUS', { ...slack, ALERT_WEBHOOK_SECRET_PREVIOUS: alertSecret }],
  [
    'ALERT_WEBHOOK_SECRET_PREVIOUS',
    {
      ALERT_WEBHOOK_URL: 'https://hooks.test/a',
      ALERT_WEBHOOK_SECRET: alertSecret,
      ALERT_WEBHOOK_SECRET_PREVIOUS: 'whsec_c2hvcnQ=',
    },
  ],
  [
    'ALERT_WEBHOOK_SECRET_PREVIOUS',
    {
      ALERT_WEBHOOK_URL: 'https://hooks.test/a',
      ALERT_WEBHOOK_SECRET: alertSecret,
      ALERT_WEBHOOK_SECRET_PREVIOUS: alertSecret,
    },
  ],
  ['PLAID_WEBHOOK_VERIFICATION_KEY_PREVIOUS', { PLAID_WEBHOOK_VERIFICATION_KEY_PREVIOUS: key('relay') }],
  [
    'PLAID_WEBHOOK_VERIFICATION_KEY_PREVIOUS',
    { PLAID_WEBHOOK_VERIFICATION_KEY: key('relay'), PLAID_WEBHOOK_VERIFICATION_KEY_PREVIOUS: 'short' },
  ],
  ['AUTH_EMAIL_KEY_PREVIOUS', { ...email, AUTH_EMAIL_KEY_PREVIOUS: 'short' }],
  ['AUTH_EMAIL_KEY_PREVIOUS', { ...email, AUTH_EMAIL_KEY_PREVIOUS: email.AUTH_EMAIL_KEY }],
  ['AUTH_EMAIL_KEY_PREVIOUS', { ...oidc, AUTH_EMAIL_KEY_PREVIOUS: key('former mails') }],
  ['ALERT_WEBHOOK_FORMAT', { ...slack, ALERT_WEBHOOK_FORMAT: 'teams' }],
  ['ALERT_WEBHOOK_FORMAT', { ...slack, ALERT_WEBHOOK_FORMAT: '', ALERT_WEBHOOK_SECRET: alertSecret }],
  ['SENTRY_DSN', { SENTRY_DSN: 'https://sentry.test/1' }],
  ['SENTRY_DSN', { SENTRY_DSN: 'https://key@sentry.test/project' }],
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
  ['PLAID_REFRESHES_PER_DAY', { PLAID_REFRESHES_PER_DAY: '-1' }],
  ['PLAID_REFRESHES_PER_USER', { PLAID_REFRESHES_PER_USER: '1001' }],
  ['PLAID_REFRESHES_PER_ITEM', { PLAID_REFRESHES_PER_ITEM: '0' }],
  ['RETENTION_DAYS', { RETENTION_DAYS: '730' }],
  ['RETENTION_DAYS', { RETENTION_DAYS: 'for ever' }],
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
  ['APPLE_APP_IDS', { APPLE_APP_IDS: 'com.example.app' }],
  ['APPLE_APP_IDS', { APPLE_APP_IDS: 'ABCDE12345.com.example.*' }],
  ['APPLE_APP_IDS', { APPLE_APP_IDS: Array.from({ length: 21 }, (_, n) => `ABCDE12345.com.example.app${n}`).join() }],
  ['ANDROID_PACKAGE_NAMES', { ANDROID_PACKAGE_NAMES: 'app', ANDROID_CERT_FINGERPRINTS: fingerprint }],
  ['ANDROID_PACKAGE_NAMES', { ANDROID_PACKAGE_NAMES: 'com.example.app' }],
  ['ANDROID_PACKAGE_NAMES', { ANDROID_CERT_FINGERPRINTS: fingerprint }],
  [
    'ANDROID_CERT_FINGERPRINTS',
    { ANDROID_PACKAGE_NAMES: 'com.example.app', ANDROID_CERT_FINGERPRINTS: fingerprint.slice(3) },
  ],
  [
    'ANDROID_CERT_FINGERPRINTS',
    { ANDROID_PACKAGE_NAMES: 'com.example.app', ANDROID_CERT_FINGERPRINTS: fingerprint.replaceAll(':', '') },
  ],
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
    expect(reason?.split('; ').every((violation) => violation.startsWith(name))).toBe(true)
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
  ['BACKUP_RECIPIENT', { BACKUP_RECIPIENT: '' }],
  [
    'DATABASE_BACKUP_URL',
    {
      BACKUP_RECIPIENT: recipient,
      DATABASE_BACKUP_URL: 'postgres://neondb_owner:four@db.neon.test/wn?sslmode=require',
    },
  ],
  [
    'DATABASE_BACKUP_URL',
    { BACKUP_RECIPIENT: recipient, DATABASE_BACKUP_URL: 'postgres://wn_backup:four@db.neon.test/wn' },
  ],
  ['AUDIT_KEY', { AUDIT_KEY: Buffer.alloc(32).toString('base64') }],
  ['AUDIT_KEY', { AUDIT_KEY: 'fakeAuditKeyForLocalWorkNeverShipThisKey000=' }],
  ['AUDIT_KEYS_PREVIOUS', { AUDIT_KEYS_PREVIOUS: JSON.stringify({ a0: Buffer.alloc(32, 'ab').toString('hex') }) }],
  ['SECRET_KEY', { SECRET_KEY: 'a'.repeat(32) }],
  ['SECRET_KEY_PREVIOUS', { SECRET_KEY_PREVIOUS: 'a'.repeat(32) }],
  ['SECRET_KEY_PREVIOUS', { SECRET_KEY_PREVIOUS: 'fake-secret-key-for-local-use-only-never-deploy-this' }],
  ['PLAID_WEBHOOK_VERIFICATION_KEY', { PLAID_WEBHOOK_VERIFICATION_KEY: 'abc'.repeat(20) }],
  ['AUTH_JWKS_URL', { ...noEmail, ...strictOidc, AUTH_JWKS_URL: 'http://issuer.test/jwks' }],
  ['AUTH_EMAIL_URL', { ...email, AUTH_EMAIL_URL: 'http://mail.test/send' }],
  ['AUTH_PUBLIC_URL', { ...email, AUTH_PUBLIC_URL: 'http://app.wealth.test/account' }],
  ['AUTH_EMAIL_KEY', { ...email, AUTH_EMAIL_KEY: 'fake-key-of-the-sender' }],
  ['AUTH_', noEmail],
  ['AUTH_', { ...noEmail, AUTH_MODE: 'builtin' }],
  ['SENTRY_DSN', { SENTRY_DSN: '' }],
  ['SENTRY_DSN', { SENTRY_DSN: 'http://key@sentry.test/1' }],
  ['ALERT_WEBHOOK_URL', { ALERT_WEBHOOK_URL: 'http://hooks.test/a', ALERT_WEBHOOK_SECRET: alertSecret }],
  ['ALERT_WEBHOOK_URL', { ALERT_WEBHOOK_URL: 'https://hooks.example.com/a', ALERT_WEBHOOK_SECRET: alertSecret }],
  ['SENTRY_DSN', { SENTRY_DSN: 'https://key@sentry.example.com/1' }],
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
    expect(reason?.split('; ').every((violation) => violation.startsWith(name))).toBe(true)
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
    ['SECRET_KEY_PREVIOUS', 'PLAID_SECRET'],
    ['AUTH_EMAIL_KEY_PREVIOUS', 'PLAID_SECRET'],
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
