// What the middleware of one request hands on to the next: Hono's variables, typed in one place. No behaviour.
import type { MiddlewareHandler } from 'hono'
import type { Actor } from '../context.ts'
import type { AppError } from '../errors.ts'
import type { Logger } from '../monitoring/logger.ts'
import type { Outcome } from '../ratelimit/limiter.ts'
import type { Services } from '../services.ts'
import type { RateLimit } from './route.ts'

export interface RequestState {
  requestId: string
  /** The services, or why there are none: a configuration that was refused. */
  services: Services | AppError
  log: Logger
  actor: Actor
  /** The pattern of the route that answers, never the path with its ids. */
  route: string
  /** The rate limit of the route's own. */
  limit: RateLimit | null
  /** What the limits said so far, in order. */
  limitOutcomes: Outcome[]
  /** Reads the body once, up to the limit that holds for the route. */
  readBody: () => Promise<Uint8Array>
}

export interface HttpEnvironment {
  Bindings: {
    /** @throws AppError `misconfigured` */
    readonly services: () => Services
  }
  Variables: RequestState
}

export type Middleware = MiddlewareHandler<HttpEnvironment>
