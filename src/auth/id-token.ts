// Verifies the ID token of a sign-in to the console (OpenID Connect Core §3.1.3.7).
import { errors, type JWTPayload, jwtVerify, type JWTVerifyOptions } from 'jose'
import * as z from 'zod'
import { equalConstantTime } from '../crypto/constant-time.ts'
import { utf8 } from '../crypto/encoding.ts'
import { AppError } from '../errors.ts'
import { type AuthConfig, CLOCK_SKEW_SECONDS, OIDC_ALGORITHMS } from './access-token.ts'

/** An ID token is made for one sign-in, which takes minutes. */
const maxAgeSeconds = 600

interface ExpectedIdToken {
  readonly clientId: string
  /** Of the sign-in; the token must contain it. */
  readonly nonce: string
}

const claimsSchema = z.object({
  sub: z.string().min(1).max(255),
  iat: z.number(),
  nonce: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  azp: z.string().optional(),
})

const refused = (reason: string): AppError => new AppError('unauthorized', 'The sign-in failed.', { reason })

/**
 * Checks the signature by the issuer's published keys, `iss`, `aud`, `azp`, `exp`, `iat` and `nonce`.
 * @throws AppError `unauthorized` for a token of anyone else; `unavailable` if the issuer's keys cannot be read
 */
export async function verifyIdToken(
  token: string,
  { issuer, jwks }: Extract<AuthConfig, { mode: 'oidc' }>,
  { clientId, nonce }: ExpectedIdToken,
  now: Date,
): Promise<void> {
  const payload = await verifiedPayload(async () => {
    const options: JWTVerifyOptions = {
      issuer,
      audience: clientId,
      algorithms: OIDC_ALGORITHMS,
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: now,
      maxTokenAge: maxAgeSeconds,
      requiredClaims: ['sub', 'exp', 'iat', 'nonce'],
    }
    return (await jwtVerify(token, (header, jws) => jwks(header, jws, now), options)).payload
  })
  const parsed = claimsSchema.safeParse(payload)
  if (!parsed.success) throw refused(`malformed claim ${String(parsed.error.issues[0]?.path[0])} of the ID token`)
  const { aud, azp, nonce: given } = parsed.data
  if (azp === undefined ? typeof aud !== 'string' && aud.length > 1 : azp !== clientId)
    throw refused('the ID token was issued to another client')
  if (!equalConstantTime(utf8(given), utf8(nonce))) throw refused('the ID token is of another sign-in')
}

/** The library's errors contain the payload, so they never become a `cause`. */
async function verifiedPayload(verify: () => Promise<JWTPayload>): Promise<JWTPayload> {
  try {
    return await verify()
  } catch (error) {
    if (error instanceof AppError) throw error
    throw refused(error instanceof errors.JOSEError ? `ID token: ${error.code}` : 'the ID token is malformed')
  }
}
