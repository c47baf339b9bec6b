// The configuration, as parseConfig returns it.
import type { AlertsConfig } from './alerts.ts'
import type { ProviderConfig } from './provider.ts'
import type { ChosenPlaidLimits, Environment, PlaidProduct, RateLimitQuotas } from './variables.ts'
import type { EncryptionKey } from '../crypto/keyring.ts'

/** An HTTP API that sends e-mail: `POST url` with a bearer key. */
export interface EmailConfig {
  readonly url: string
  /** The current key, and the previous one during a rotation. */
  readonly keys: readonly [string, ...string[]]
  readonly from: string
  /** The application's page that links in e-mails open. */
  readonly publicUrl: string
}

/** How to derive the rights of an issuer's token; applied by src/auth/token-rights.ts. */
export interface TokenRules {
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
  /** Keys of the operator's relay: the current one, and the previous one during a rotation; empty without a relay. */
  readonly webhookSharedKeys: readonly string[]
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
