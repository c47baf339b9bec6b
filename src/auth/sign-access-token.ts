// Signs this deployment's access tokens, which `verifyAccessToken` accepts in builtin mode.
import { SignJWT } from 'jose'
import { LOCAL_ISSUER, type Role } from './access-token.ts'

export interface AccessTokenClaims {
  /** Our id of the account. */
  readonly subject: string
  readonly sessionId: string
  /** Space-separated names; `read` without `write` may not change anything. */
  readonly scope: string
  readonly role: Role
}

/** A compact JWT, HS256 with `SECRET_KEY`, valid from now for `ttlSeconds`. */
export async function signAccessToken(
  secret: Uint8Array,
  { subject, sessionId, scope, role }: AccessTokenClaims,
  ttlSeconds: number,
  now: Date,
): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1000)
  return await new SignJWT({ scope, sid: sessionId, ...(role === 'admin' ? { role } : {}) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(LOCAL_ISSUER)
    .setSubject(subject)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .sign(secret)
}
