// The Durable Objects as the platform runs them: their failures are logged and reported, also those of alarms, which no
// request sees.
import { type Env, servicesFor } from './isolate.ts'
import { Monitor as UnwatchedMonitor } from './monitoring/metrics/object.ts'
import { PlaidQuota as UnwatchedPlaidQuota } from './plaid/rate-limit/object.ts'
import { RateLimiter as UnwatchedRateLimiter } from './ratelimit/object.ts'

const isEnv = (env: object): env is Env => 'SYNC_QUEUE' in env

/** Returns the result of `work`. Logs and reports its error, and throws it again. */
async function watched<Result>(
  { name, env, context }: { readonly name: string; readonly env: object; readonly context: DurableObjectState },
  work: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (isEnv(env)) {
      const { log, reporter } = servicesFor(env)
      log.error('object_failed', { job: name, error })
      reporter(context).captureError(error, { object: name })
    }
    throw error
  }
}

export class RateLimiter extends UnwatchedRateLimiter {
  readonly #watched = { name: 'RateLimiter', env: this.env, context: this.ctx }

  override check(...buckets: Parameters<UnwatchedRateLimiter['check']>) {
    return watched(this.#watched, () => super.check(...buckets))
  }

  override async alarm(): Promise<void> {
    await watched(this.#watched, () => super.alarm())
  }
}

export class PlaidQuota extends UnwatchedPlaidQuota {
  readonly #watched = { name: 'PlaidQuota', env: this.env, context: this.ctx }

  override admit(...call: Parameters<UnwatchedPlaidQuota['admit']>) {
    return watched(this.#watched, () => super.admit(...call))
  }

  override refused(...call: Parameters<UnwatchedPlaidQuota['refused']>) {
    return watched(this.#watched, () => super.refused(...call))
  }

  override async alarm(): Promise<void> {
    await watched(this.#watched, () => super.alarm())
  }
}

export class Monitor extends UnwatchedMonitor {
  readonly #watched = { name: 'Monitor', env: this.env, context: this.ctx }

  override add(...added: Parameters<UnwatchedMonitor['add']>) {
    return watched(this.#watched, () => super.add(...added))
  }

  override async alarm(): Promise<void> {
    await watched(this.#watched, () => super.alarm())
  }
}
