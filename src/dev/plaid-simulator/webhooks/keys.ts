// The keys that webhooks are signed with, and the signing. Nothing here decides when or whether to send.

import type { KeyObject } from 'node:crypto'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'

/** What /webhook_verification_key/get answers: a P-256 public key as a JWK, with its life in Unix seconds. */
export interface PublicKeyView {
  alg: 'ES256'
  created_at: number
  crv: 'P-256'
  expired_at: number | null
  kid: string
  kty: 'EC'
  use: 'sig'
  x: string
  y: string
}

interface SigningKey {
  view: PublicKeyView
  privateKey: KeyObject
}

/** Ways of breaking a signature, so that a receiver can be tried. */
export const tamperings = [
  'body',
  'signature',
  'missing',
  'alg_none',
  'alg_hs256',
  'alg_rs256',
  'kid_unknown',
  'iat_old',
  'iat_future',
  'hash',
  'junk',
] as const
export type Tampering = (typeof tamperings)[number]

/** Members that Plaid may add one day; receivers ignore those that they do not know. */
export interface Extras {
  header: Readonly<Record<string, unknown>>
  claims: Readonly<Record<string, unknown>>
  key: Readonly<Record<string, unknown>>
}

export interface SigningKeys {
  readonly extras: Extras
  byId(kid: string): (PublicKeyView & Extras['key']) | null
  /** Signs with a new key from now on; the old one stays valid. */
  rotate(): void
  /** Marks the newest key but `skip` as expired now; it goes on signing until it is rotated out. */
  expire(skip?: number): void
  /** The body to send and its header; they do not fit each other when tampered with. */
  signed(body: string, nowMs: number, tampering: Tampering | null): { body: string; jwt: string | null }
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

/** Plaid's webhook JWT: header alg, kid, typ; claims iat and the body's SHA-256 (docs, webhook verification); and the extras. */
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
