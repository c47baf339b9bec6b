// Verifies events by Standard Webhooks (standardwebhooks.com) with Web Crypto.
import type { WebhookEvent } from './schema.ts'

/** The event is not from the deployment, was changed, or is too old or too new. Respond with 400 and do nothing. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError'
}

/** `Headers`, or the headers of Node as an object with lower-case names. */
export type EventHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

export interface VerifyOptions {
  /** The secret of the endpoint, `whsec_…`; while it is rotated, the old one and the new one. */
  readonly secret: string | readonly string[]
  readonly headers: EventHeaders
  /** The body as it arrived: parsing and writing it again changes it. */
  readonly body: string | Uint8Array
  /** How far the time of the event may be from now; 300 by default. */
  readonly toleranceSeconds?: number | undefined
  readonly now?: Date | undefined
}

/** More are not tried, so that a long header costs nothing. */
const mostSignatures = 10
const prefix = 'whsec_'
const defaultToleranceSeconds = 300

function headerOf(headers: EventHeaders, name: string): string {
  const get = (headers as { get?: unknown }).get
  const value =
    typeof get === 'function' ? (headers as Headers).get(name) : (headers as Exclude<EventHeaders, Headers>)[name]
  if (typeof value !== 'string' || value === '') throw new SignatureError(`The event has no ${name}.`)
  return value
}

/** Null if it is not base64. */
function decode(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  } catch {
    return null
  }
}

async function importHmacKey(secret: string): Promise<CryptoKey> {
  const bytes = decode(secret.startsWith(prefix) ? secret.slice(prefix.length) : secret)
  if (bytes === null || bytes.length < 24) throw new TypeError('The secret of the endpoint must be whsec_ and base64.')
  return await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
}

function signedBytes(id: string, timestamp: string, body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder()
  const head = encoder.encode(`${id}.${timestamp}.`)
  const content = typeof body === 'string' ? encoder.encode(body) : body
  const bytes = new Uint8Array(head.length + content.length)
  bytes.set(head)
  bytes.set(content, head.length)
  return bytes
}

function checkTime(
  timestamp: string,
  { toleranceSeconds = defaultToleranceSeconds, now = new Date() }: VerifyOptions,
): void {
  const isTime = /^\d{1,12}$/.test(timestamp)
  if (!isTime || Math.abs(now.getTime() / 1000 - Number(timestamp)) > toleranceSeconds)
    throw new SignatureError('The time of the event is too far from now.')
}

/** Trusted because it is signed. */
const parse = (body: string | Uint8Array): WebhookEvent =>
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the deployment's own description has these types
  JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body)) as WebhookEvent

/**
 * Verifies an event and returns its body, parsed. Its `type` determines what `data` has; a newer deployment may send types that
 * this version does not know. Deliveries are repeated until they are answered with 2xx: `webhook-id` is the same each time.
 * @throws SignatureError if it is not genuine; TypeError if a secret is not one
 */
export async function verify(options: VerifyOptions): Promise<WebhookEvent> {
  const id = headerOf(options.headers, 'webhook-id')
  const timestamp = headerOf(options.headers, 'webhook-timestamp')
  const signatures = headerOf(options.headers, 'webhook-signature').split(' ').slice(0, mostSignatures)
  checkTime(timestamp, options)
  const content = signedBytes(id, timestamp, options.body)
  const secrets = typeof options.secret === 'string' ? [options.secret] : options.secret
  for (const secret of secrets) {
    const key = await importHmacKey(secret)
    for (const signature of signatures) {
      const bytes = signature.startsWith('v1,') ? decode(signature.slice(3)) : null
      // Compares in constant time, as Web Crypto does.
      if (bytes !== null && (await crypto.subtle.verify('HMAC', key, bytes, content))) return parse(options.body)
    }
  }
  throw new SignatureError('No signature of the event is valid.')
}
