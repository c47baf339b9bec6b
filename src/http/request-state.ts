// The state that middleware shares within a request: the types of Hono's variables.
import type { MiddlewareHandler } from 'hono'
import type { Actor, LogNotes } from '../context.ts'
import type { AppError } from '../errors.ts'
import type { Logger } from '../monitoring/logger.ts'
import type { RouteEvent } from '../monitoring/security-events.ts'
import type { Outcome } from '../ratelimit/limiter.ts'
import type { Services } from '../context.ts'
import type { RouteLimit } from '../ratelimit/policies.ts'

export interface RequestState {
  /** Created by the Worker; in the response, in errors and in log lines. */
  requestId: string
  /** The id from the client, for log lines; null unless it is a UUID. */
  clientRequestId: string | null
  /** The services, or the configuration error. */
  services: Services | AppError
  log: Logger
  actor: Actor
  notes: LogNotes
  /** The security event of the route, or null. */
  event: RouteEvent | null
  /** The UUID in the path. */
  targetId: string | null
  /** The pattern of the route, never the path with its ids. */
  route: string
  /** Whether the response is a page of the console. */
  page: boolean
  /** The rate limit of the route. */
  limit: RouteLimit | null
  /** The decisions of the limits so far, in order. */
  limitOutcomes: Outcome[]
  /** Reads the body once, up to the limit of the route. */
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
