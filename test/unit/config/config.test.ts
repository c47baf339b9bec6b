// The configuration that is accepted and its defaults. A refused one names all its faults together, and never shows a
// value.
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/config/config.ts'
import {
  backups,
  key,
  development,
  alwaysRequired,
  email,
  strict,
  oidc,
  recipient,
  strictOidc,
  noEmail,
  refusalOf,
} from './variables.ts'

const ownOrigin = new URL(String(development['PLAID_WEBHOOK_URL'])).origin

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
      webhookSharedKeys: [],
      database: { endpoint: null },
      auth: { mode: 'builtin', email: null },
      encryption: { current: { id: 'k1' }, previous: [] },
      corsOrigins: [ownOrigin],
      console: { bankUrl: null, demoUser: null, demoOperator: null },
      sentry: null,
    })
    const receiver = { ALERT_WEBHOOK_URL: 'https://HOOKS.test/a', ALERT_WEBHOOK_SECRET: `whsec_${key('alerts')}` }
    expect(parseConfig({ ...development, ...receiver }).alerts).toEqual({
      url: 'https://hooks.test/a',
      format: 'standard',
      secrets: [receiver.ALERT_WEBHOOK_SECRET],
    })
    expect(parseConfig({ ...development, SENTRY_DSN: 'https://key@sentry.test/1' }).sentry).toEqual({
      dsn: 'https://key@sentry.test/1',
      tracesSampleRate: 0.1,
    })
  })

  it('has the previous secret of a rotation after the current one', () => {
    const receiver = { ALERT_WEBHOOK_URL: 'https://hooks.test/a', ALERT_WEBHOOK_SECRET: `whsec_${key('alerts')}` }
    const previous = {
      ALERT_WEBHOOK_SECRET_PREVIOUS: `whsec_${key('former alerts')}`,
      PLAID_WEBHOOK_VERIFICATION_KEY: key('relay'),
      PLAID_WEBHOOK_VERIFICATION_KEY_PREVIOUS: key('former relay'),
      AUTH_EMAIL_KEY_PREVIOUS: key('former mails'),
    }
    const config = parseConfig({ ...strict, ...receiver, ...previous })
    expect(config.alerts?.secrets).toEqual([receiver.ALERT_WEBHOOK_SECRET, previous.ALERT_WEBHOOK_SECRET_PREVIOUS])
    expect(config.webhookSharedKeys).toEqual([key('relay'), key('former relay')])
    expect(config.auth).toMatchObject({ email: { keys: [email.AUTH_EMAIL_KEY, key('former mails')] } })
  })

  it('reports to no Sentry where it says none, in a strict environment too', () => {
    expect(parseConfig({ ...development, SENTRY_DSN: 'none' }).sentry).toBeNull()
    expect(parseConfig(strict).sentry).toBeNull()
  })

  it('is strict in staging and in production alike', () => {
    expect(parseConfig(strict)).toMatchObject({ strict: true, plaid: { baseUrl: 'https://production.plaid.com' } })
    expect(parseConfig({ ...strict, ENVIRONMENT: 'staging', PLAID_ENV: 'sandbox' }).strict).toBe(true)
  })

  it('takes an empty list of origins where it is written down: mobile apps send none', () => {
    expect(parseConfig({ ...strict, CORS_ORIGINS: '[]', CONSOLE: 'off' }).corsOrigins).toEqual([])
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
      RETENTION_DAYS: '3650',
      RETENTION_REMOVED_DAYS: '7',
      ORPHAN_REMOVAL: 'report',
      ORPHAN_REMOVALS_PER_DAY: '3',
    })
    expect(parseConfig(development).retention).toEqual({ days: 2555, removedDays: 30 })
    expect(parseConfig(development).linking).toEqual({ itemsPerUser: 20, linksPerDay: 20, allowsDuplicates: false })
    expect(parseConfig(development).plaid.refreshes).toEqual({ perDay: 0, perUser: 6, perItem: 2 })
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
          completionRedirectUris: [
            'https://app.wealth.test/done',
            'http://localhost:3000/done',
            `${ownOrigin}/connect/return`,
          ],
        },
      },
      corsOrigins: ['http://localhost:3000', 'https://app.wealth.test', ownOrigin],
      auth: { mode: 'oidc', issuer: oidc.AUTH_ISSUER, audience: 'wealth', jwksUrl: oidc.AUTH_JWKS_URL },
      encryption: { current: { id: 'k2' }, previous: [{ id: 'k1' }] },
      sentry: { tracesSampleRate: 0.5 },
      retention: { days: 3650, removedDays: 7 },
      orphanRemoval: { mode: 'report', perDay: 3 },
    })
  })

  it('has the console unless it is switched off: its own pages may call, and Hosted Link may return to them', () => {
    expect(parseConfig({ ...development, CONSOLE_DEMO_USER: 'demo' }).console).toMatchObject({
      demoUser: 'demo',
      demoOperator: null,
    })
    const off = parseConfig({ ...strict, CONSOLE: 'off' })
    expect([off.console, off.plaid.link.completionRedirectUris]).toEqual([null, []])
    expect(parseConfig(strict).console).toEqual({
      bankUrl: null,
      demoUser: null,
      demoOperator: null,
      origin: 'https://api.wealth.test',
      provider: null,
    })
  })

  it('has a demo user in development alone, and none whose tokens an issuer would have to sign', () => {
    const refusal = 'CONSOLE_DEMO_USER is for local use only'
    for (const environment of [{}, { ENVIRONMENT: 'staging', PLAID_ENV: 'sandbox' }])
      expect(refusalOf({ ...strict, ...environment, CONSOLE_DEMO_USER: 'demo' })).toContain(refusal)
    expect(parseConfig({ ...development, ...oidc, CONSOLE_DEMO_USER: 'demo' }).console).toMatchObject({
      demoUser: null,
      demoOperator: null,
    })
    const operator = { CONSOLE_DEMO_OPERATOR: 'operator' }
    expect(parseConfig({ ...development, ...operator }).console).toMatchObject({
      demoUser: null,
      demoOperator: 'operator',
    })
    expect(parseConfig({ ...development, ...oidc, ...operator }).console).toMatchObject({
      demoUser: null,
      demoOperator: null,
    })
    expect(refusalOf({ ...strict, ...operator })).toContain('CONSOLE_DEMO_OPERATOR is for local use only')
    expect(refusalOf({ ...development, CONSOLE_DEMO_USER: 'a b' })).toContain('CONSOLE_DEMO_USER must be')
  })

  it('links the simulated bank in development alone, in both modes of sign-in, and only at a web address', () => {
    const bank = { CONSOLE_BANK_URL: 'http://127.0.0.1:8788/panel' }
    for (const environment of [development, { ...development, ...oidc }])
      expect(parseConfig({ ...environment, ...bank }).console?.bankUrl).toBe(bank.CONSOLE_BANK_URL)
    for (const environment of [{}, { ENVIRONMENT: 'staging', PLAID_ENV: 'sandbox' }])
      expect(refusalOf({ ...strict, ...environment, ...bank })).toContain('CONSOLE_BANK_URL is for local use only')
    expect(refusalOf({ ...development, CONSOLE_BANK_URL: 'data:text/html,bank' })).toContain('CONSOLE_BANK_URL must be')
  })

  it('has built-in accounts unless an issuer is named or the mode is chosen', () => {
    expect(parseConfig(strict).auth).toMatchObject({
      mode: 'builtin',
      email: { url: email.AUTH_EMAIL_URL, keys: [email.AUTH_EMAIL_KEY], from: email.AUTH_EMAIL_FROM },
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

describe('the message about a refused configuration', () => {
  it('names all faults at once', () => {
    expect(refusalOf({})?.split('; ').toSorted()).toEqual(alwaysRequired.map((name) => `${name} is missing`).toSorted())
    const reason = refusalOf({
      ...strict,
      CORS_ORIGINS: '',
      PLAID_BASE_URL: 'http://plaid.test',
      SENTRY_DSN: 'http://key@s.test/1',
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
      'APPLE_APP_IDS',
      'ANDROID_PACKAGE_NAMES',
      'ANDROID_CERT_FINGERPRINTS',
      'PLAID_COMPLETION_REDIRECT_URIS',
      'DATABASE_ENDPOINT',
      'ENCRYPTION_KEY_ID',
      'ENCRYPTION_KEYS_PREVIOUS',
      'AUDIT_KEY_ID',
      'AUDIT_KEYS_PREVIOUS',
      'SENTRY_DSN',
      'SENTRY_TRACES_SAMPLE_RATE',
      'RETENTION_DAYS',
      'RETENTION_REMOVED_DAYS',
      'DATABASE_BACKUP_URL',
      'BACKUP_RETENTION_DAYS',
      'ORPHAN_REMOVAL',
      'ORPHAN_REMOVALS_PER_DAY',
      'RATE_LIMIT_ENABLED',
      'RATE_LIMITS',
      'PLAID_LIMITS',
      'PLAID_PRICES',
      'PLAID_REFRESHES_PER_DAY',
      'PLAID_REFRESHES_PER_USER',
      'PLAID_REFRESHES_PER_ITEM',
    ]
    const canaries = ['canary', '["canary"]', '{"canary":"canary"}', 'http://canary.test/', 'example-canary'.repeat(4)]
    for (const canary of canaries) {
      for (const base of [development, strict])
        for (const name of everyName) expect(refusalOf({ ...base, [name]: canary }) ?? '').not.toContain('canary')
      expect(refusalOf(Object.fromEntries(everyName.map((name) => [name, canary])))).not.toContain('canary')
    }
  })
})

describe('backups', () => {
  const made = { ...strict, ...backups, BACKUP_RECIPIENT: `${recipient}, ${recipient}` }

  it('are encrypted for every recipient', () => {
    expect(parseConfig(made).backup).toEqual({
      recipients: [recipient, recipient],
      databaseUrl: backups.DATABASE_BACKUP_URL,
    })
    expect(parseConfig(made).backupRetentionDays).toBe(30)
  })

  it('are not made with `none`, and in development without a recipient', () => {
    expect(parseConfig({ ...made, BACKUP_RECIPIENT: 'none' }).backup).toBeNull()
    expect(parseConfig(development).backup).toBeNull()
  })

  it('never take a secret key', () => {
    const secret = { ...made, BACKUP_RECIPIENT: `AGE-SECRET-KEY-1${'Q'.repeat(58)}` }
    expect(refusalOf(secret)).toBe('BACKUP_RECIPIENT must not be a secret key')
  })
})
