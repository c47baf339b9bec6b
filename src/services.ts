// The composition root: creates a record of closures from the configuration and the bindings, once for each isolate.
import { createAuditKeys } from './audit/keys.ts'
import type { AuthConfig } from './auth/access-token.ts'
import { createJwksSource } from './auth/jwks.ts'
import type { Bucket } from './backup/bucket.ts'
import { createCheckpointSaver } from './backup/save-checkpoint.ts'
import { type Config, secretTexts } from './config/config.ts'
import { createKeyring, type Keyring } from './crypto/keyring.ts'
import { createSecret } from './crypto/secret.ts'
import { connect } from './db/core/client.ts'
import { readFreeze } from './db/operations/freeze.ts'
import { recordUsage } from './db/operations/usage.ts'
import { deleteKey, readKeys, saveKey } from './db/operations/webhook-keys.ts'
import type { Services } from './context.ts'
import { createResolver } from './events/resolve.ts'
import { createEventEnqueuer } from './events/enqueue-due.ts'
import { AppError } from './errors.ts'
import type { IdentityServices } from './identity/services.ts'
import { isCounted } from './monitoring/alarms/logged-events.ts'
import { createLive, type LiveObjects } from './live/live.ts'
import { createTickets } from './live/ticket.ts'
import { createWebhook } from './monitoring/alarms/webhook.ts'
import { createLogger, type Logger } from './monitoring/logger.ts'
import { createMetrics } from './monitoring/metrics/collector.ts'
import { type Dataset, isDataset, writeSeries } from './monitoring/metrics/dataset.ts'
import { operationMetrics } from './monitoring/metrics/observe-operations.ts'
import type { MetricsStore } from './monitoring/metrics/types.ts'
import { createMetricsStore, type MonitorObjects } from './monitoring/metrics/store.ts'
import { createPseudonyms } from './monitoring/pseudonyms.ts'
import { createRedactor } from './monitoring/redact.ts'
import { createReporter } from './monitoring/sentry.ts'
import type { Provider } from './oidc/provider.ts'
import { createPlaidClient } from './plaid/client.ts'
import { createPlaid } from './plaid/endpoints.ts'
import { measuredLimiter } from './plaid/measured-limiter.ts'
import { createFreezeGate, type FreezeGate } from './plaid/freeze-gate.ts'
import { createUsageCounter, type UsageCounter } from './plaid/usage-counter.ts'
import { createUsageFlush } from './plaid/usage-flush.ts'
import { limitsWith } from './plaid/rate-limit/limits.ts'
import { createPlaidLimiter, type PlaidLimiter, type PlaidLimiterObjects } from './plaid/rate-limit/limiter.ts'
import { coalesced } from './messages/coalesce.ts'
import { createProducer, type MessageQueue } from './messages/producer.ts'
import { createLimiter, type Limiter, type LimiterObjects } from './ratelimit/limiter.ts'
import { createKeyCache } from './webhooks/keys/cache.ts'
import { fetchVerificationKey } from './webhooks/keys/fetch.ts'
import { createRecentDeliveries } from './webhooks/keys/recent-deliveries.ts'

export interface Bindings extends Readonly<Record<string, unknown>> {
  readonly SYNC_QUEUE: MessageQueue
  /** Required in strict environments. Without it, events are written and not sent. */
  readonly EVENTS_QUEUE?: MessageQueue
  /** Required unless rate limits are disabled. */
  readonly RATE_LIMITER?: LimiterObjects
  /** Required in strict environments. Without it, Plaid's limits are not enforced elsewhere. */
  readonly PLAID_QUOTA?: PlaidLimiterObjects
  /** Without it, clients are not notified of changes, as while a version with this class is deployed. */
  readonly LIVE?: LiveObjects
  /** Without it, metrics are written to METRICS only, and cannot be read here. */
  readonly MONITOR?: MonitorObjects
  /** The history of the metrics. */
  readonly METRICS?: Dataset
  /** The files of the console. Absent in tests and tools that need no pages. */
  readonly ASSETS?: { fetch(url: string): Promise<Response> }
  /** Required where the Worker makes backups. */
  readonly BACKUPS?: Bucket
  /** https://developers.cloudflare.com/workers/runtime-apis/bindings/version-metadata/ */
  readonly CF_VERSION_METADATA?: { readonly id?: unknown; readonly tag?: unknown }
}

