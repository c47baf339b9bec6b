// One-time codes in e-mails and on paper: random, in base32 (RFC 4648 §6), in groups of four. Only hashes are stored.
import { Secret } from 'otpauth/slim'
import { sha256 } from '../crypto/digest.ts'
import { type Bytes, lengthPrefixed } from '../crypto/encoding.ts'

/** A secret of the otpauth library. A copy, because the library reads the whole buffer behind a view. */
export const toOtpSecret = (bytes: Uint8Array): Secret => new Secret({ buffer: Uint8Array.from(bytes).buffer })

/** Base32 without padding. */
export const encodeBase32 = (bytes: Uint8Array): string => toOtpSecret(bytes).base32

/**
 * A code is valid for one purpose. A fast hash suffices from 112 bits (ASVS 5.0, 6.5.2).
 */
const randomBytesOf = { 'verify-email': 20, 'reset-password': 20, recovery: 15 } as const
export type CodePurpose = keyof typeof randomBytesOf

export interface Code {
  /** For the user; must only go into an e-mail or a response. */
  readonly text: string
  readonly hash: Bytes
}

const hashOf = (purpose: CodePurpose, plain: string): Promise<Bytes> => sha256(lengthPrefixed([purpose, plain]))

/** A new code of 160 bits (e-mail) or 120 bits (recovery). */
export async function newCode(purpose: CodePurpose): Promise<Code> {
  const plain = encodeBase32(crypto.getRandomValues(new Uint8Array(randomBytesOf[purpose])))
  return { text: (plain.match(/.{4}/g) ?? []).join('-'), hash: await hashOf(purpose, plain) }
}

/** The hash of a code as the user typed it, in any case and grouping; null for malformed text. */
export async function readCode(purpose: CodePurpose, text: string): Promise<Bytes | null> {
  const plain = text.replaceAll(/[\s-]/g, '')
  const length = (randomBytesOf[purpose] * 8) / 5
  // Before toUpperCase, which turns some letters of other alphabets into ASCII.
  const isCode = plain.length === length && /^[A-Za-z2-7]+$/.test(plain)
  return isCode ? await hashOf(purpose, plain.toUpperCase()) : null
}
