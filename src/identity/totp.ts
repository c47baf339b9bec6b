// Time-based one-time passwords (RFC 6238 over RFC 4226) with otpauth: SHA-1, six digits, 30 seconds, which every
// authenticator supports. Pure: the database refuses a step that was used before.
import { HOTP, TOTP } from 'otpauth/slim'
import type { Bytes } from '../crypto/encoding.ts'
import { toOtpSecret } from './codes.ts'

const algorithm = 'SHA1'
const period = 30
const digits = 6
/** 160 bits, as RFC 4226 §4 recommends. */
const secretBytes = 20
/** Accepted steps before and after the current one: clocks differ, and typing takes time (RFC 6238 §5.2). */
const window = 1

const issuer = 'WealthNavigator Edge'

export function newTotpSecret(): Bytes {
  return crypto.getRandomValues(new Uint8Array(secretBytes))
}

export const stepAt = (now: Date): number => TOTP.counter({ period, timestamp: now.getTime() })

/** The code of one step (RFC 4226 §5.3). */
export function totpCode(secret: Bytes, step: number): string {
  return HOTP.generate({ secret: toOtpSecret(secret), algorithm, digits, counter: step })
}

/** The accepted step of the code; null if there is none. */
export function matchingStep(secret: Bytes, code: string, now: Date): number | null {
  const counter = stepAt(now)
  const distance = HOTP.validate({ token: code, secret: toOtpSecret(secret), algorithm, digits, counter, window })
  return distance === null ? null : counter + distance
}

/** The secret for manual entry, and the URI that authenticators read from a QR code. */
export function describeTotp(secret: Bytes, email: string): { secret: string; uri: string } {
  const key = toOtpSecret(secret)
  const totp = new TOTP({ issuer, label: email, secret: key, algorithm, digits, period })
  return { secret: key.base32, uri: totp.toString() }
}