/** The id that Cloudflare gave this version; null on a development machine. */
function versionOf({ CF_VERSION_METADATA: version }: Bindings): string | null {
  return typeof version?.id === 'string' && /^[\w-]{1,100}$/.test(version.id) ? version.id : null
}

/** The tag that the deployment gave the version, else the platform's id of it; null where there is none. */
function releaseOf({ CF_VERSION_METADATA: version }: Bindings): string | null {
  const isName = (text: unknown): text is string => typeof text === 'string' && /^[\w.+@-]{1,100}$/.test(text)
  return [version?.tag, version?.id].find(isName) ?? null
}

function limiterOver({ rateLimits }: Config, objects: LimiterObjects | undefined): Limiter | null {
  if (!rateLimits.enabled) return null
  if (typeof objects?.getByName !== 'function') throw unbound('RATE_LIMITER')
  return createLimiter({ objects, quotas: rateLimits.quotas })
}

interface Around {
  readonly wait: Services['wait']
  readonly log: Logger
}

/** The limiter of Plaid's limits, and what each of them has used; null without the binding. */
function plaidLimiterOver(
  { strict, plaid }: Config,
  objects: PlaidLimiterObjects | undefined,
  { wait, log }: Around,
): { readonly limiter: PlaidLimiter; readonly look: NonNullable<Services['lookAtPlaidLimits']> } | null {
  const isBound = typeof objects?.getByName === 'function'
  if (!isBound && strict) throw unbound('PLAID_QUOTA')
  if (objects === undefined || !isBound) return null
  const onFailure = (error: unknown): void => log.error('plaid_quota_failed', { error })
  const common = { objects, limits: limitsWith(plaid.limits), location: plaid.quotaLocation, onFailure }
  return {
    limiter: createPlaidLimiter({ ...common, wait, random: Math.random }),
    look: async () => (await import('./plaid/rate-limit/look.ts')).lookAtLimits(common),
  }
}

/** Plaid's endpoints for a caller. All callers share one limiter and one usage counter. */
function plaidOver(
  config: Config,
  limiter: PlaidLimiter | null,
  usage: UsageCounter,
  freeze: FreezeGate,
  { wait }: Around,
): Services['plaidFor'] {
  const { baseUrl, environment, clientId, secret } = config.plaid
  const common = {
    baseUrl,
    environment,
    clientId,
    secret: createSecret(secret),
    wait,
    random: Math.random,
    limiter,
    usage,
    freeze,
  }
  return (caller) => createPlaid(createPlaidClient({ ...common, caller, fetch: (request) => fetch(request) }))
}

/** Sends messages of events; without a queue, none is accepted. */
function deliveriesOver(
  { strict }: Config,
  queue: MessageQueue | undefined,
  { wait, log }: Around,
): Services['enqueueDeliveries'] {
  const isBound = typeof queue?.sendBatch === 'function'
  if (!isBound && strict) throw unbound('EVENTS_QUEUE')
  if (queue === undefined || !isBound) return (ids) => Promise.resolve(ids)
  return createProducer({ queue, wait, random: Math.random, log }).enqueueDeliveries
}

/** The bucket of backups. Without backups there may be one too, for checkpoints of the audit trail. */
function backupsOver({ backup }: Config, bucket: Bucket | undefined): Bucket | null {
  const isBound = typeof bucket?.createMultipartUpload === 'function'
  if (!isBound && backup !== null) throw unbound('BACKUPS')
  return bucket !== undefined && isBound ? bucket : null
}

/** The binding ignores the host. */
function assetsOver({ console: pages }: Config, { ASSETS: assets }: Bindings): Services['readAsset'] {
  if (pages === null || typeof assets?.fetch !== 'function') return null
  return (path) => assets.fetch(`https://assets.invalid${path}`)
}

