// Exchanges a refresh token for an access token and a new refresh token. A token that was used before ends its session,
// because it may be stolen (RFC 9700 §4.14.2). For ten seconds it returns the same successor again instead, for tabs
// that share a cookie and for lost responses. This does not help a thief: two holders of one successor end the session
// at its next use.
import { audit } from '../audit/audit.ts'
import { LOCAL_ISSUER } from '../auth/access-token.ts'
import type { Ctx } from '../context.ts'
import { encodeHex } from '../crypto/encoding.ts'
import { refresh as replaceVerifier } from '../db/identity/sessions.ts'
import { closeSockets } from '../live/announce.ts'
import { refreshGraceSeconds, sessionLifetime } from './policy.ts'
import { nextRefreshToken, readRefreshToken } from './refresh-token.ts'
import { requireAttempt, sessionEnded } from './errors.ts'
import { grant, type SessionGrant } from './session.ts'
import { refreshes } from './throttles.ts'
import { identityServices } from './services.ts'

/**
 * @throws AppError `unauthorized`, the same for a token that is unknown, expired or used; `rate_limited` (the session)
 */
export async function refresh(ctx: Ctx, refreshToken: string): Promise<SessionGrant> {
  const { services, now, log, note } = ctx
  const identity = await identityServices(services)
  const { secret, previousSecret } = identity
  const [given, next, other] = await Promise.all([
    readRefreshToken(refreshToken),
    nextRefreshToken(secret, refreshToken),
    previousSecret === null ? null : nextRefreshToken(previousSecret, refreshToken),
  ])
  if (given === null || next === null) throw sessionEnded('malformed refresh token')
  const result = await replaceVerifier(
    identity.database,
    {
      ...given,
      newVerifierHash: next.verifierHash,
      otherVerifierHash: other?.verifierHash ?? null,
      idleSeconds: sessionLifetime.idleSeconds,
      graceSeconds: refreshGraceSeconds,
      buckets: refreshes(encodeHex(given.selectorHash)),
    },
    await audit(ctx, { action: 'session_reused', target: null }),
  )
  if (result.outcome === 'limited') requireAttempt(result.retry_after, 'too many refreshes')
  if (result.outcome === 'reused') {
    note?.({ event: 'session_reuse', accountId: result.account_id })
    log.warn('refresh_token_reused')
    await closeSockets(ctx, { issuer: LOCAL_ISSUER, subject: result.account_id }, 'signed_out')
  }
  if (result.outcome !== 'done') throw sessionEnded(`refresh token ${result.outcome}`)
  const { account_id: subject, session_id: sessionId, scope, role } = result
  note?.({ accountId: subject })
  // A request just before the rotation of SECRET_KEY got the successor of the previous key.
  const successor = result.is_other && other !== null ? other : next
  return await grant(identity, { subject, sessionId, scope, role }, successor.text, now())
}
