// The Durable Objects as the platform runs them: their failures are logged and reported, also those of alarms, which no
// request sees.
import { type Env, servicesFor } from './isolate.ts'
import { createLogger } from './monitoring/logger.ts'
import { Live as UnwatchedLive } from './live/object.ts'
import { Monitor as UnwatchedMonitor } from './monitoring/metrics/object.ts'
import { PlaidQuota as UnwatchedPlaidQuota } from './plaid/rate-limit/object.ts'
import { RateLimiter as UnwatchedRateLimiter } from './ratelimit/object.ts'

const isEnv = (env: object): env is Env => 'SYNC_QUEUE' in env

interface Watched {
  readonly name: string
  readonly env: object
  readonly context: DurableObjectState
}

/** Returns the result of `work`. Logs and reports its error, and throws it again. */
async function watched<Result>(object: Watched, work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    reportFailure(object, error)
    throw error
  }
}

/** The same for work without a promise. */
function watchedNow<Result>(object: Watched, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    reportFailure(object, error)
    throw error
  }
}

/** Never throws: the caller must receive the object's own error. */
function reportFailure({ name, env, context }: Watched, error: unknown): void {
  if (!isEnv(env)) return
  try {
    const { log, reporter, metrics } = servicesFor(env)
    log.error('object_failed', { job: name, error })
    reporter(context).captureError(error, { object: name })
    context.waitUntil(metrics.flushWhenDue())
  } catch (failure) {
    createLogger({}).error('object_failed', { job: name, error: failure })
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

  override read(...given: Parameters<UnwatchedMonitor['read']>) {
    return watchedNow(this.#watched, () => super.read(...given))
  }

  override totals(...given: Parameters<UnwatchedMonitor['totals']>) {
    return watchedNow(this.#watched, () => super.totals(...given))
  }

  override readAlarms() {
    return watchedNow(this.#watched, () => super.readAlarms())
  }

  override saveAlarms(...given: Parameters<UnwatchedMonitor['saveAlarms']>) {
    return watchedNow(this.#watched, () => super.saveAlarms(...given))
  }

  override async alarm(): Promise<void> {
    await watched(this.#watched, () => super.alarm())
  }
}

export class Live extends UnwatchedLive {
  readonly #watched = { name: 'Live', env: this.env, context: this.ctx }

  override fetch(request: Request): Promise<Response> {
    return watched(this.#watched, () => super.fetch(request))
  }

  override notify(...given: Parameters<UnwatchedLive['notify']>) {
    return watchedNow(this.#watched, () => super.notify(...given))
  }

  override close(...given: Parameters<UnwatchedLive['close']>) {
    return watched(this.#watched, () => super.close(...given))
  }

  override async alarm(): Promise<void> {
    await watched(this.#watched, () => super.alarm())
  }
}
