// Signatures of Standard Webhooks (standardwebhooks.com), version 1 with a shared secret.
import { type Bytes, decodeBase64, encodeBase64, utf8 } from './encoding.ts'

const prefix = 'whsec_'

/** The bytes of a secret of Standard Webhooks; null if it is none: 24 to 64 bytes. */
export function decodeWebhookSecret(secret: string): Bytes | null {
  if (!secret.startsWith(prefix)) return null
  const bytes = decodeBase64(secret.slice(prefix.length))
  return bytes !== null && bytes.length >= 24 && bytes.length <= 64 ? bytes : null
}

/** `v1,` and the base64 of HMAC-SHA-256 over `id.timestamp.body`. */
export async function signWebhook(secret: string, id: string, seconds: number, body: string): Promise<string> {
  const bytes = decodeWebhookSecret(secret)
  if (bytes === null) throw new TypeError('the secret is not one of Standard Webhooks')
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return `v1,${encodeBase64(new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(`${id}.${seconds}.${body}`))))}`
}
