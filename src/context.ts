// The input of every use case: who acts, when, and with which services.
import type { AuditAction } from './audit/actions.ts'
import type { AuditKeys } from './audit/keys.ts'
import type { AuthConfig } from './auth/access-token.ts'
import type { Bucket } from './backup/bucket.ts'
import type { Config } from './config/config.ts'
import type { Keyring } from './crypto/keyring.ts'
import type { SignedCheckpoint } from './db/audit/chains.ts'
import type { ApiDatabase, JobsDatabase } from './db/core/client.ts'
import type { IdentityServices } from './identity/services.ts'
import type { Provider } from './oidc/provider.ts'
import type { Live } from './live/live.ts'
import type { Enqueue } from './messages/coalesce.ts'
import type { Producer } from './messages/producer.ts'
import type { Metrics } from './monitoring/metrics/collector.ts'
import type { MetricsStore } from './monitoring/metrics/types.ts'
import type { OperationObserver } from './monitoring/operation.ts'
import type { BookStore } from './monitoring/alarms/book.ts'
import type { SendAlert } from './monitoring/alarms/webhook.ts'
import type { Pseudonyms } from './monitoring/pseudonyms.ts'
import type { Redact } from './monitoring/redact.ts'
import type { ReportContext, ReporterFactory } from './monitoring/sentry.ts'
import type { Plaid } from './plaid/endpoints.ts'
import type { FreezeGate } from './plaid/freeze-gate.ts'
import type { Caller } from './plaid/rate-limit/limiter.ts'
import type { LimitLook } from './plaid/rate-limit/look.ts'
import type { ResolveHost } from './events/resolve.ts'
import type { Limiter } from './ratelimit/limiter.ts'
import type { FindKeyFor } from './webhooks/keys/cache.ts'
import type { RecentDeliveries } from './webhooks/keys/recent-deliveries.ts'
import type { Role } from './auth/access-token.ts'
import type { Identity } from './db/core/scope.ts'
import type { Logger } from './monitoring/logger.ts'
import type { SecurityEvent } from './monitoring/security-events.ts'
import type { Client } from './ratelimit/address.ts'

export interface Services {
  readonly config: Config
  /** Reads a file of the console by its path; null where the Worker has no console. */
  readonly readAsset: ((path: string) => Promise<Response>) | null
  /** The version of the Worker at Cloudflare; null where there is none. */
  readonly version: string | null
  readonly api: ApiDatabase
  readonly jobs: JobsDatabase
  /** Plaid for interactive calls that concern no item and count against no user's share. */
  readonly plaid: Plaid
  /** Plaid for a caller, which decides the limits that a call counts against and its priority. */
  readonly plaidFor: (caller: Caller) => Plaid
  /** What each of Plaid's limits has used; null where PLAID_QUOTA is not bound. */
  readonly lookAtPlaidLimits: (() => Promise<readonly LimitLook[]>) | null
  /** Whether Plaid may be called at all. */
  readonly freeze: FreezeGate
  /**
   * Saves the counts of Plaid calls. Never rejects. Entry points call it in `waitUntil`, so that no response waits for
   * it.
   */
  readonly flushUsage: (log: Logger) => Promise<void>
  /** Counts and durations. Never fails; entry points flush it in `waitUntil`. */
  readonly metrics: Metrics
  /** Where the metrics of all isolates are; null where MONITOR is not bound. */
  readonly metricsStore: (MetricsStore & BookStore) | null
  readonly keyring: Keyring
  /** Signs the rows of the audit trail. */
  readonly auditKeys: AuditKeys
  readonly auth: AuthConfig
  /** Services of built-in accounts; null if an OIDC issuer authenticates users. */
  readonly identity: (() => Promise<IdentityServices>) | null
  /** The console's client at the identity provider; null where people do not sign in to the console with one. */
  readonly provider: (() => Promise<Provider>) | null
  readonly findWebhookKey: FindKeyFor
  readonly recentWebhooks: RecentDeliveries
  /** Null if rate limits are disabled. */
  readonly limiter: Limiter | null
  /** Sends messages for products that have none in the queue. */
  readonly enqueue: Enqueue
  readonly enqueueLinkSessions: Producer['enqueueLinkSessions']
  readonly enqueueRotation: Producer['enqueueRotation']
  readonly enqueueRotations: Producer['enqueueRotations']
  readonly enqueueTokens: Producer['enqueueTokens']
  readonly enqueueRewrap: Producer['enqueueRewrap']
  readonly enqueueErasure: Producer['enqueueErasure']
  readonly enqueueUserChecks: Producer['enqueueUserChecks']
  /** Sends a message for each endpoint with events to deliver; returns the ids that were not accepted. */
  readonly enqueueDeliveries: Producer['enqueueDeliveries']
  /** Calls the endpoints of events. */
  readonly callEndpoint: (request: Request) => Promise<Response>
  /** Where a host name of an endpoint leads; null in development, where nothing is looked up. */
  readonly resolveHost: ResolveHost | null
  /**
   * Sends messages for the events that were written just now. Never rejects: the cron finds what it misses. Entry points
   * call it after what may have written some.
   */
  readonly enqueueEvents: (log: Logger) => Promise<void>
  /** An endpoint gets events from now on. */
  readonly expectEvents: () => void
  readonly wait: (milliseconds: number) => Promise<void>
  /** 0 ≤ x < 1, for jitter; never for a secret. */
  readonly random: () => number
  readonly newId: () => string
  readonly redact: Redact
  /** Pseudonyms of people and networks in log lines. */
  readonly pseudonyms: Pseudonyms
  /** Notifies the clients of users that something has changed; null where LIVE is not bound. */
  readonly live: Live | null
  /** The bucket of backups; null where none is bound. */
  readonly backups: Bucket | null
  /** Copies a checkpoint of the audit trail to where the database's owner cannot change it; null where there is none. */
  readonly saveCheckpoint: ((checkpoint: SignedCheckpoint) => Promise<void>) | null
  /** Called for every operation of every request, message and cron run of the isolate. */
  readonly observers: readonly OperationObserver[]
  /** Sends an alarm to the operator's receiver; null without one. */
  readonly sendAlert: SendAlert | null
  /** Counts a logged event for the alarms. */
  readonly countEvent: (event: string) => void
  /** Reports errors, traces and heartbeats of a request, message or cron run. */
  readonly reporter: ReporterFactory
  /** The version that serves, for log lines and reports; null where the platform names none. */
  readonly release: string | null
  /** Logs what no request, message or cron run does. */
  readonly log: Logger
}

