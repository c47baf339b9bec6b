// Refresh tokens: a selector, which identifies the session, and a verifier of 256 bits, which changes with every use.
// Only hashes of both are stored. The successor is derived from the token with SECRET_KEY, so that concurrent requests
// get the same one.
import { sha256 } from '../crypto/digest.ts'
import { type Bytes, concat, decodeBase64Url, encodeBase64Url } from '../crypto/encoding.ts'
import { authenticate } from '../crypto/derived-key.ts'

const selectorBytes = 16
const verifierBytes = 32

export interface RefreshTokenHashes {
  readonly selectorHash: Bytes
  readonly verifierHash: Bytes
}

export interface RefreshToken extends RefreshTokenHashes {
  /** For the client only. */
  readonly text: string
}

const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length))

async function toRefreshToken(selector: Bytes, verifier: Bytes): Promise<RefreshToken> {
  const [selectorHash, verifierHash] = await Promise.all([sha256(selector), sha256(verifier)])
  return { text: encodeBase64Url(concat(selector, verifier)), selectorHash, verifierHash }
}

/** Selector and verifier; null for malformed text. */
function bytesOf(text: string): Bytes | null {
  const bytes = decodeBase64Url(text)
  return bytes?.length === selectorBytes + verifierBytes ? bytes : null
}

/** A new session's first token. */
export async function newRefreshToken(): Promise<RefreshToken> {
  return await toRefreshToken(random(selectorBytes), random(verifierBytes))
}

/** The hashes of a client's token; null for malformed text. */
export async function readRefreshToken(text: string): Promise<RefreshToken | null> {
  const bytes = bytesOf(text)
  return bytes === null ? null : await toRefreshToken(bytes.slice(0, selectorBytes), bytes.slice(selectorBytes))
}

/** The successor of a token; null for malformed text. */
export async function nextRefreshToken(secret: Uint8Array, text: string): Promise<RefreshToken | null> {
  const bytes = bytesOf(text)
  if (bytes === null) return null
  return await toRefreshToken(bytes.slice(0, selectorBytes), await authenticate(secret, 'next-refresh-token', [bytes]))
}
