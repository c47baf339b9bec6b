// Refresh tokens: opaque text of a selector, which names the session, and a verifier of 256 bits, which is new after
// every use. Only hashes of both are stored. A token's successor follows from it by SECRET_KEY alone, so that two
// requests with the same token get the same one.
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
  /** For the client; nowhere else. */
  readonly text: string
}

const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length))

async function toRefreshToken(selector: Bytes, verifier: Bytes): Promise<RefreshToken> {
  const [selectorHash, verifierHash] = await Promise.all([sha256(selector), sha256(verifier)])
  return { text: encodeBase64Url(concat(selector, verifier)), selectorHash, verifierHash }
}

/** Selector and verifier; null for text that is no token. */
function bytesOf(text: string): Bytes | null {
  const bytes = decodeBase64Url(text)
  return bytes?.length === selectorBytes + verifierBytes ? bytes : null
}

/** A new session's first token. */
export async function newRefreshToken(): Promise<RefreshToken> {
  return await toRefreshToken(random(selectorBytes), random(verifierBytes))
}

/** The hashes of a token as a client brought it; null for what can be none. */
export async function readRefreshToken(text: string): Promise<RefreshToken | null> {
  const bytes = bytesOf(text)
  return bytes === null ? null : await toRefreshToken(bytes.slice(0, selectorBytes), bytes.slice(selectorBytes))
}

/** The token that follows a well-formed one; null for another. */
export async function nextRefreshToken(secret: Uint8Array, text: string): Promise<RefreshToken | null> {
  const bytes = bytesOf(text)
  if (bytes === null) return null
  return await toRefreshToken(bytes.slice(0, selectorBytes), await authenticate(secret, 'next-refresh-token', [bytes]))
}
