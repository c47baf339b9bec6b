// The keys that sign webhooks, and the signing. Other modules decide when to send.
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Extras, PublicKeyView, SigningKeys, Tampering } from '../state/webhooks.ts'

interface SigningKey {
  view: PublicKeyView
  privateKey: KeyObject
}

export function signingKeys(newKid: () => string): SigningKeys {
  const keys: [SigningKey, ...SigningKey[]] = [newKey(newKid())]
  const extras: Extras = { header: {}, claims: {}, key: {} }
  return {
    extras,
    byId(kid) {
      const known = keys.find(({ view }) => view.kid === kid)
      return known === undefined ? null : { ...known.view, ...extras.key }
    },
    rotate: () => void keys.unshift(newKey(newKid())),
    expire(skip = 0) {
      const key = keys[skip]
      if (key !== undefined) key.view.expired_at = Math.floor(Date.now() / 1000)
    },
    signed: (body, nowMs, tampering) =>
      signedBy({ key: keys[0], extras, body, nowSeconds: Math.floor(nowMs / 1000), tampering }),
  }
}

function newKey(kid: string): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x, y } = publicKey.export({ format: 'jwk' })
  if (x === undefined || y === undefined) throw new Error('a P-256 public key without coordinates')
  const created_at = Math.floor(Date.now() / 1000)
  return {
    privateKey,
    view: { alg: 'ES256', created_at, crv: 'P-256', expired_at: null, kid, kty: 'EC', use: 'sig', x, y },
  }
}

interface Signing {
  key: SigningKey
  extras: Extras
  body: string
  nowSeconds: number
  tampering: Tampering | null
}

/**
 * Plaid's webhook JWT: header alg, kid, typ; claims iat and the body's SHA-256 (docs, webhook verification); and the
 * extras.
 */
function signedBy({ key: { view, privateKey }, extras, body, nowSeconds, tampering }: Signing) {
  if (tampering === 'missing') return { body, jwt: null }
  if (tampering === 'junk') return { body, jwt: 'not.a.token' }
  const header = {
    alg: algorithm(tampering),
    kid: tampering === 'kid_unknown' ? unknownKid(view.kid) : view.kid,
    typ: 'JWT',
    ...extras.header,
  }
  const claims = {
    iat: nowSeconds + ageOf(tampering),
    request_body_sha256: hashOf(tampering === 'hash' ? `${body} ` : body),
    ...extras.claims,
  }
  const input = `${encoded(header)}.${encoded(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  if (tampering === 'signature') signature[0] = (signature[0] ?? 0) ^ 1
  const jwt = `${input}.${tampering === 'alg_none' ? '' : signature.toString('base64url')}`
  return { body: tampering === 'body' ? `${body} ` : body, jwt }
}

function algorithm(tampering: Tampering | null): string {
  if (tampering === 'alg_none') return 'none'
  if (tampering === 'alg_hs256') return 'HS256'
  return tampering === 'alg_rs256' ? 'RS256' : 'ES256'
}

function ageOf(tampering: Tampering | null): number {
  if (tampering === 'iat_old') return -600
  return tampering === 'iat_future' ? 600 : 0
}

function unknownKid(kid: string): string {
  return kid.replace(/^./, (first) => (first === '0' ? '1' : '0'))
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
