// Refresh tokens: opaque text of a selector, which names the session, and a verifier of 256 bits, which is new after
// every use. Only hashes of both are stored.
import { type Bytes, concat, decodeBase64Url, encodeBase64Url } from '../crypto/encoding.ts'

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

const sha256 = async (bytes: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length))

async function tokenOf(selector: Bytes, verifier: Bytes): Promise<RefreshToken> {
  const [selectorHash, verifierHash] = await Promise.all([sha256(selector), sha256(verifier)])
  return { text: encodeBase64Url(concat(selector, verifier)), selectorHash, verifierHash }
}

/** A new session's first token. */
export async function newRefreshToken(): Promise<RefreshToken> {
  return await tokenOf(random(selectorBytes), random(verifierBytes))
}

/** A token as a client brought it, and the one that would follow it; null for what can be none. */
export async function readRefreshToken(text: string): Promise<{ given: RefreshToken; next: RefreshToken } | null> {
  const bytes = decodeBase64Url(text)
  if (bytes?.length !== selectorBytes + verifierBytes) return null
  const selector = bytes.slice(0, selectorBytes)
  const [given, next] = await Promise.all([
    tokenOf(selector, bytes.slice(selectorBytes)),
    tokenOf(selector, random(verifierBytes)),
  ])
  return { given, next }
}
