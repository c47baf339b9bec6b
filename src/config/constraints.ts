// Constraints between variables, and settings that are allowed in development only.
import { encodeBase64, encodeHex } from '../crypto/encoding.ts'
import { isKeyIdBelow } from '../crypto/keyring.ts'
import { alertViolations } from './alerts.ts'
import { identityUrlMissing, loginViolations, makesBackups, sharedLoginViolations } from './logins.ts'
import { providerUrls } from './provider-variables.ts'
import { providerViolations } from './provider.ts'
import { isRedirectUri } from './redirect-uri.ts'
import { authModeOf, exampleRecipient, type Violation, type Environment, secretVariables } from './variables.ts'

const originIsExact = (origin: string): boolean => {
  const url = URL.parse(origin)
  return url !== null && url.origin === origin && (url.protocol === 'https:' || url.protocol === 'http:')
}

const isFake = (value: string): boolean => /fake|example|change-?me|local-only/i.test(value)

/** Whether the URL has the placeholder domain of wrangler.toml, which the operator must replace. */
const isPlaceholder = (url: string): boolean => /(^|\.)example\.com$/i.test(URL.parse(url)?.hostname ?? '')

const httpsOnly = [
  'PLAID_WEBHOOK_URL',
  'AUTH_ISSUER',
  'AUTH_JWKS_URL',
  'AUTH_EMAIL_URL',
  'AUTH_PUBLIC_URL',
  'SENTRY_DSN',
  'ALERT_WEBHOOK_URL',
  ...providerUrls,
] as const
const oidcVariables = ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_JWKS_URL'] as const
/** Optional variables of OIDC. */
const oidcChoices = [
  'AUTH_SCOPE_CLAIM',
  'AUTH_WRITE_SCOPE',
  'AUTH_ADMIN_CLAIM',
  'AUTH_ADMIN_VALUE',
  'AUTH_MAX_TOKEN_HOURS',
] as const
const emailVariables = ['AUTH_EMAIL_URL', 'AUTH_EMAIL_KEY', 'AUTH_EMAIL_FROM', 'AUTH_PUBLIC_URL'] as const

/** Each mode requires its variables and refuses those of the other mode, which would have no effect. */
function authViolations(env: Environment): Violation[] {
  const mode = authModeOf(env)
  const isSet = (name: keyof Environment): boolean => env[name] !== undefined
  const violations: Violation[] = []
  if (mode === 'oidc')
    for (const name of [...emailVariables, 'AUTH_MAILS_PER_HOUR' as const, 'AUTH_HASHES_PER_MINUTE' as const].filter(
      isSet,
    ))
      violations.push([name, 'is for AUTH_MODE=builtin'])
  if (mode === 'builtin' && !isSet('DATABASE_IDENTITY_URL')) violations.push(identityUrlMissing)
  if (mode === 'builtin') for (const name of oidcChoices.filter(isSet)) violations.push([name, 'is for AUTH_MODE=oidc'])
  if (isSet('AUTH_ADMIN_VALUE') && !isSet('AUTH_ADMIN_CLAIM'))
    violations.push(['AUTH_ADMIN_CLAIM', 'is missing: AUTH_ADMIN_VALUE is a value of it'])
  if (env.AUTH_MODE === 'builtin')
    for (const name of oidcVariables.filter(isSet)) violations.push([name, 'is for AUTH_MODE=oidc'])
  else if ((mode === 'oidc' || oidcVariables.some(isSet)) && !oidcVariables.every(isSet))
    violations.push([oidcVariables.join(', '), 'must be set together'])
  if (mode === 'builtin' && (env.ENVIRONMENT !== 'development' || emailVariables.some(isSet)))
    for (const name of emailVariables.filter((variable) => !isSet(variable)))
      violations.push([name, 'is missing: built-in accounts need an e-mail sender'])
  return violations
}

const rotatedSecrets = [
  'SECRET_KEY',
  'PLAID_WEBHOOK_VERIFICATION_KEY',
  'AUTH_EMAIL_KEY',
  'ALERT_WEBHOOK_SECRET',
] as const

/** The previous secret of a rotation is another one than the current secret, and is not alone. */
function previousSecretViolations(env: Environment): Violation[] {
  return rotatedSecrets.flatMap((name): Violation[] => {
    const previous = `${name}_PREVIOUS` as const
    if (env[previous] === undefined) return []
    if (env[name] === undefined) return [[previous, `has no effect without ${name}`]]
    return env[previous] === env[name] ? [[previous, `must differ from ${name}`]] : []
  })
}

