// Authenticates a bearer token and counts the request for its user, or as anonymous. The route decides about access.
import { type VerifiedClaims, verifyAccessToken } from '../../auth/access-token.ts'
import { parseBearer } from '../../auth/bearer.ts'
import type { FetchReason } from '../../auth/jwks.ts'
import { AppError, type ErrorCode } from '../../errors.ts'
import { servicesOf } from '../mount.ts'
import type { Middleware } from '../request-state.ts'
import { settled } from './outlive-client.ts'
import { limitAddress, limitAnonymous, limitLogin, type RequestContext } from './rate-limit.ts'

const refusals: ReadonlySet<ErrorCode> = new Set(['unauthorized', 'unavailable'])

interface Verified {
  readonly claims: VerifiedClaims
  /** Whether the address has counted the request. */
  readonly isCounted: boolean
}

/**
 * Verifies the token before any limit. Exception: if the keys of the issuer must be fetched, the limit of the address is checked
 * first, so that a flood of unknown keys fetches nothing. A token that fails verification counts as anonymous.
 */
async function verify(context: RequestContext, token: string): Promise<Verified> {
  let counted: FetchReason | null = null
  try {
    const claims = await verifyAccessToken(token, servicesOf(context).auth, new Date(), {
      before: async (reason) => {
        await (reason === 'expired' ? limitAddress(context) : limitAnonymous(context))
        counted = reason
      },
      keepAlive: (fetching) => context.executionCtx.waitUntil(settled(fetching)),
    })
    return { claims, isCounted: counted !== null }
  } catch (error) {
    // A token whose keys cannot be read has an unknown user and counts as anonymous.
    if (error instanceof AppError && refusals.has(error.code) && counted !== 'unknown_key')
      await limitAnonymous(context)
    throw error
  }
}

/** Refuses a request without a verified token: AppError `unauthorized`, identical for every reason; `rate_limited`. */
export function authenticate(): Middleware {
  return async (context, next) => {
    const token = parseBearer(context.req.header('authorization') ?? null)
    if (token === null) {
      await limitAnonymous(context)
      throw new AppError('unauthorized', 'A valid access token is required.', { reason: 'no token' })
    }
    const { claims, isCounted } = await verify(context, token)
    const { issuer, subject, issuedAt, role, scopes, sessionId } = claims
    const identity = { issuer, subject, issuedAt }
    const session = sessionId === undefined ? {} : { sessionId }
    context.set('actor', { kind: 'user', identity, role, scopes, ...session })
    await limitLogin(context, identity, !isCounted)
    await next()
  }
}
