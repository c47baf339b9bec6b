// Verifies that a webhook came from Plaid or from the operator's relay. Pure checks of the received bytes at a given
// time; parses no body before it is verified.

import type { KeyResult } from './keys/cache.ts'
import { AppError, assertNever } from '../errors.ts'
import { sha256 } from '../crypto/digest.ts'
import { equalConstantTime } from '../crypto/constant-time.ts'
import {
  type Bytes,
  decodeBase64Url,
  decodeHex,
  encodeBase64Url,
  fromUtf8,
  lengthPrefixed,
  utf8,
} from '../crypto/encoding.ts'

/** Plaid's maximum age of a signature; also the maximum that its time may be ahead. */
const maxAgeSeconds = 300
const maxBodyBytes = 1_048_576
const maxHeaderLength = 4096
/** R and S of P-256, 32 bytes each (RFC 7518 §3.4). */
const signatureLength = 64

export const refusalReasons = [
  'missing_header',
  'two_headers',
  'header_too_large',
  'body_too_large',
  'malformed_jwt',
  'wrong_alg',
  'wrong_typ',
  'malformed_kid',
  'unknown_kid',
  'expired_key',
  'key_unavailable',
  'bad_signature',
  'malformed_claims',
  'too_old',
  'from_future',
  'body_mismatch',
  'hmac_disabled',
  'hmac_malformed',
  'hmac_bad_signature',
] as const
export type RefusalReason = (typeof refusalReasons)[number]

/** The public key of a kid, at that time. Must not throw for a kid that does not exist. */
export type FindKey = (kid: string, now: Date) => Promise<KeyResult>

export interface WebhookRequest {
  /** `Plaid-Verification`, or null. */
  readonly plaidVerification: string | null
  /** `X-Webhook-Signature`, or null. */
  readonly webhookSignature: string | null
  /** The received bytes. */
  readonly body: Uint8Array
}

export interface VerifyOptions {
  readonly findKey: FindKey
  /** Secrets that the operator's relay may sign with, as UTF-8; without one, its webhooks are refused. */
  readonly hmacSecrets: readonly string[]
  readonly now: Date
}

export type Verdict =
  | {
      readonly ok: true
      readonly scheme: 'jwt' | 'hmac'
      /** Time of the signature, in seconds since 1970. */
      readonly signedAt: number
      /** Equal for copies of one signed delivery, different for each new signature. Stored in a unique index. */
      readonly replayKey: string
    }
  | { readonly ok: false; readonly reason: RefusalReason }

type Refused = Extract<Verdict, { ok: false }>

function refuse(reason: RefusalReason): Refused {
  return { ok: false, reason }
}

/** Verifies one delivery. The JSON of a verified body is still unchecked. */
export async function verifyWebhook(request: WebhookRequest, options: VerifyOptions): Promise<Verdict> {
  const { plaidVerification: jwt, webhookSignature: hmac, body } = request
  if (body.length > maxBodyBytes) return refuse('body_too_large')
  if (jwt !== null && hmac !== null) return refuse('two_headers')
  if ((jwt ?? hmac ?? '').length > maxHeaderLength) return refuse('header_too_large')
  const bytes = new Uint8Array(body)
  if (jwt !== null) return await verifyJwt(jwt, bytes, options)
  if (hmac === null) return refuse('missing_header')
  return options.hmacSecrets.length === 0
    ? refuse('hmac_disabled')
    : await verifyHmac(hmac, bytes, options.hmacSecrets, options.now)
}

/** Plaid's JWT (ES256, RFC 7515 compact form) over the SHA-256 of the body. */
async function verifyJwt(jwt: string, body: Bytes, { findKey, now }: VerifyOptions): Promise<Verdict> {
  const parts = jwt.split('.')
  const [header = '', payload = '', signature = ''] = parts
  const kid = parts.length === 3 ? readKid(header) : refuse('malformed_jwt')
  if (typeof kid !== 'string') return kid

  const key = await findKey(kid, now)
  if (key.status !== 'found') return refuse(keyRefusal(key.status))

  const signatureBytes = decodeBase64Url(signature)
  if (signatureBytes?.length !== signatureLength) return refuse('bad_signature')
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const signed = utf8(`${header}.${payload}`)
  const isSigned = await crypto.subtle.verify(algorithm, key.publicKey, signatureBytes, signed)
  if (!isSigned) return refuse('bad_signature')

  const claims = readClaims(payload)
  if (claims === null) return refuse('malformed_claims')
  const staleness = checkAge(claims.iat, now)
  if (staleness !== null) return refuse(staleness)
  const bodyHash = await sha256(body)
  if (!equalConstantTime(bodyHash, claims.bodyHash)) return refuse('body_mismatch')

  // Only R: from (R, S) anyone can derive the equally valid (R, n − S), which must count as the same delivery.
  const nonce = signatureBytes.slice(0, signatureLength / 2)
  const replayKey = await hashReplay(['jwt', kid, String(claims.iat), bodyHash, nonce])
  return { ok: true, scheme: 'jwt', signedAt: claims.iat, replayKey }
}

