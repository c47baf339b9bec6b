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

/** An HS256 token like those of the Worker's issuer: `sub`, `iss`, `iat`, `exp`, and `role` and `scope` if given. */
export function signToken({ secret, subject, role, scope, ttlSeconds }: TokenOptions): Promise<string> {
  return new SignJWT({ ...(role === undefined ? {} : { role }), ...(scope === undefined ? {} : { scope }) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(`${ttlSeconds} seconds`)
    .sign(new TextEncoder().encode(secret))
}