const liveOver = (
  { secret, previousSecret }: Config,
  objects: LiveObjects | undefined,
  log: Logger,
): Services['live'] =>
  typeof objects?.getByName === 'function'
    ? createLive({
        objects,
        tickets: createTickets(secret, previousSecret, () => crypto.randomUUID()),
        onFailure: (error) => log.warn('live_not_notified', { error }),
      })
    : null

/** Metrics are no reason not to start. */
const metricsStoreOver = (objects: MonitorObjects | undefined): Services['metricsStore'] =>
  typeof objects?.getByName === 'function' ? createMetricsStore(objects, () => crypto.randomUUID()) : null

/** Without a store, each isolate writes the history itself. */
const historyOver = (dataset: Dataset | undefined): Pick<MetricsStore, 'add'> | null =>
  isDataset(dataset) ? { add: (points) => Promise.resolve(writeSeries(dataset, points)) } : null

function unbound(name: string): AppError {
  return new AppError('misconfigured', 'The service is not configured correctly.', { reason: `${name} is not bound` })
}

/** Values that must never be logged, in every available form. */
function secretsOf(config: Config, env: Bindings): string[] {
  const { auth, database, backup, alerts } = config
  const urls = [database.apiUrl, database.jobsUrl, ...(auth.mode === 'builtin' ? [auth.databaseUrl] : [])].concat(
    backup === null ? [] : [backup.databaseUrl],
  )
  const receivers = alerts === null ? [] : [alerts.url]
  const passwords = urls
    .map((url) => new URL(url).password)
    .flatMap((password) => [password, decodeURIComponent(password)])
  return [...secretTexts(env), ...passwords, ...urls, ...receivers].filter((secret) => secret.length >= 8)
}

function alertsOver({ alerts, environment }: Config): Services['sendAlert'] {
  if (alerts === null) return null
  return createWebhook({ target: alerts, environment, fetch: (request) => fetch(request) })
}

/** Imported dynamically: only the console's sign-in needs the folder. */
function providerOver({ console: pages, strict }: Config, auth: AuthConfig, keyring: Keyring): Services['provider'] {
  const config = pages?.provider ?? null
  if (config === null || auth.mode !== 'oidc') return null
  let provider: Provider | null = null
  return async () =>
    (provider ??= (await import('./oidc/provider.ts')).createProvider({
      config,
      strict,
      auth,
      keyring,
      fetch: (input, init) => fetch(input, init),
      now: () => new Date(),
    }))
}

/** Imported dynamically: a deployment with an OIDC issuer does not load the folder. */
function identityOf({ auth, secret, previousSecret, database }: Config): Services['identity'] {
  if (auth.mode === 'oidc') return null
  let identity: IdentityServices | null = null
  return async () =>
    (identity ??= (await import('./identity/services.ts')).createIdentityServices(
      auth,
      { secret, previousSecret },
      database.endpoint,
    ))
}

/**
 * Creates the services of the use cases. Sends no request.
 * @throws AppError `misconfigured` if a binding is missing
 */