function keyRefusal(status: 'unknown' | 'expired' | 'unavailable'): RefusalReason {
  switch (status) {
    case 'unknown':
      return 'unknown_kid'
    case 'expired':
      return 'expired_key'
    case 'unavailable':
      return 'key_unavailable'
    default:
      return assertNever(status)
  }
}

/**
 * Header members that would change what is verified, or with which key: a signature with one of them is refused. Every
 * other unknown member is ignored (RFC 7515 §4).
 */
const refusedMembers = ['crit', 'jwk', 'jku', 'x5u', 'x5c']

/** The kid of an ES256 header. */
function readKid(encoded: string): string | Refused {
  const header = decodeMembers(encoded)
  if (header === null) return refuse('malformed_jwt')
  if (header.has('alg') && header.get('alg') !== 'ES256') return refuse('wrong_alg')
  const kid = header.get('kid')
  if (!header.has('alg') || !header.has('typ') || kid === undefined) return refuse('malformed_jwt')
  if (refusedMembers.some((name) => header.has(name))) return refuse('malformed_jwt')
  if (header.get('typ') !== 'JWT') return refuse('wrong_typ')
  return typeof kid === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(kid) ? kid : refuse('malformed_kid')
}

interface Claims {
  readonly iat: number
  readonly bodyHash: Bytes
}

/** The two claims of a webhook; others are ignored (RFC 7519 §4). */
function readClaims(encoded: string): Claims | null {
  const claims = decodeMembers(encoded)
  const iat = claims?.get('iat')
  const hash = claims?.get('request_body_sha256')
  if (typeof iat !== 'number' || !Number.isSafeInteger(iat) || iat < 0 || typeof hash !== 'string') return null
  const bodyHash = decodeHex(hash)
  return bodyHash?.length === 32 ? { iat, bodyHash } : null
}

/**
 * Members of a base64url-encoded JSON object. Null for anything else, for an escape in a name, and for a repeated name,
 * which `JSON.parse` would accept.
 */
function decodeMembers(encoded: string): ReadonlyMap<string, unknown> | null {
  const bytes = decodeBase64Url(encoded)
  const text = bytes === null ? null : fromUtf8(bytes)
  const value = text === null ? null : parseOrNull(text)
  if (text === null || typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const names = topLevelNames(text)
  const distinct = new Set(names)
  if (distinct.size !== names.length || names.some((name) => name.includes('\\'))) return null
  return new Map<string, unknown>(Object.entries(value))
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** A string with the colon that makes it a name, or a bracket. */
const nameOrBracket = /"((?:[^"\\]|\\.)*)"(\s*:)?|[[\]{}]/gsu

/** The names of an object's own members as they are written, repeated ones too. `text` must be valid JSON. */
function topLevelNames(text: string): string[] {
  const names: string[] = []
  let depth = 0
  for (const [token, name, colon] of text.matchAll(nameOrBracket)) {
    if (token === '{' || token === '[') depth += 1
    else if (token === '}' || token === ']') depth -= 1
    else if (depth === 1 && name !== undefined && colon !== undefined) names.push(name)
  }
  return names
}

async function isSignedWith(secret: string, signed: Bytes, given: Bytes): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', utf8(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return equalConstantTime(new Uint8Array(await crypto.subtle.sign('HMAC', key, signed)), given)
}

/** The operator's relay: HMAC-SHA-256 over `<t>.<body>`, with any of the secrets. */
async function verifyHmac(header: string, body: Bytes, secrets: readonly string[], now: Date): Promise<Verdict> {
  const match = /^t=(0|[1-9]\d{0,11}),v1=([0-9a-f]{64})$/.exec(header)
  const [, seconds = '', hex = ''] = match ?? []
  const given = decodeHex(hex)
  if (match === null || given === null) return refuse('hmac_malformed')
  const prefix = utf8(`${seconds}.`)
  const signed = new Uint8Array(prefix.length + body.length)
  signed.set(prefix)
  signed.set(body, prefix.length)
  const matches = await Promise.all(secrets.map((secret) => isSignedWith(secret, signed, given)))
  if (!matches.includes(true)) return refuse('hmac_bad_signature')
  const signedAt = Number(seconds)
  const staleness = checkAge(signedAt, now)
  if (staleness !== null) return refuse(staleness)
  const replayKey = await hashReplay(['hmac', seconds, await sha256(body)])
  return { ok: true, scheme: 'hmac', signedAt, replayKey }
}

function checkAge(signedAt: number, now: Date): 'too_old' | 'from_future' | null {
  const age = now.getTime() / 1000 - signedAt
  if (age > maxAgeSeconds) return 'too_old'
  return age < -maxAgeSeconds ? 'from_future' : null
}

async function hashReplay(fields: readonly (string | Bytes)[]): Promise<string> {
  return encodeBase64Url(await sha256(lengthPrefixed(fields)))
}

/**
 * The response to a refused webhook: the same 401 for every reason, so that it reveals nothing, or 503 if Plaid should
 * send again. The reason is for the log only.
 */
export function refusalError(reason: RefusalReason): AppError {
  return reason === 'key_unavailable'
    ? new AppError('webhook_unverified', 'The webhook cannot be verified at the moment.', {
        reason,
        retryAfterSeconds: 30,
      })
    : new AppError('webhook_refused', 'The webhook was refused.', { reason })
}
