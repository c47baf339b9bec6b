// Keys for one purpose each, derived from SECRET_KEY: what is signed for one purpose means nothing for another.
import { type Bytes, lengthPrefixed, utf8 } from '../crypto/encoding.ts'

/** HKDF-SHA-256 (RFC 5869) of the secret to a key for HMAC-SHA-256. */
async function derive(secret: Uint8Array, purpose: string): Promise<CryptoKey> {
  const master = await crypto.subtle.importKey('raw', new Uint8Array(secret), 'HKDF', false, ['deriveKey'])
  const info = utf8(`wealthnavigator-edge/${purpose}`)
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }
  const hmac = { name: 'HMAC', hash: 'SHA-256', length: 256 }
  return await crypto.subtle.deriveKey(parameters, master, hmac, false, ['sign'])
}

/** 32 bytes that only holders of the secret can compute from these fields. */
export async function authenticate(
  secret: Uint8Array,
  purpose: string,
  fields: readonly (string | Uint8Array)[],
): Promise<Bytes> {
  const key = await derive(secret, purpose)
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, lengthPrefixed(fields)))
}
