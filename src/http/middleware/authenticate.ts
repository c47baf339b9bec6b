// Who calls: a bearer token becomes the request's actor. Whether that actor may do a thing is the route's to say.
import { verifyAccessToken } from '../../auth/access-token.ts'
import { parseBearer } from '../../auth/bearer.ts'
import { AppError } from '../../errors.ts'
import { servicesOf } from '../mount.ts'
import type { Middleware } from '../request-state.ts'

/** Refuses a request without a verified token: AppError `unauthorized`, the same for every fault. */
export function authenticate(): Middleware {
  return async (context, next) => {
    const token = parseBearer(context.req.header('authorization') ?? null)
    if (token === null) throw new AppError('unauthorized', 'A valid access token is required.', { reason: 'no token' })
    const claims = await verifyAccessToken(token, servicesOf(context).auth, new Date())
    const { issuer, subject, role, scopes, sessionId } = claims
    const session = sessionId === undefined ? {} : { sessionId }
    context.set('actor', { kind: 'user', identity: { issuer, subject }, role, scopes, ...session })
    await next()
  }
}
