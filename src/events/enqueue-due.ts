// Sends messages for endpoints with due deliveries. Two callers: entry points, after what may have written an event, so
// that it arrives within a second; and the cron, each minute, for everything that is due.
import type { Ctx } from '../context.ts'
import type { JobsDatabase } from '../db/core/client.ts'
import { audit } from '../audit/audit.ts'
import { disableEndpoint, type EndedEndpoint, failOfDisabled, listBehind, listKeyless } from '../db/events/disabling.ts'
import { claimDueEndpoints, releaseEndpoints } from '../db/events/work.ts'
import { AppError } from '../errors.ts'
import { trailOf } from './trail.ts'
import type { Logger } from '../monitoring/logger.ts'
import type { Producer } from '../messages/producer.ts'

/** Endpoints that one call enqueues at most. */
const most = 500
/** How long an isolate believes that no endpoint gets events. The cron does not ask it. */
const believedMs = 10_000
/** Pending deliveries of a failing endpoint, beyond which it is disabled: its owner reads the feed instead. */
const mostPending = { user: 10_000, many: 100_000 }
/** Rows that one statement ends. */
const portion = 5000

interface Over {
  readonly jobs: JobsDatabase
  readonly enqueueDeliveries: Producer['enqueueDeliveries']
  readonly now: () => number
}

async function enqueue({ jobs, enqueueDeliveries }: Omit<Over, 'now'>, onlyRecent: boolean) {
  const { woken, hasEndpoints } = await claimDueEndpoints(jobs, onlyRecent, most)
  const refused = woken.length === 0 ? [] : await enqueueDeliveries(woken)
  if (refused.length > 0) await releaseEndpoints(jobs, refused)
  return { count: woken.length - refused.length, hasEndpoints }
}

const isFrozen = (error: unknown): boolean => error instanceof AppError && error.code === 'frozen'

export interface EventEnqueuer {
  /** For entry points. Never rejects, and asks the database once in a while only where no endpoint gets events. */
  readonly enqueueEvents: (log: Logger) => Promise<void>
  /** An endpoint gets events from now on. */
  readonly expectEvents: () => void
}

export function createEventEnqueuer({ jobs, enqueueDeliveries, now }: Over): EventEnqueuer {
  let silentUntilMs = 0
  const enqueueEvents: EventEnqueuer['enqueueEvents'] = async (log) => {
    if (now() < silentUntilMs) return
    try {
      const { hasEndpoints } = await enqueue({ jobs, enqueueDeliveries }, true)
      if (!hasEndpoints) silentUntilMs = now() + believedMs
    } catch (error) {
      // During a freeze nothing is sent.
      if (!isFrozen(error)) log.warn('events_not_woken', { error })
    }
  }
  const expectEvents = (): void => {
    silentUntilMs = 0
  }
  return { enqueueEvents, expectEvents }
}

/** For the cron: enqueues every endpoint with due deliveries, and ends what disabled endpoints will not get. */
export async function enqueueDueEvents(ctx: Ctx): Promise<void> {
  const { services, log } = ctx
  try {
    const { count } = await enqueue(services, false)
    await disable(ctx, 'behind', await listBehind(services.jobs, mostPending))
    await disable(ctx, 'no_key', await listKeyless(services.jobs))
    for (let failed = portion; failed === portion;) failed = await failOfDisabled(services.jobs, portion)
    if (count > 0) log.info('events_woken', { count })
  } catch (error) {
    if (!isFrozen(error)) throw error
  }
}

async function disable(ctx: Ctx, reason: 'behind' | 'no_key', endpoints: readonly EndedEndpoint[]): Promise<void> {
  for (const endpoint of endpoints) {
    const { id } = endpoint
    const row = await audit(ctx, { action: 'webhook_endpoint_disabled', target: id, ...trailOf(endpoint) })
    await disableEndpoint(ctx.services.jobs, id, reason, row)
    ctx.log.warn('event_endpoint_disabled', { target_id: id, reason })
  }
}
