// Access tokens that the local Worker accepts.
import { SignJWT } from 'jose'

export const issuer = 'wealthnavigator-edge'

export interface TokenOptions {
  secret: string
  subject: string
  role?: string
  scope?: string
  ttlSeconds: number
}

/** An HS256 token as the Worker's own issuer makes it: `sub`, `iss`, `iat`, `exp`, and `role` and `scope` where given. */
export function signToken({ secret, subject, role, scope, ttlSeconds }: TokenOptions): Promise<string> {
  return new SignJWT({ ...(role === undefined ? {} : { role }), ...(scope === undefined ? {} : { scope }) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(`${ttlSeconds} seconds`)
    .sign(new TextEncoder().encode(secret))
}
