// The entry points of the Worker: requests, queue messages, cron triggers, Durable Objects. No logic.
import { jobFor, skipped } from './cron/schedule.ts'
import { createApp } from './http/app.ts'
import { type Env, servicesFor } from './isolate.ts'
import { consumerFor } from './queue/route.ts'
import { runJob } from './run-job.ts'

export { Live, Monitor, PlaidQuota, RateLimiter } from './objects.ts'

const app = createApp({ servicesFor })

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  async queue(batch, env, context) {
    await runJob(env, context, { kind: 'queue', trigger: batch.queue }, () => {
      const consume = consumerFor(batch.queue)
      return { name: batch.queue, run: (ctx) => consume(ctx, batch) }
    })
  },
  async scheduled(controller, env, context) {
    const { cron } = controller
    const result = await runJob(env, context, { kind: 'cron', trigger: cron }, () => jobFor(cron))
    // Cloudflare retries no cron; `npm run cron` reads it and says that the run was skipped.
    if (result === skipped) controller.noRetry()
  },
} satisfies ExportedHandler<Env>
