// Authenticates a bearer token or an API key and counts the request for its user, or as anonymous. The route decides about
// access.
import { type VerifiedClaims, verifyAccessToken } from '../../auth/access-token.ts'
import { isApiKey, keyInText } from '../../auth/api-key.ts'
import { parseBearer } from '../../auth/bearer.ts'
import { isClientToken } from '../../auth/client-token.ts'
import type { FetchReason } from '../../auth/jwks.ts'
import { subjectHeader } from '../../auth/subject-header.ts'
import type { User } from '../../context.ts'
import { AppError, type ErrorCode } from '../../errors.ts'
import { servicesOf } from '../mount.ts'
import type { Middleware } from '../request-state.ts'
import { settled } from './outlive-client.ts'
import { limitAddress, limitAnonymous, limitLogin, type RequestContext } from './rate-limit.ts'

const refusals: ReadonlySet<ErrorCode> = new Set(['unauthorized', 'unavailable'])

interface Verified {
  readonly actor: User
  /** Whether the address has counted the request. */
  readonly isCounted: boolean
}

function userOf({ issuer, subject, issuedAt, expiresAt, role, scopes, sessionId }: VerifiedClaims): User {
  const session = sessionId === undefined ? {} : { sessionId }
  return { kind: 'user', identity: { issuer, subject, issuedAt }, role, scopes, expiresAt, ...session }
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
    return { actor: userOf(claims), isCounted: counted !== null }
  } catch (error) {
    // A token whose keys cannot be read has an unknown user and counts as anonymous.
    if (error instanceof AppError && refusals.has(error.code) && counted !== 'unknown_key')
      await limitAnonymous(context)
    throw error
  }
}

/** The same for an API key, or a token that one has issued. A refused one counts as anonymous. */
async function verifyKey(context: RequestContext, token: string): Promise<Verified> {
  const { actorOfClientToken, actorOfKey } = await import('./api-key.ts')
  try {
    const actor = await (isApiKey(token) ? actorOfKey(context, token) : actorOfClientToken(context, token))
    return { actor, isCounted: false }
  } catch (error) {
    if (error instanceof AppError && error.code !== 'rate_limited') await limitAnonymous(context)
    throw error
  }
}

/** A key in a URL is in the log of every proxy, and in the history of a browser. */
async function refuseKeyInQuery(context: RequestContext): Promise<void> {
  if (!keyInText.test(new URL(context.req.url).search)) return
  await limitAnonymous(context)
  throw new AppError('unauthorized', 'An API key was sent in the URL, where others can read it. Revoke it.', {
    reason: 'a key in the query',
  })
}

/** Refuses a request without a verified token: AppError `unauthorized`, identical for every reason; `rate_limited`. */
export function authenticate(): Middleware {
  return async (context, next) => {
    await refuseKeyInQuery(context)
    const token = parseBearer(context.req.header('authorization') ?? null)
    if (token === null) {
      await limitAnonymous(context)
      throw new AppError('unauthorized', 'A valid access token is required.', { reason: 'no token' })
    }
    const takesKeys = servicesOf(context).config.apiKeys !== null
    const isOfKey = takesKeys && (isApiKey(token) || isClientToken(token))
    const { actor, isCounted } = await (isOfKey ? verifyKey(context, token) : verify(context, token))
    context.set('actor', actor)
    await limitLogin(context, actor.identity, !isCounted, actor.apiKey?.id)
    // Ignoring the header would return the data of another user than the client asks for.
    if (actor.apiKey?.actsAs !== 'user' && context.req.header(subjectHeader) !== undefined)
      throw new AppError('validation_failed', 'The request is not valid.', {
        fields: [{ pointer: 'WN-User', detail: 'Is for API keys of applications only.' }],
      })
    await next()
  }
}
