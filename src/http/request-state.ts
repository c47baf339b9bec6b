// What the middleware of one request hands on to the next: Hono's variables, typed in one place. No behaviour.
import type { MiddlewareHandler } from 'hono'
import type { Actor, LogNotes } from '../context.ts'
import type { AppError } from '../errors.ts'
import type { Logger } from '../monitoring/logger.ts'
import type { RouteEvent } from '../monitoring/security-events.ts'
import type { Outcome } from '../ratelimit/limiter.ts'
import type { Services } from '../context.ts'
import type { RateLimit } from './route.ts'

export interface RequestState {
  /** Made here; names the request in the answer, in errors and in log lines. */
  requestId: string
  /** The client's own, beside it in log lines; null where it sent none that is a UUID. */
  clientRequestId: string | null
  /** The services, or why there are none: a configuration that was refused. */
  services: Services | AppError
  log: Logger
  actor: Actor
  notes: LogNotes
  /** What the route is about, where that is a security event. */
  event: RouteEvent | null
  /** The thing that the path names by a UUID. */
  targetId: string | null
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
