// Signs valid webhooks like Plaid's, and invalid ones, for the tests of the verifier.

import { createHash, createHmac } from 'node:crypto'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

export const kid = '6c5516e1-92dc-479e-a8ff-5a51992e0001'
export const now = new Date('2026-11-21T12:00:00Z')
export const nowSeconds = now.getTime() / 1000
export const body = Buffer.from('{\n  "webhook_type": "TRANSACTIONS"\n}')

export const keyPair = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
export const otherKeyPair = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

/** The key endpoint's JWK of a key. */
export async function publishKey(id = kid, members: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const { x, y } = await crypto.subtle.exportKey('jwk', keyPair.publicKey)
  const times = { created_at: nowSeconds - 86_400, expired_at: null }
  return { alg: 'ES256', crv: 'P-256', kid: id, kty: 'EC', use: 'sig', x, y, ...times, ...members }
}

export const encode = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')
export const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export interface JwtParts {
  header?: string
  claims?: string
  signWith?: CryptoKey
}

export const plainHeader = JSON.stringify({ alg: 'ES256', kid, typ: 'JWT' })
export const claimsOf = (bytes: Uint8Array, iat: number = nowSeconds): string =>
  JSON.stringify({ iat, request_body_sha256: sha256Hex(bytes) })

/** A compact JWT from a header and claims that are given as JSON text. */
export async function signJwt({ header, claims, signWith }: JwtParts = {}): Promise<string> {
  const signed = `${encode(header ?? plainHeader)}.${encode(claims ?? claimsOf(body))}`
  const signature = await crypto.subtle.sign(algorithm, signWith ?? keyPair.privateKey, Buffer.from(signed))
  return `${signed}.${encode(new Uint8Array(signature))}`
}

export function signHmac(secret: string, bytes: Uint8Array, seconds: number | string = nowSeconds): string {
  const mac = createHmac('sha256', secret).update(`${seconds}.`).update(bytes).digest('hex')
  return `t=${seconds},v1=${mac}`
}
