// Short tokens that an application gets with its API key and gives to a client of its user (RFC 9068). Their own issuer
// keeps them apart from the tokens of sign-ins, which the same secret signs.
import { decodeJwt, errors, jwtVerify, type JWTVerifyOptions, SignJWT } from 'jose'
import * as z from 'zod'
import { AppError } from '../errors.ts'

/** `iss` and `aud` of these tokens. */
const clientTokenIssuer = 'wealthnavigator-edge/api-keys'
const clockSkewSeconds = 60

export interface ClientToken {
  /** The key that issued it. The token ends with the key. */
  readonly keyId: string
  readonly subject: string
  readonly scopes: readonly string[]
  readonly issuedAt: Date
}

export interface VerifiedClientToken extends ClientToken {
  readonly expiresAt: Date
}

const claimsSchema = z.object({
  sub: z.string().min(1).max(255),
  client_id: z.guid(),
  scope: z.string(),
  iat: z.number(),
  exp: z.number(),
  jti: z.string(),
})

/** A compact JWT, valid from now for `ttlSeconds`. */
export async function signClientToken(
  secret: Uint8Array,
  { keyId, subject, scopes, issuedAt }: ClientToken,
  ttlSeconds: number,
): Promise<string> {
  const iat = Math.floor(issuedAt.getTime() / 1000)
  return await new SignJWT({ client_id: keyId, scope: scopes.join(' ') })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
    .setIssuer(clientTokenIssuer)
    .setAudience(clientTokenIssuer)
    .setSubject(subject)
    .setIssuedAt(iat)
    .setExpirationTime(iat + ttlSeconds)
    .setJti(crypto.randomUUID())
    .sign(secret)
}

/** Whether an unverified token says that it is one of these. */
export function isClientToken(token: string): boolean {
  try {
    return decodeJwt(token).iss === clientTokenIssuer
  } catch {
    return false
  }
}

const refuse = (reason: string): AppError =>
  new AppError('unauthorized', 'A valid access token is required.', { reason })

/**
 * Verifies a token by `SECRET_KEY`, or by the previous one. Whether its key is live has not been checked.
 * @throws AppError `unauthorized`
 */
export async function verifyClientToken(
  token: string,
  secrets: readonly Uint8Array[],
  now: Date,
): Promise<VerifiedClientToken> {
  const options: JWTVerifyOptions = {
    algorithms: ['HS256'],
    typ: 'at+jwt',
    issuer: clientTokenIssuer,
    audience: clientTokenIssuer,
    currentDate: now,
    clockTolerance: clockSkewSeconds,
    requiredClaims: ['sub', 'exp', 'iat'],
  }
  for (const secret of secrets)
    try {
      const { payload } = await jwtVerify(token, secret, options)
      const { data: claims } = claimsSchema.safeParse(payload)
      if (claims === undefined) throw refuse('malformed claim of a client token')
      const { sub: subject, client_id: keyId, scope, iat, exp } = claims
      const scopes = scope.split(' ').filter((name) => name !== '')
      return { keyId, subject, scopes, issuedAt: new Date(iat * 1000), expiresAt: new Date(exp * 1000) }
    } catch (error) {
      if (error instanceof AppError) throw error
      // Another key may have signed it.
      if (error instanceof errors.JWSSignatureVerificationFailed) continue
      throw refuse(error instanceof errors.JOSEError ? error.code : 'malformed client token')
    }
  throw refuse('ERR_JWS_SIGNATURE_VERIFICATION_FAILED')
}
