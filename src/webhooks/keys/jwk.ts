// Imports Plaid's JWK as a public key.
import * as z from 'zod'
import { AppError } from '../../errors.ts'

export interface PublicKey {
  readonly publicKey: CryptoKey
  readonly expiresAtMs: number | null
}

/** Ignores other members. `alg` and `use` may be absent (RFC 7517 §4). */
const plaidKey = z.object({
  alg: z.literal('ES256').optional(),
  crv: z.literal('P-256'),
  kid: z.string(),
  kty: z.literal('EC'),
  use: z.literal('sig').optional(),
  x: z.string().length(43),
  y: z.string().length(43),
  /** Seconds since 1970; text if the response was parsed with exact numbers. */
  expired_at: z
    .union([
      z.number(),
      z
        .string()
        .regex(/^\d{1,15}(?:\.\d{1,9})?$/)
        .transform(Number),
    ])
    .nullish(),
})

/** @throws AppError `plaid_rejected` if the JWK is malformed or has another kid */
export async function readPublicKey(kid: string, jwk: unknown): Promise<PublicKey> {
  const parsed = plaidKey.safeParse(jwk)
  if (!parsed.success || parsed.data.kid !== kid) {
    throw new AppError('plaid_rejected', 'Plaid’s key endpoint returned no such key.', {
      reason: 'malformed or foreign JWK',
    })
  }
  const { kty, crv, x, y, expired_at: expiredAt } = parsed.data
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const publicKey = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, algorithm, false, ['verify'])
  return { publicKey, expiresAtMs: typeof expiredAt === 'number' ? expiredAt * 1000 : null }
}
