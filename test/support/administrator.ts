// Tokens for every route: of a user, or of an administrator where the route is for administrators alone.
import type { Call, Edge } from './edge.ts'
import { goodClaims, mintToken } from './tokens.ts'

/** What a path tells of who may call; the security matrix shows that it tells the truth. */
export const isAdministrators = ({ path }: { readonly path: string }): boolean => path.startsWith('/api/v1/admin/')

export function tokenFor(edge: Edge, route: { readonly path: string }, subject: string): string {
  const role = isAdministrators(route) ? { role: 'admin' } : {}
  return mintToken({ secret: String(edge.variables['SECRET_KEY']), claims: { ...goodClaims(subject), ...role } })
}

/** Makes requests to the route as somebody whom it lets in. */
export function callFor(edge: Edge, route: { readonly path: string }, subject: string): Call {
  return edge.callTo(edge.url, tokenFor(edge, route, subject))
}
