// Hashes and verifies passwords. A hash names its cost, so that the cost can be raised: the next sign-in hashes the
// password again. Never logs, stores or returns a password.
import { equalConstantTime } from '../crypto/constant-time.ts'
import { type Bytes, decodeBase64Url, encodeBase64Url, utf8 } from '../crypto/encoding.ts'
import { AppError } from '../errors.ts'
import type { Scrypt, ScryptCost } from './scrypt.ts'

/**
 * N=2^15, r=8, p=3, one of the five settings of equal strength in OWASP's Password Storage Cheat Sheet. It needs 32
 * MiB, which leaves room in an isolate of 128 MB. The settings with N=2^16 and 2^17 need 64 and 128 MiB.
 */
export const currentCost: ScryptCost = { logN: 15, r: 8, p: 3 }

const saltBytes = 16
const hashBytes = 32
const minCharacters = 15
const minDistinctCharacters = 5

export interface PasswordCheck {
  readonly matches: boolean
  /** The password matches, and was hashed with another cost than the current one. */
  readonly outdated: boolean
}

export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** `stored` is null for an unknown account: does the same work and returns no match. */
  verify(password: string, stored: string | null): Promise<PasswordCheck>
}

interface Stored {
  readonly cost: ScryptCost
  readonly salt: Bytes
  readonly hash: Bytes
}

/**
 * Normalized (RFC 8265 §4.2, OpaqueString), so that the same keys on another system give the same bytes.
 */
const bytesOf = (password: string): Bytes => utf8(password.normalize('NFC'))

const format = ({ cost: { logN, r, p }, salt, hash }: Stored): string =>
  `$scrypt$ln=${logN},r=${r},p=${p}$${encodeBase64Url(salt)}$${encodeBase64Url(hash)}`

/** @throws AppError `internal` for text that `format` did not write */
function parse(text: string): Stored {
  const parts = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/.exec(text)
  const [logN, r, p] = (parts ?? []).slice(1, 4).map(Number)
  const [salt, hash] = (parts ?? []).slice(4).map(decodeBase64Url)
  if (logN === undefined || r === undefined || p === undefined || !salt || !hash)
    throw new AppError('internal', 'Something went wrong on our side.', { reason: 'malformed password hash' })
  return { cost: { logN, r, p }, salt, hash }
}

const isSame = (left: ScryptCost, right: ScryptCost): boolean =>
  left.logN === right.logN && left.r === right.r && left.p === right.p

export function createPasswordHasher(scrypt: Scrypt, cost: ScryptCost = currentCost): PasswordHasher {
  const randomSalt = (): Bytes => crypto.getRandomValues(new Uint8Array(saltBytes))
  return {
    async hash(password) {
      const salt = randomSalt()
      return format({ cost, salt, hash: await scrypt(bytesOf(password), salt, cost, hashBytes) })
    },
    async verify(password, stored) {
      const given = stored === null ? { cost, salt: randomSalt(), hash: new Uint8Array(hashBytes) } : parse(stored)
      const hash = await scrypt(bytesOf(password), given.salt, given.cost, hashBytes)
      const matches = equalConstantTime(hash, given.hash) && stored !== null
      return { matches, outdated: matches && !isSame(given.cost, cost) }
    },
  }
}

/**
 * Refuses a weak password: fewer than 15 characters (NIST SP 800-63B-4 §3.1.1.2, for a password as the only factor),
 * few different characters, or one that contains the e-mail address. There are no composition rules.
 * @throws AppError `validation_failed`
 */
export function checkNewPassword(password: string, email: string | null, pointer: string): void {
  const characters = Array.from(password.normalize('NFC'))
  const refuse = (detail: string): never => {
    throw new AppError('validation_failed', 'The password is too weak.', { fields: [{ pointer, detail }] })
  }
  if (characters.length < minCharacters) refuse(`Must have at least ${minCharacters} characters.`)
  if (new Set(characters).size < minDistinctCharacters) refuse('Must not repeat the same few characters.')
  if (email !== null && password.toLowerCase().includes(email)) refuse('Must not contain the e-mail address.')
}
