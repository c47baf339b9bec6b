// The Worker's variables in tests inside workerd. Every name of the configuration has a value, so that no value comes
// from a developer's .dev.vars.
import { connectStack, type TestDatabase } from './stack.ts'

const generousLimits = JSON.stringify({
  global: 10_000,
  global_hour: 10_000,
  address: 10_000,
  api_key: 10_000,
  auth: 10_000,
  link: 10_000,
  sync: 10_000,
  sensitive: 10_000,
  webhook_failed: 10_000,
  webhook_repeated: 10_000,
})

/** Creates a database and returns the variables for it. */
export async function workerBindings(control: string): Promise<Record<string, string>> {
  return workerVariables(await connectStack(control).createDatabase())
}

/** Variables for that database. Values are plainly fake and long enough to pass the configuration. */
export function workerVariables(database: TestDatabase): Record<string, string> {
  return {
    ENVIRONMENT: 'development',
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_ID: 'test-client-id',
    PLAID_SECRET: 'test-plaid-secret',
    PLAID_BASE_URL: 'http://127.0.0.1:1',
    PLAID_WEBHOOK_URL: 'http://127.0.0.1:1/api/v1/plaid/webhook',
    PLAID_WEBHOOK_VERIFICATION_KEY: '',
    PLAID_PRODUCTS: '',
    PLAID_COUNTRY_CODES: '',
    PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS: '',
    PLAID_ADDITIONAL_CONSENTED_PRODUCTS: '',
    PLAID_CLIENT_NAME: '',
    PLAID_ANDROID_PACKAGES: '',
    PLAID_COMPLETION_REDIRECT_URIS: '',
    // Tests link many items. Tests of the limits set their own.
    MAX_ITEMS_PER_USER: '10000',
    MAX_LINKS_PER_DAY: '10000',
    ALLOW_DUPLICATE_ITEMS: 'true',
    PLAID_LIMITS: '',
    PLAID_PRICES: '',
    PLAID_REFRESHES_PER_DAY: '',
    PLAID_REFRESHES_PER_USER: '',
    PLAID_REFRESHES_PER_ITEM: '',
    PLAID_QUOTA_LOCATION: '',
    DATABASE_URL: database.apiUrl,
    DATABASE_JOBS_URL: database.jobsUrl,
    DATABASE_IDENTITY_URL: database.identityUrl,
    DATABASE_BACKUP_URL: database.backupUrl,
    DATABASE_ENDPOINT: database.endpoint,
    SECRET_KEY: 'test-secret-key-test-secret-key-test-secret-key',
    SECRET_KEY_PREVIOUS: '',
    ENCRYPTION_KEY: 'dGVzdC1lbmNyeXB0aW9uLWtleS10ZXN0LWVuY3J5cHQ=',
    ENCRYPTION_KEY_ID: 'test-1',
    ENCRYPTION_KEYS_PREVIOUS: '',
    ENCRYPTION_MIN_KEY_ID: '',
    AUDIT_KEY: 'dGVzdC1hdWRpdC1rZXktdGVzdC1hdWRpdC1rZXktMDE=',
    AUDIT_KEY_ID: '',
    AUDIT_KEYS_PREVIOUS: '',
    API_KEYS: 'on',
    CORS_ORIGINS: '',
    SWEEP_WAKES_PER_SECOND: '',
    APPLE_APP_IDS: '',
    ANDROID_PACKAGE_NAMES: '',
    ANDROID_CERT_FINGERPRINTS: '',
    SECURITY_CONTACT: '',
    OPERATOR_NAME: '',
    OPERATOR_CONTACT: '',
    ALERT_WEBHOOK_URL: '',
    ALERT_WEBHOOK_SECRET: '',
    ALERT_WEBHOOK_FORMAT: '',
    SENTRY_DSN: '',
    SENTRY_TRACES_SAMPLE_RATE: '',
    RATE_LIMIT_ENABLED: '',
    // Tests send more requests than a client may. Tests of the limits set their own.
    RATE_LIMITS: generousLimits,
    RETENTION_DAYS: '',
    RETENTION_REMOVED_DAYS: '',
    BACKUP_RECIPIENT: '',
    BACKUP_RETENTION_DAYS: '',
    ORPHAN_REMOVAL: '',
    // Tests create many orphans. Tests of this limit set their own.
    ORPHAN_REMOVALS_PER_DAY: '100000',
    AUTH_MODE: '',
    AUTH_ISSUER: '',
    AUTH_AUDIENCE: '',
    AUTH_JWKS_URL: '',
    AUTH_WRITE_SCOPE: '',
    AUTH_SCOPE_CLAIM: '',
    AUTH_ADMIN_CLAIM: '',
    AUTH_ADMIN_VALUE: '',
    AUTH_MAX_TOKEN_HOURS: '',
    AUTH_EMAIL_URL: '',
    AUTH_EMAIL_KEY: '',
    AUTH_EMAIL_FROM: '',
    AUTH_PUBLIC_URL: '',
    AUTH_HASHES_PER_MINUTE: '',
  }
}
