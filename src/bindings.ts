// The bindings of the Worker, and the services that each of them provides.
import type { Bucket } from './backup/bucket.ts'
import type { Config } from './config/config.ts'
import type { Services } from './context.ts'
import { AppError } from './errors.ts'
import { createLive, type LiveObjects } from './live/live.ts'
import { createTickets } from './live/ticket.ts'
import type { Logger } from './monitoring/logger.ts'
import { type Dataset, isDataset, writeSeries } from './monitoring/metrics/dataset.ts'
import type { MetricsStore } from './monitoring/metrics/types.ts'
import { createMetricsStore, type MonitorObjects } from './monitoring/metrics/store.ts'
import { limitsWith } from './plaid/rate-limit/limits.ts'
import { createPlaidLimiter, type PlaidLimiter, type PlaidLimiterObjects } from './plaid/rate-limit/limiter.ts'
import { createProducer, type MessageQueue } from './messages/producer.ts'
import { createLimiter, type Limiter, type LimiterObjects } from './ratelimit/limiter.ts'

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
export function versionOf({ CF_VERSION_METADATA: version }: Bindings): string | null {
  return typeof version?.id === 'string' && /^[\w-]{1,100}$/.test(version.id) ? version.id : null
}

/** The tag that the deployment gave the version, else the platform's id of it; null where there is none. */
export function releaseOf({ CF_VERSION_METADATA: version }: Bindings): string | null {
  const isName = (text: unknown): text is string => typeof text === 'string' && /^[\w.+@-]{1,100}$/.test(text)
  return [version?.tag, version?.id].find(isName) ?? null
}

export function limiterOver({ rateLimits }: Config, objects: LimiterObjects | undefined): Limiter | null {
  if (!rateLimits.enabled) return null
  if (typeof objects?.getByName !== 'function') throw unbound('RATE_LIMITER')
  return createLimiter({ objects, quotas: rateLimits.quotas })
}

export interface Around {
  readonly wait: Services['wait']
  readonly log: Logger
}

/** The limiter of Plaid's limits, and what each of them has used; null without the binding. */
export function plaidLimiterOver(
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

/** Sends messages of events; without a queue, none is accepted. */
export function deliveriesOver(
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
export function backupsOver({ backup }: Config, bucket: Bucket | undefined): Bucket | null {
  const isBound = typeof bucket?.createMultipartUpload === 'function'
  if (!isBound && backup !== null) throw unbound('BACKUPS')
  return bucket !== undefined && isBound ? bucket : null
}

/** The binding ignores the host. */
export function assetsOver({ console: pages }: Config, { ASSETS: assets }: Bindings): Services['readAsset'] {
  if (pages === null || typeof assets?.fetch !== 'function') return null
  return (path) => assets.fetch(`https://assets.invalid${path}`)
}

export const liveOver = (
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
export const metricsStoreOver = (objects: MonitorObjects | undefined): Services['metricsStore'] =>
  typeof objects?.getByName === 'function' ? createMetricsStore(objects, () => crypto.randomUUID()) : null

/** Without a store, each isolate writes the history itself. */
export const historyOver = (dataset: Dataset | undefined): Pick<MetricsStore, 'add'> | null =>
  isDataset(dataset) ? { add: (points) => Promise.resolve(writeSeries(dataset, points)) } : null

export function unbound(name: string): AppError {
  return new AppError('misconfigured', 'The service is not configured correctly.', { reason: `${name} is not bound` })
}
