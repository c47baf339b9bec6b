// The doors of the Worker: requests, queue messages, cron triggers, Durable Objects. No logic.
import { parseConfig } from './config.ts'
import type { Actor, Ctx } from './context.ts'
import { jobFor } from './cron/schedule.ts'
import { createApp } from './http/app.ts'
import { createLogger } from './monitoring/logger.ts'
import { consumerFor } from './queue/route.ts'
import { type Bindings, createServices, type Services } from './services.ts'

export { PlaidQuota } from './plaid/quota-object.ts'
export { RateLimiter } from './ratelimit/object.ts'

type Env = Bindings & Readonly<Record<string, unknown>>

/** One record of services an isolate; a changed secret comes with a new `env`. */
const made = new WeakMap<Env, Services>()

function servicesFor(env: Env): Services {
  const services = made.get(env) ?? createServices(parseConfig(env), env)
  made.set(env, services)
  return services
}

const app = createApp({ servicesFor })

/** A job's context; what it throws is reported and thrown again, so that the platform knows of it too. */
async function runJob(
  env: Env,
  context: ExecutionContext,
  actor: Actor & { name: string },
  job: (ctx: Ctx) => Promise<unknown>,
): Promise<void> {
  const services = servicesFor(env)
  const requestId = services.newId()
  const log = createLogger(
    { request_id: requestId, actor: `${actor.kind}:${actor.name}` },
    { redactText: services.redact },
  )
  try {
    await job({ services, actor, requestId, now: () => new Date(), log })
  } catch (error) {
    log.error('job_failed', { job: actor.name, error })
    services.reporter(context).captureError(error, { job: actor.name })
    throw error
  } finally {
    context.waitUntil(services.flushUsage(log))
  }
}

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  queue: (batch, env, context) =>
    runJob(env, context, { kind: 'queue', name: batch.queue }, (ctx) => consumerFor(batch.queue)(ctx, batch)),
  scheduled: async (controller, env, context) => {
    const job = jobFor(controller.cron)
    await runJob(env, context, { kind: 'cron', name: job.name }, job.run)
  },
} satisfies ExportedHandler<Env>
