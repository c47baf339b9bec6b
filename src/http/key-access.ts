// What API keys, and the tokens that they issue, may call: the scope of each route.
import { metricsScope } from '../auth/token-rights.ts'
import type { ApplicationScope, KeyScope } from '../auth/key-scopes.ts'
import type { ApiKeyUse, User } from '../context.ts'
import { AppError } from '../errors.ts'

/**
 * What an API key needs beyond the scope of the method. `link`: that scope · `only`: a key and nothing else, of any scope ·
 * `refused`: no key may call the route
 */
export type KeyRule = 'link' | 'only' | 'refused'

interface Guarded {
  readonly access: 'public' | 'user' | 'admin'
  readonly method: string
  readonly scope?: string
  readonly keys?: KeyRule
  readonly ofApplications?: ApplicationScope
  readonly isRead?: boolean
}

/** The scopes of which a key needs one that acts for a user, or as an administrator. Empty: any key may call the route. */
function scopesFor({ access, method, scope, keys, isRead = method === 'GET' }: Guarded): readonly KeyScope[] {
  if (keys === 'only') return []
  if (keys === 'link') return ['link']
  if (access === 'admin' && scope === metricsScope) return ['admin:read', 'admin:metrics']
  const right = isRead ? 'read' : 'write'
  return [access === 'admin' ? `admin:${right}` : right]
}

const forbidden = (detail: string, reason: string): AppError => new AppError('forbidden', detail, { reason })

/**
 * Checks the access of a key. `authorize` has checked the role.
 * @throws AppError `forbidden`; `user_required` for a key of an application that names no user
 */
export function authorizeKey({ scopes }: User, { actsAs }: ApiKeyUse, route: Guarded): void {
  if (route.keys === 'refused') throw forbidden('This request needs a user’s own sign-in, not an API key.', 'key')
  if (route.keys === 'only' && actsAs === 'token')
    throw forbidden('This request needs the API key itself, not a token of it.', 'key')
  const isApplications = route.access === 'user' && actsAs === 'application'
  if (isApplications && route.ofApplications === undefined)
    throw new AppError('user_required', 'This request acts for a user. Name one in the header WN-User.')
  const needed = isApplications && route.ofApplications !== undefined ? [route.ofApplications] : scopesFor(route)
  if (needed.length > 0 && !needed.some((scope) => scopes.includes(scope)))
    throw forbidden(`The API key needs the scope ${needed.map((scope) => `\`${scope}\``).join(' or ')}.`, 'scope')
}
