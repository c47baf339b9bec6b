// The entry points of the Worker: requests, queue messages, cron triggers, Durable Objects. No logic.
import { parseConfig } from './config/config.ts'
import type { Ctx } from './context.ts'
import { jobFor } from './cron/schedule.ts'
import { createApp } from './http/app.ts'
import { createLogger, type Logger } from './monitoring/logger.ts'
import { observeOperations } from './monitoring/operation.ts'
import { measureMessages } from './queue/measure-messages.ts'
import { consumerFor } from './queue/route.ts'
import { type Bindings, createServices } from './services.ts'
import type { Services } from './context.ts'

export { Monitor } from './monitoring/metrics/object.ts'
export { PlaidQuota } from './plaid/rate-limit/object.ts'
export { RateLimiter } from './ratelimit/object.ts'

type Env = Bindings & Readonly<Record<string, unknown>>

/** One record of services for each `env`; a changed secret comes with a new `env`. */
const made = new WeakMap<Env, Services>()

function servicesFor(env: Env): Services {
  const services = made.get(env) ?? createServices(parseConfig(env), env)
  made.set(env, services)
  return services
}

const app = createApp({ servicesFor })

interface Job {
  readonly name: string
  readonly run: (ctx: Ctx) => Promise<unknown>
}

/** Finds a job and its services. Without services a failure can only be logged, not reported. */
function prepare(env: Env, log: Logger, find: () => Job): { job: Job; services: Services } {
  try {
    return { job: find(), services: servicesFor(env) }
  } catch (error) {
    log.error('job_not_started', { error })
    throw error
  }
}

/** Runs the job of a trigger. Reports an error and throws it again, so that the platform also records it. */
async function runJob(
  env: Env,
  context: ExecutionContext,
  { kind, trigger }: { kind: 'queue' | 'cron'; trigger: string },
  find: () => Job,
): Promise<void> {
  const { job, services } = prepare(env, createLogger({ actor: `${kind}:${trigger}` }), find)
  const requestId = services.newId()
  const actor = { kind, name: job.name }
  const log = createLogger(
    { request_id: requestId, actor: `${kind}:${job.name}` },
    { redactText: services.redact, onEvent: services.countEvent },
  )
  const { metrics } = services
  let outcome: 'ok' | 'failed' = 'failed'
  try {
    const ctx = { services, actor, requestId, now: () => new Date(), log }
    await observeOperations(services.observers, () => job.run(ctx))
    outcome = 'ok'
  } catch (error) {
    log.error('job_failed', { job: job.name, error })
    services.reporter(context).captureError(error, { job: job.name })
    throw error
  } finally {
    context.waitUntil(services.flushUsage(log))
    if (kind === 'cron') {
      metrics.count('wn_cron_runs_total', { job: job.name, outcome })
      if (outcome === 'ok')
        metrics.gauge('wn_cron_last_success_timestamp_seconds', Date.now() / 1000, { job: job.name })
    }
    context.waitUntil(kind === 'cron' ? metrics.flush() : metrics.flushIfDue())
  }
}

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  queue: (batch, env, context) =>
    runJob(env, context, { kind: 'queue', trigger: batch.queue }, () => {
      const consume = consumerFor(batch.queue)
      return { name: batch.queue, run: (ctx) => consume(ctx, measureMessages(batch, ctx.services.metrics)) }
    }),
  scheduled: ({ cron }, env, context) => runJob(env, context, { kind: 'cron', trigger: cron }, () => jobFor(cron)),
} satisfies ExportedHandler<Env>
