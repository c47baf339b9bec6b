// Time-based one-time passwords (RFC 6238 over RFC 4226): SHA-1, six digits, 30 seconds, as every authenticator reads
// them. Pure: whether a step was used before is the database's to say.
import { equalConstantTime } from '../crypto/constant-time.ts'
import { type Bytes, decodeHex, encodeHex, utf8 } from '../crypto/encoding.ts'
import { encodeBase32 } from './codes.ts'

const stepSeconds = 30
const digits = 6
/** 160 bits, as RFC 4226 §4 recommends. */
const secretBytes = 20
/** Steps before and after now that are taken for it: clocks differ, and typing takes time (RFC 6238 §5.2). */
const toleratedSteps = 1

const issuer = 'WealthNavigator Edge'

export function newTotpSecret(): Bytes {
  return crypto.getRandomValues(new Uint8Array(secretBytes))
}

export const stepAt = (now: Date): number => Math.floor(now.getTime() / 1000 / stepSeconds)

/** The code of one step (RFC 4226 §5.3). */
export async function totpCode(secret: Bytes, step: number): Promise<string> {
  const counter = new DataView(new ArrayBuffer(8))
  counter.setBigUint64(0, BigInt(step))
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])
  const mac = new DataView(await crypto.subtle.sign('HMAC', key, counter.buffer))
  const offset = mac.getUint8(mac.byteLength - 1) & 0xf
  const truncated = mac.getUint32(offset) & 0x7fff_ffff
  return String(truncated % 10 ** digits).padStart(digits, '0')
}

/** The step whose code this is, of those that are near enough to now; null when it is none's. Compares with each. */
export async function matchingStep(secret: Bytes, code: string, now: Date): Promise<number | null> {
  let found: number | null = null
  for (let step = stepAt(now) - toleratedSteps; step <= stepAt(now) + toleratedSteps; step += 1)
    if (equalConstantTime(utf8(await totpCode(secret, step)), utf8(code))) found = step
  return found
}

/** The secret as it is shown to be typed, and as the address that authenticators read from a QR code. */
export function describeTotp(secret: Bytes, email: string): { secret: string; uri: string } {
  const text = encodeBase32(secret)
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(email)}`
  const query = `secret=${text}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=${digits}&period=${stepSeconds}`
  return { secret: text, uri: `otpauth://totp/${label}?${query}` }
}

/** The secret as text, for sealing. */
export const writeSecret = encodeHex
export const readSecret = decodeHex
