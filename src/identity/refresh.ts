// The next access token for a refresh token, which is replaced. One that was used before ends its session: either the
// thief or the owner is shut out at the next use, and both have to sign in again (RFC 9700 §4.14.2). For ten seconds
// the same successor is given again, because honest clients repeat themselves: tabs that share a cookie, an answer that
// was lost. A thief gains nothing by it: two holders of one successor still end the session at its next use.
import type { Ctx } from '../context.ts'
import { encodeHex } from '../crypto/encoding.ts'
import { refresh as replaceVerifier } from '../db/identity/sessions.ts'
import { refreshGraceSeconds, sessionLifetime } from './policy.ts'
import { nextRefreshToken, readRefreshToken } from './refresh-token.ts'
import { requirePlace, sessionOver } from './errors.ts'
import { grant, type SessionGrant } from './session.ts'
import { refreshes } from './throttles.ts'
import { identityServices } from './services.ts'

/**
 * @throws AppError `unauthorized`, the same for a token that is unknown, expired or used; `rate_limited` (the session)
 */
export async function refresh({ services, now, log, note }: Ctx, refreshToken: string): Promise<SessionGrant> {
  const tools = await identityServices(services)
  const [given, next] = await Promise.all([
    readRefreshToken(refreshToken),
    nextRefreshToken(tools.secret, refreshToken),
  ])
  if (given === null || next === null) throw sessionOver('malformed refresh token')
  const answer = await replaceVerifier(tools.database, {
    ...given,
    newVerifierHash: next.verifierHash,
    idleSeconds: sessionLifetime.idleSeconds,
    graceSeconds: refreshGraceSeconds,
    buckets: refreshes(encodeHex(given.selectorHash)),
  })
  if (answer.outcome === 'limited') requirePlace(answer.retry_after, 'too many refreshes')
  if (answer.outcome === 'reused') {
    note?.({ event: 'session_reuse', accountId: answer.account_id })
    log.warn('refresh_token_reused')
  }
  if (answer.outcome !== 'done') throw sessionOver(`refresh token ${answer.outcome}`)
  const { account_id: subject, session_id: sessionId, scope, role } = answer
  note?.({ accountId: subject })
  return await grant(tools, { subject, sessionId, scope, role }, next.text, now())
}