interface NamedKey {
  readonly id: string
  /** Its first characters. */
  readonly prefix: string
}

/**
 * How an API key is used. Its scopes are the actor's. `user`: for the user of the actor · `application`: for no user; the
 * actor's identity is the application · `token`: by a token that it issued for a user
 */
export type ApiKeyUse =
  | (NamedKey & { readonly actsAs: 'user' | 'token' })
  | (NamedKey & { readonly actsAs: 'application'; readonly applicationId: string })

export interface User {
  readonly kind: 'user'
  readonly identity: Identity
  readonly role: Role
  readonly scopes: readonly string[]
  /** The session of a built-in account to which the token was issued. */
  readonly sessionId?: string
  /** When the token expires; absent for an API key. */
  readonly expiresAt?: Date
  /** Whether the user acts as administrator: on the routes for administrators. */
  readonly isAdministering?: true
  /** The API key with which the request was sent, or that issued its token. */
  readonly apiKey?: ApiKeyUse
}

/** Who acts. Routes, messages, cron jobs and commands call the same use cases; only this differs. */
export type Actor =
  | User
  | { readonly kind: 'anonymous' }
  /** Plaid, or the operator's relay, by a verified webhook. */
  | { readonly kind: 'webhook'; readonly name: string }
  | { readonly kind: 'queue'; readonly name: string }
  | { readonly kind: 'cron'; readonly name: string }

/** What a use case adds to a request's log line. */
export interface LogNotes {
  /** The account that the request names; proves nothing. Logged as a pseudonym. */
  readonly email?: string
  /**
   * The built-in account that the request signed in, or whose session was reused. Logged as a pseudonym of its user.
   */
  readonly accountId?: string
  /** The person whom the request signed in with an identity provider. Logged as a pseudonym. */
  readonly signedIn?: Identity
  /** Replaces the route's event. */
  readonly event?: SecurityEvent
}

export interface Ctx<Who extends Actor = Actor> {
  readonly services: Services
  readonly actor: Who
  /** The client of the request; absent without a request. */
  readonly client?: Client
  readonly requestId: string
  /** The client's id of the request; absent where there is none. For the audit trail; proves nothing. */
  readonly correlationId?: string | null
  /** Adds to the request's log line. Absent without a request. */
  readonly note?: (notes: LogNotes) => void
  /** Called with each action that the request records in the audit trail. */
  readonly audited?: (action: AuditAction) => void
  readonly now: () => Date
  readonly log: Logger
  /** Sends reports after the work has ended; absent in commands, which send none. */
  readonly reports?: ReportContext
}

/** The same context with log lines that contain the user. */
export const aboutUser = <Given extends Ctx>(ctx: Given, userId: string): Given => ({
  ...ctx,
  log: ctx.log.child({ user_id: userId }),
})
