// Tokens for every route: of a user, or of an administrator where the route is for administrators alone.
import type { Call, Edge } from './edge.ts'
import { goodClaims, mintToken } from './tokens.ts'

/** Whether a route is for administrators only, by its path. The security matrix shows that the path is right. */
export const isAdministrators = ({ path }: { readonly path: string }): boolean => path.startsWith('/api/v1/admin/')

export function tokenFor(edge: Edge, route: { readonly path: string }, subject: string): string {
  const role = isAdministrators(route) ? { role: 'admin' } : {}
  return mintToken({ secret: String(edge.variables['SECRET_KEY']), claims: { ...goodClaims(subject), ...role } })
}

/** Sends requests to the route as a user who may call it. */
export function callFor(edge: Edge, route: { readonly path: string }, subject: string): Call {
  return edge.callTo(edge.url, tokenFor(edge, route, subject))
}
