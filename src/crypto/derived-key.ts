// Derives keys from SECRET_KEY, one per purpose: a MAC of one purpose is invalid for another.
import { type Bytes, lengthPrefixed, utf8 } from './encoding.ts'

/** A MAC of 32 bytes over these fields. */
export type Authenticator = (fields: readonly (string | Uint8Array)[]) => Promise<Bytes>

/** HKDF-SHA-256 (RFC 5869) of the secret to a key for HMAC-SHA-256. */
async function derive(secret: Uint8Array, purpose: string): Promise<CryptoKey> {
  const master = await crypto.subtle.importKey('raw', new Uint8Array(secret), 'HKDF', false, ['deriveKey'])
  const info = utf8(`wealthnavigator-edge/${purpose}`)
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }
  const hmac = { name: 'HMAC', hash: 'SHA-256', length: 256 }
  return await crypto.subtle.deriveKey(parameters, master, hmac, false, ['sign'])
}

/** A function that derives its key at the first call and keeps it. */
export function authenticatorFor(secret: Uint8Array, purpose: string): Authenticator {
  let key: CryptoKey | null = null
  return async (fields) => {
    key ??= await derive(secret, purpose)
    return new Uint8Array(await crypto.subtle.sign('HMAC', key, lengthPrefixed(fields)))
  }
}

/** A single MAC. */
export async function authenticate(
  secret: Uint8Array,
  purpose: string,
  fields: readonly (string | Uint8Array)[],
): Promise<Bytes> {
  return await authenticatorFor(secret, purpose)(fields)
}