export function createServices(config: Config, bindings: Bindings): Services {
  // The type is what wrangler.toml promises; the binding may be missing.
  if (typeof bindings.SYNC_QUEUE?.sendBatch !== 'function') throw unbound('SYNC_QUEUE')
  const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
  const { auth } = config
  const redact = createRedactor(secretsOf(config, bindings))
  const release = releaseOf(bindings)
  const jobs = connect('wn_jobs', config.database.jobsUrl, config.database.endpoint)
  const usage = createUsageCounter()
  const metricsStore = metricsStoreOver(bindings.MONITOR)
  const metrics = createMetrics({
    store: metricsStore ?? historyOver(bindings.METRICS),
    wait,
    newId: () => crypto.randomUUID(),
  })
  const countEvent: Services['countEvent'] = (event) => {
    if (isCounted(event)) metrics.count('wn_log_events_total', { event })
  }
  const log = createLogger({ environment: config.environment }, { redactText: redact, onEvent: countEvent })
  const backups = backupsOver(config, bindings.BACKUPS)
  const producer = createProducer({ queue: bindings.SYNC_QUEUE, wait, random: Math.random, log })
  const enqueueDeliveries = deliveriesOver(config, bindings.EVENTS_QUEUE, { wait, log })
  const callEndpoint = (request: Request): Promise<Response> => fetch(request)
  const freeze = createFreezeGate({
    read: async () => (await readFreeze(jobs)).state,
    now: () => Date.now(),
    onFailure: (error) => log.warn('freeze_not_read', { error }),
  })
  const plaidLimits = plaidLimiterOver(config, bindings.PLAID_QUOTA, { wait, log })
  const limiter = plaidLimits && measuredLimiter(plaidLimits.limiter, metrics)
  const plaidFor = plaidOver(config, limiter, usage, freeze, { wait, log })
  const plaid = plaidFor({ priority: 'interactive', itemId: null, userId: null })
  const keyring = createKeyring(config.encryption)
  const authConfig: AuthConfig =
    auth.mode === 'builtin'
      ? { mode: 'builtin', secret: config.secret, previousSecret: config.previousSecret }
      : { ...auth, jwks: createJwksSource({ url: auth.jwksUrl, fetch: (input, init) => fetch(input, init) }) }
  return {
    config,
    version: versionOf(bindings),
    readAsset: assetsOver(config, bindings),
    api: connect('wn_api', config.database.apiUrl, config.database.endpoint),
    jobs,
    plaid,
    plaidFor,
    lookAtPlaidLimits: plaidLimits?.look ?? null,
    freeze,
    flushUsage: createUsageFlush({
      usage,
      save: (counts) => recordUsage(jobs, counts, Math.random()),
      wait,
      now: () => Date.now(),
    }),
    metrics,
    metricsStore,
    keyring,
    auditKeys: createAuditKeys(config.audit),
    auth: authConfig,
    provider: providerOver(config, authConfig, keyring),
    identity: identityOf(config),
    findWebhookKey: createKeyCache({
      fetchKey: fetchVerificationKey(plaid),
      shared: {
        read: () => readKeys(jobs),
        save: (key) => saveKey(jobs, key),
        remove: (kid) => deleteKey(jobs, kid),
      },
      onFailure: (kid, error) => log.warn('webhook_key_unavailable', { kid, error }),
      onSharedFailure: (error) => log.warn('webhook_keys_not_shared', { error }),
    }),
    recentWebhooks: createRecentDeliveries(),
    limiter: limiterOver(config, bindings.RATE_LIMITER),
    enqueue: coalesced({ jobs, send: producer.send, log }),
    enqueueLinkSessions: producer.enqueueLinkSessions,
    enqueueRotation: producer.enqueueRotation,
    enqueueRotations: producer.enqueueRotations,
    enqueueTokens: producer.enqueueTokens,
    enqueueRewrap: producer.enqueueRewrap,
    enqueueErasure: producer.enqueueErasure,
    enqueueUserChecks: producer.enqueueUserChecks,
    enqueueDeliveries,
    callEndpoint,
    resolveHost: config.strict ? createResolver(callEndpoint) : null,
    ...createEventEnqueuer({ jobs, enqueueDeliveries, now: () => Date.now() }),
    wait,
    random: Math.random,
    newId: () => crypto.randomUUID(),
    redact,
    pseudonyms: createPseudonyms(config.secret),
    live: liveOver(config, bindings.LIVE, log),
    backups,
    saveCheckpoint: backups === null ? null : createCheckpointSaver(backups),
    observers: [operationMetrics(metrics)],
    sendAlert: alertsOver(config),
    countEvent,
    release,
    log,
    reporter: createReporter({
      dsn: config.sentry?.dsn ?? null,
      environment: config.environment,
      tracesSampleRate: config.sentry?.tracesSampleRate ?? 0,
      redactText: redact,
      release,
      onFailure: (error) => log.warn('report_not_sent', { error }),
    }),
  }
}