/** The path of Plaid's webhooks; a request to any other path gets 404. */
const webhookPath = '/api/v1/plaid/webhook'

/** Fewer cannot be chance: of 32 random bytes, at least 16 differ in all but one of 10^13 draws. */
const leastDifferentBytes = 16
/** 32 random hexadecimal digits have fewer in one of 10^5 draws, base64 almost never. */
const leastDifferentCharacters = 8

function keyViolations(env: Environment): Violation[] {
  const keys = [
    ['ENCRYPTION_KEY', env.ENCRYPTION_KEY] as const,
    ...env.ENCRYPTION_KEYS_PREVIOUS.map(({ secret }) => ['ENCRYPTION_KEYS_PREVIOUS', secret] as const),
    ...(env.AUDIT_KEY === undefined ? [] : [['AUDIT_KEY', env.AUDIT_KEY] as const]),
    ...env.AUDIT_KEYS_PREVIOUS.map(({ secret }) => ['AUDIT_KEYS_PREVIOUS', secret] as const),
  ]
  return keys.flatMap(([name, key]): Violation[] => {
    if (isFake(encodeBase64(key))) return [[name, 'is an example value']]
    return new Set(key).size < leastDifferentBytes ? [[name, 'must be random']] : []
  })
}

const localOnly = [
  'PLAID_BASE_URL',
  'DATABASE_ENDPOINT',
  'CONSOLE_BANK_URL',
  'CONSOLE_DEMO_USER',
  'CONSOLE_DEMO_OPERATOR',
] as const

/** Refuses settings that are allowed in development only. Staging is as strict as production. */
function strictViolations(env: Environment, raw: Readonly<Record<string, unknown>>): Violation[] {
  const violations: Violation[] = [...loginViolations(env), ...keyViolations(env)]
  for (const name of localOnly) if (env[name] !== undefined) violations.push([name, 'is for local use only'])
  for (const name of httpsOnly)
    if (env[name]?.startsWith('https://') === false) violations.push([name, 'must be an https URL'])
  if (env.SENTRY_DSN === undefined)
    violations.push(['SENTRY_DSN', 'is missing: the DSN of a Sentry project, or none where errors are only logged'])
  if (isPlaceholder(env.SENTRY_DSN ?? '')) violations.push(['SENTRY_DSN', 'is an example value'])
  if (raw['CORS_ORIGINS'] === undefined)
    violations.push(['CORS_ORIGINS', 'is missing: [] is for deployments without browser clients'])
  if (env.CORS_ORIGINS.some((origin) => !origin.startsWith('https://')))
    violations.push(['CORS_ORIGINS', 'must list explicit https origins'])
  if (env.CORS_ORIGINS.some(isPlaceholder)) violations.push(['CORS_ORIGINS', 'is an example value'])
  if (isPlaceholder(env.PLAID_WEBHOOK_URL)) violations.push(['PLAID_WEBHOOK_URL', 'is an example value'])
  const webhook = URL.parse(env.PLAID_WEBHOOK_URL)
  if (webhook?.pathname !== webhookPath || webhook.search !== '' || webhook.hash !== '')
    violations.push(['PLAID_WEBHOOK_URL', `must end in ${webhookPath}`])
  if (authModeOf(env) === 'oidc' && env.AUTH_WRITE_SCOPE === undefined)
    violations.push([
      'AUTH_WRITE_SCOPE',
      'is missing: the scope that allows changes, or * where every token may make them',
    ])
  if (env.RATE_LIMIT_ENABLED === 'false') violations.push(['RATE_LIMIT_ENABLED', 'may be false in development only'])
  if (env.AUDIT_KEY === undefined) violations.push(['AUDIT_KEY', 'is missing'])
  if (env.BACKUP_RECIPIENT === undefined)
    violations.push(['BACKUP_RECIPIENT', 'is missing: age public keys, or none where backups are made elsewhere'])
  for (const name of secretVariables) {
    const value = raw[name]
    if (typeof value !== 'string') continue
    const isKey = name === 'ENCRYPTION_KEY' || name === 'AUDIT_KEY'
    if (!isKey && isFake(value)) violations.push([name, 'is an example value'])
    if (!isKey && new Set(value).size < leastDifferentCharacters) violations.push([name, 'must be random'])
    if (secretVariables.some((other) => other !== name && raw[other] === value))
      violations.push([name, 'must differ from the other secrets'])
  }
  // More people may have read a retired key than a key in use.
  const current = encodeHex(env.ENCRYPTION_KEY)
  if (env.ENCRYPTION_KEYS_PREVIOUS.some(({ secret }) => encodeHex(secret) === current))
    violations.push(['ENCRYPTION_KEYS_PREVIOUS', 'must not hold ENCRYPTION_KEY'])
  const auditKeys = [env.AUDIT_KEY ?? new Uint8Array(), ...env.AUDIT_KEYS_PREVIOUS.map(({ secret }) => secret)]
  if (new Set(auditKeys.map(encodeHex)).size < auditKeys.length)
    violations.push(['AUDIT_KEYS_PREVIOUS', 'must not hold AUDIT_KEY or a key twice'])
  return violations
}

