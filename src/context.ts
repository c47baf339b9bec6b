// What every verb is given: who acts, on whose behalf, when, and with what. Types only, so that verbs may import it.
import type { Role } from './auth/access-token.ts'
import type { Identity } from './db/scope.ts'
import type { Logger } from './monitoring/logger.ts'
import type { SecurityEvent } from './monitoring/security-events.ts'
import type { Client } from './ratelimit/address.ts'
import type { Services } from './services.ts'

export interface User {
  readonly kind: 'user'
  readonly identity: Identity
  readonly role: Role
  readonly scopes: readonly string[]
  /** The session of a built-in account that the token was given to. */
  readonly sessionId?: string
}

/** Who acts. A route, a message, a cron run and a command call the same verbs; only this differs. */
export type Actor =
  | User
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'queue'; readonly name: string }
  | { readonly kind: 'cron'; readonly name: string }

/** What only a use case learns of a request, for the request's log line. */
export interface LogNotes {
  /** The account that the request names; proves nothing. Logged as a pseudonym. */
  readonly email?: string
  /** The built-in account that the request signed in, or whose session was reused. Logged as a pseudonym of its user. */
  readonly accountId?: string
  /** In place of the route's own. */
  readonly event?: SecurityEvent
}

export interface Ctx<Who extends Actor = Actor> {
  readonly services: Services
  readonly actor: Who
  /** Where a request came from; absent where no request came. */
  readonly client?: Client
  readonly requestId: string
  /** Adds to the request's log line. Absent where no request came. */
  readonly note?: (facts: LogNotes) => void
  readonly now: () => Date
  readonly log: Logger
}

/** The same context, whose log lines name the user. */
export const aboutUser = <Given extends Ctx>(ctx: Given, userId: string): Given => ({
  ...ctx,
  log: ctx.log.child({ user_id: userId }),
})
