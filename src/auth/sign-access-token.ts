// Signs this deployment's access tokens, which `verifyAccessToken` accepts in builtin mode.
import { SignJWT } from 'jose'
import { LOCAL_ISSUER, type Role } from './access-token.ts'

/** A token of the demo user or the demo operator of a laptop, which no session ends. */
export async function signDemoToken(
  secret: Uint8Array,
  { subject, role }: Pick<AccessTokenClaims, 'subject' | 'role'>,
  ttlSeconds: number,
  now: Date,
): Promise<string> {
  const claims = { scope: 'read write', ...(role === 'admin' ? { role } : {}) }
  return await sign(secret, claims, subject, ttlSeconds, now)
}

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
  const claims = { scope, sid: sessionId, ...(role === 'admin' ? { role } : {}) }
  return await sign(secret, claims, subject, ttlSeconds, now)
}

async function sign(
  secret: Uint8Array,
  claims: Readonly<Record<string, string>>,
  subject: string,
  ttlSeconds: number,
  now: Date,
): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1000)
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(LOCAL_ISSUER)
    .setSubject(subject)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .sign(secret)
}
