// What every verb is given: who acts, on whose behalf, when, and with what. Types only, so that verbs may import it.
import type { Role } from './auth/access-token.ts'
import type { Identity } from './db/scope.ts'
import type { Logger } from './monitoring/logger.ts'
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

export interface Ctx<Who extends Actor = Actor> {
  readonly services: Services
  readonly actor: Who
  /** Where a request came from; absent where no request came. */
  readonly client?: Client
  readonly requestId: string
  readonly now: () => Date
  readonly log: Logger
}
