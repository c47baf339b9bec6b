// The composition root: creates a record of closures from the configuration and the bindings, once for each isolate.
import {
  type Around,
  type Bindings,
  assetsOver,
  backupsOver,
  deliveriesOver,
  historyOver,
  limiterOver,
  liveOver,
  metricsStoreOver,
  plaidLimiterOver,
  releaseOf,
  unbound,
  versionOf,
} from './bindings.ts'
import { createAuditKeys } from './audit/keys.ts'
import type { AuthConfig } from './auth/access-token.ts'
import { createJwksSource } from './auth/jwks.ts'
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
import type { IdentityServices } from './identity/services.ts'
import { isCounted } from './monitoring/alarms/logged-events.ts'
import { createWebhook } from './monitoring/alarms/webhook.ts'
import { createLogger } from './monitoring/logger.ts'
import { createMetrics } from './monitoring/metrics/collector.ts'
import { operationMetrics } from './monitoring/metrics/observe-operations.ts'
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
import type { PlaidLimiter } from './plaid/rate-limit/limiter.ts'
import { coalesced } from './messages/coalesce.ts'
import { createProducer } from './messages/producer.ts'
import { createKeyCache } from './webhooks/keys/cache.ts'
import { fetchVerificationKey } from './webhooks/keys/fetch.ts'
import { createRecentDeliveries } from './webhooks/keys/recent-deliveries.ts'

export type { Bindings } from './bindings.ts'

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
