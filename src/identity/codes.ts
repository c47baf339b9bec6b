// Codes that people carry: in mails and on paper. Random, in base32 (RFC 4648 §6) and groups of four; stored as hashes.
import { Secret } from 'otpauth/slim'
import { sha256 } from '../crypto/digest.ts'
import { type Bytes, lengthPrefixed } from '../crypto/encoding.ts'

/** Bytes as the library takes them: a copy, since it reads the whole buffer behind a view. */
export const toOtpSecret = (bytes: Uint8Array): Secret => new Secret({ buffer: Uint8Array.from(bytes).buffer })

/** Bytes as base32 without padding. */
export const encodeBase32 = (bytes: Uint8Array): string => toOtpSecret(bytes).base32

/**
 * What a code is for: one for another purpose does not fit. A fast hash is enough from 112 bits on (ASVS 5.0, 6.5.2).
 */
const randomBytesOf = { 'verify-email': 20, 'reset-password': 20, recovery: 15 } as const
export type CodePurpose = keyof typeof randomBytesOf

export interface Code {
  /** For the person; goes into a mail or an answer and nowhere else. */
  readonly text: string
  readonly hash: Bytes
}

const hashOf = (purpose: CodePurpose, plain: string): Promise<Bytes> => sha256(lengthPrefixed([purpose, plain]))

/** A new code of 160 bits (mails) or 120 bits (recovery). */
export async function newCode(purpose: CodePurpose): Promise<Code> {
  const plain = encodeBase32(crypto.getRandomValues(new Uint8Array(randomBytesOf[purpose])))
  return { text: (plain.match(/.{4}/g) ?? []).join('-'), hash: await hashOf(purpose, plain) }
}

/** The hash of a code as somebody typed it, in any case and grouping; null for what can be none. */
export async function readCode(purpose: CodePurpose, text: string): Promise<Bytes | null> {
  const plain = text.replaceAll(/[\s-]/g, '')
  const length = (randomBytesOf[purpose] * 8) / 5
  // Before the case is changed: other alphabets have letters that become ours.
  const isCode = plain.length === length && /^[A-Za-z2-7]+$/.test(plain)
  return isCode ? await hashOf(purpose, plain.toUpperCase()) : null
}
