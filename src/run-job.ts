// Runs a batch of messages or a cron job: with services, a log, one event for a cron run, and reports of what failed.
import type { Ctx, Services } from './context.ts'
import { type Env, servicesFor } from './isolate.ts'
import { createLogger, type Logger } from './monitoring/logger.ts'
import { observeOperations } from './monitoring/operation.ts'
import type { Reporter } from './monitoring/sentry.ts'
import { createOperationTotals } from './monitoring/operation-totals.ts'

interface Job {
  readonly name: string
  readonly run: (ctx: Ctx) => Promise<unknown>
}

interface Trigger {
  readonly kind: 'queue' | 'cron'
  /** The queue's name or the cron string. */
  readonly trigger: string
}

/** Cloudflare ends a cron run after that. */
const longestCronMinutes = 15

/** Finds a job and its services. Without services a failure can only be logged, not reported. */
function prepare(env: Env, log: Logger, find: () => Job): { job: Job; services: Services } {
  try {
    return { job: find(), services: servicesFor(env) }
  } catch (error) {
    log.error('job_not_started', { error })
    throw error
  }
}

/** The failures of a cron's parts, each of which is reported as its own kind. */
const errorsIn = (error: unknown): readonly unknown[] => (error instanceof AggregateError ? error.errors : [error])

/** Runs the job of a trigger. Reports an error and throws it again, so that the platform also records it. */
export async function runJob(env: Env, context: ExecutionContext, by: Trigger, find: () => Job): Promise<unknown> {
  const { kind } = by
  const { job, services } = prepare(env, createLogger({ actor: `${kind}:${by.trigger}` }), find)
  const requestId = services.newId()
  const log = createLogger(
    { request_id: requestId, actor: `${kind}:${job.name}` },
    { redactText: services.redact, onEvent: services.countEvent },
  )
  const actor = { kind, name: job.name }
  const ctx: Ctx = { services, actor, requestId, now: () => new Date(), log, reports: context }
  const reporter = services.reporter(context, { requestId })
  const finish = kind === 'cron' ? startCron(ctx, reporter, { name: job.name, cron: by.trigger }) : null
  try {
    const observers = [...services.observers, ...(finish === null ? [] : [finish.observe])]
    const result = await observeOperations(observers, () => job.run(ctx), requestId)
    finish?.end(true)
    return result
  } catch (error) {
    log.error('job_failed', { job: job.name, error })
    for (const failure of errorsIn(error)) reporter.captureError(failure, { job: job.name })
    finish?.end(false)
    throw error
  } finally {
    context.waitUntil(services.flushUsage(log))
    context.waitUntil(services.enqueueEvents(log))
    context.waitUntil(kind === 'cron' ? services.metrics.flush() : services.metrics.flushWhenDue())
  }
}

/** The event, the heartbeat and the trace of a cron run. */
function startCron({ log, services }: Ctx, reporter: Reporter, { name, cron }: { name: string; cron: string }) {
  const startedAtMs = Date.now()
  const totals = createOperationTotals()
  return {
    observe: totals.observe,
    end: (ok: boolean): void => {
      const endedAtMs = Date.now()
      const durationMs = endedAtMs - startedAtMs
      services.metrics.count('wn_cron_runs_total', { job: name, outcome: ok ? 'ok' : 'failed' })
      if (ok) services.metrics.gauge('wn_cron_last_success_timestamp_seconds', endedAtMs / 1000, { job: name })
      log[ok ? 'info' : 'error']('cron_run', {
        job: name,
        cron,
        ok,
        duration_ms: durationMs,
        release: services.release,
        ...totals.fields(),
      })
      reporter.captureCheckIn({ name, cron, longestMinutes: longestCronMinutes }, ok ? 'ok' : 'error', durationMs)
      reporter.captureOperation({
        name: `cron ${name}`,
        op: 'cron',
        startedAtMs,
        endedAtMs,
        ok,
        operations: totals.operations(),
      })
    },
  }
}
