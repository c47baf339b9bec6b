// The next access token for a refresh token, which is replaced. One that was used before ends its session: either the
// thief or the owner is shut out at the next use, and both have to sign in again (RFC 9700 §4.14.2). There is no grace
// for an answer that got lost: whoever repeats a request cannot be told from whoever stole its token.
import type { Ctx } from '../context.ts'
import { refresh as replaceVerifier } from '../db/identity-sessions.ts'
import { sessionLifetime } from './policy.ts'
import { readRefreshToken } from './refresh-token.ts'
import { sessionOver } from './refusals.ts'
import { grant, type SessionGrant } from './session.ts'
import { toolsOf } from './tools.ts'

/** @throws AppError `unauthorized`, the same for a token that is unknown, expired or used */
export async function refresh({ services, now, log }: Ctx, refreshToken: string): Promise<SessionGrant> {
  const tools = await toolsOf(services)
  const tokens = await readRefreshToken(refreshToken)
  if (tokens === null) throw sessionOver('malformed refresh token')
  const { given, next } = tokens
  const answer = await replaceVerifier(
    services.api,
    { ...given, newVerifierHash: next.verifierHash },
    sessionLifetime.idleSeconds,
  )
  if (answer.outcome === 'reused') log.warn('refresh_token_reused')
  if (answer.outcome !== 'done') throw sessionOver(`refresh token ${answer.outcome}`)
  const { account_id: subject, session_id: sessionId, scope, role } = answer
  return await grant(tools, { subject, sessionId, scope, role }, next.text, now())
}
