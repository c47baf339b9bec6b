// Certificates of erasures: a JWS (RFC 7515) with Ed25519, which anyone can verify without a secret. The key is derived
// from SECRET_KEY; the certificate has its public half and its id, so that it can be verified after SECRET_KEY has changed.
import { CompactSign, compactVerify, EmbeddedJWK } from 'jose'
import * as z from 'zod'
import { authenticate } from '../crypto/derived-key.ts'
import { sha256 } from '../crypto/digest.ts'
import { type Bytes, concat, decodeHex, encodeHex, fromUtf8, utf8 } from '../crypto/encoding.ts'

const type = 'erasure-certificate'
const algorithm = 'EdDSA'

/** What a certificate says. */
export const certificateSchema = z.object({
  format: z.literal('wealthnavigator-erasure'),
  format_version: z.literal(1),
  id: z.string(),
  subject_hash: z.string(),
  requested_at: z.string(),
  completed_at: z.string(),
  deleted: z.record(z.string(), z.number()),
  plaid: z.object({ items: z.string(), user: z.string() }),
  kept: z.array(z.object({ what: z.string(), why: z.string() })),
})
export type Certificate = z.output<typeof certificateSchema>

/** PKCS #8 of an Ed25519 key without its 32 bytes (RFC 8410, section 7). */
const keyPrefix = '302e020100300506032b657004220420'

const jwkSchema = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() })
type PublicKey = z.output<typeof jwkSchema>

interface SigningKey {
  readonly privateKey: CryptoKey
  readonly publicKey: PublicKey
  readonly id: string
}

/** The id of a public key: the beginning of the SHA-256 of its bytes. */
const idOf = async ({ x }: PublicKey): Promise<string> => encodeHex(await sha256(utf8(`ed25519 ${x}`))).slice(0, 16)

async function deriveSigningKey(secret: Uint8Array): Promise<SigningKey> {
  const seed = await authenticate(secret, 'erasure-certificate', ['ed25519 seed'])
  const prefix = decodeHex(keyPrefix)
  if (prefix === null) throw new TypeError('the prefix is not hexadecimal')
  const pkcs8: Bytes = concat(prefix, seed)
  const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, true, ['sign'])
  const publicKey = jwkSchema.parse(await crypto.subtle.exportKey('jwk', privateKey))
  return { privateKey, publicKey, id: await idOf(publicKey) }
}

/** The id of the key that a deployment with this SECRET_KEY signs with. */
export const keyIdOf = async (secret: Uint8Array): Promise<string> => (await deriveSigningKey(secret)).id

/** @param secret `SECRET_KEY` */
export async function signCertificate(secret: Uint8Array, certificate: Certificate): Promise<string> {
  const { privateKey, publicKey, id } = await deriveSigningKey(secret)
  return await new CompactSign(utf8(JSON.stringify(certificate)))
    .setProtectedHeader({ alg: algorithm, typ: type, kid: id, jwk: publicKey })
    .sign(privateKey)
}

/**
 * The certificate and the id of the key that signed it. The caller must know whose key that is: anyone can sign with a key
 * that belongs to them.
 * @throws Error when the signature, the key or the format is wrong
 */
export async function verifyCertificate(text: string): Promise<{ certificate: Certificate; keyId: string }> {
  const { payload, protectedHeader } = await compactVerify(text, EmbeddedJWK, { algorithms: [algorithm] })
  const keyId = await idOf(jwkSchema.parse(protectedHeader.jwk))
  if (protectedHeader.typ !== type || protectedHeader.kid !== keyId) throw new Error('The file is no certificate.')
  return { certificate: certificateSchema.parse(JSON.parse(fromUtf8(payload) ?? '')), keyId }
}