const productLists = ['PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS', 'PLAID_ADDITIONAL_CONSENTED_PRODUCTS'] as const

/** Plaid refuses a product that is in two lists of a link token. */
function linkViolations(env: Environment): Violation[] {
  const violations: Violation[] = []
  const [, ...others] = env.PLAID_PRODUCTS
  for (const name of productLists)
    if (!env[name].every((product) => others.includes(product)))
      violations.push([name, 'may name those of PLAID_PRODUCTS alone, without the first'])
  if (env.PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS.some((name) => env.PLAID_ADDITIONAL_CONSENTED_PRODUCTS.includes(name)))
    violations.push([productLists.join(', '), 'must not name the same product'])
  const strict = env.ENVIRONMENT !== 'development'
  if (!env.PLAID_COMPLETION_REDIRECT_URIS.every((uri) => isRedirectUri(uri, { strict })))
    violations.push(['PLAID_COMPLETION_REDIRECT_URIS', 'must list https URLs without a query or a fragment'])
  return violations
}

/** All violations of variables that are valid each by itself. `raw` contains them before parsing. */
export function constraintViolations(env: Environment, raw: Readonly<Record<string, unknown>>): Violation[] {
  const violations: Violation[] = []
  if (env.PLAID_ENV === 'production' && env.ENVIRONMENT !== 'production')
    violations.push(['PLAID_ENV', 'may be production only where ENVIRONMENT is production'])
  if (!env.CORS_ORIGINS.every(originIsExact)) violations.push(['CORS_ORIGINS', 'must hold exact origins'])
  if ((env.OPERATOR_NAME === undefined) !== (env.OPERATOR_CONTACT === undefined))
    violations.push(['OPERATOR_NAME', 'and OPERATOR_CONTACT must be set together'])
  if ((env.ANDROID_PACKAGE_NAMES.length === 0) !== (env.ANDROID_CERT_FINGERPRINTS.length === 0))
    violations.push(['ANDROID_PACKAGE_NAMES', 'and ANDROID_CERT_FINGERPRINTS must be set together'])
  violations.push(...authViolations(env), ...linkViolations(env), ...alertViolations(env))
  violations.push(...sharedLoginViolations(env), ...providerViolations(env, authModeOf(env)))
  if (env.BACKUP_RECIPIENT?.includes(exampleRecipient) === true)
    violations.push(['BACKUP_RECIPIENT', 'is an example value'])
  if (makesBackups(env) && env.DATABASE_BACKUP_URL === undefined)
    violations.push(['DATABASE_BACKUP_URL', 'is missing: backups need a login that reads, as db:bootstrap prints it'])
  violations.push(...previousSecretViolations(env))
  if (env.ENCRYPTION_KEYS_PREVIOUS.some((key) => key.id === env.ENCRYPTION_KEY_ID))
    violations.push(['ENCRYPTION_KEYS_PREVIOUS', 'must not hold ENCRYPTION_KEY_ID'])
  if (env.ENCRYPTION_MIN_KEY_ID !== undefined && isKeyIdBelow(env.ENCRYPTION_KEY_ID, env.ENCRYPTION_MIN_KEY_ID))
    violations.push(['ENCRYPTION_MIN_KEY_ID', 'must not be above ENCRYPTION_KEY_ID'])
  if (env.AUDIT_KEYS_PREVIOUS.some((key) => key.id === env.AUDIT_KEY_ID))
    violations.push(['AUDIT_KEYS_PREVIOUS', 'must not hold AUDIT_KEY_ID'])
  return env.ENVIRONMENT === 'development' ? violations : [...violations, ...strictViolations(env, raw)]
}
