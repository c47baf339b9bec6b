// Seals secrets for storage: `wn1.<keyId>.<salt>.<nonce>.<commitment>.<ciphertext and tag>`, the last four in
// base64url. A sealed value opens only in the place for which it was sealed; keys are never tried one by one. `wn2` is
// the same with another label: src/custody/access-token.ts says what its version means for the place.

import { AppError } from '../errors.ts'
import { equalConstantTime } from './constant-time.ts'
import { type Bytes, decodeBase64Url, encodeBase64Url, fromUtf8, lengthPrefixed, utf8 } from './encoding.ts'
import { type Keyring, keyIdPattern } from './keyring.ts'

const versions = ['wn1', 'wn2'] as const
export type EnvelopeVersion = (typeof versions)[number]

const recordKeyLabel = (version: EnvelopeVersion): string => `wealthnavigator-edge/${version}/record-key`
const bindingLabel = (version: EnvelopeVersion): string => `wealthnavigator-edge/${version}/binding`
const saltBytes = 32
const nonceBytes = 12
const commitmentBytes = 32
const tagBytes = 16
const maxPlaintextBytes = 8192
/** Base64url of the longest plaintext, and room for the other parts. */
const maxSealedLength = Math.ceil((maxPlaintextBytes + tagBytes) / 3) * 4 + 256

/** The place of a sealed value. All of it is authenticated: in another place the value does not open. */
export interface Binding {
  /** The version of a new envelope, `wn1` by default. An envelope opens only as the version that it names. */
  readonly version?: EnvelopeVersion
  readonly table: string
  readonly column: string
  /** The id of the secret's user in this database. */
  readonly userId: string
  /** The id of the item in this database; the row's id if the secret belongs to no item. */
  readonly itemId: string
}

/** Fills `length` bytes; cryptographically random outside tests. */
export type RandomBytes = (length: number) => Bytes

interface Sealed {
  readonly version: EnvelopeVersion
  readonly keyId: string
  readonly salt: Bytes
  readonly nonce: Bytes
  readonly commitment: Bytes
  readonly ciphertext: Bytes
}

const randomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length))

function undecryptable(reason: string): AppError {
  return new AppError('token_undecryptable', 'A stored secret could not be read.', { reason })
}

/**
 * Seals `plaintext` (at most 8,192 bytes of UTF-8) under the current key, for the place in `binding`.
 * @throws AppError `internal` if it is too long
 */
export async function seal(
  keyring: Keyring,
  plaintext: string,
  binding: Binding,
  random: RandomBytes = randomBytes,
): Promise<string> {
  const bytes = utf8(plaintext)
  if (bytes.length > maxPlaintextBytes) throw new AppError('internal', 'A secret is too long to be sealed.')
  const { version = 'wn1' } = binding
  const keyId = keyring.currentKeyId
  const salt = random(saltBytes)
  const nonce = random(nonceBytes)
  const { key, commitment } = await recordKey(version, await keyring.masterKey(keyId), salt)
  const algorithm = gcm(version, nonce, keyId, binding)
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, bytes))
  return [version, keyId, ...[salt, nonce, commitment, ciphertext].map(encodeBase64Url)].join('.')
}

/**
 * Opens a value that `seal` returned for the same binding.
 * @throws AppError `token_undecryptable`, with a reason for the log that contains nothing of the content
 */
export async function open(keyring: Keyring, sealed: string, binding: Binding): Promise<string> {
  const parts = parseSealed(sealed)
  if (parts.version !== (binding.version ?? 'wn1')) throw undecryptable('the envelope version is unknown')
  const { key, commitment } = await recordKey(parts.version, await keyring.masterKey(parts.keyId), parts.salt)
  if (!equalConstantTime(commitment, parts.commitment)) throw undecryptable('the key commitment differs')
  const algorithm = gcm(parts.version, parts.nonce, parts.keyId, binding)
  const plaintext = fromUtf8(await decrypt(algorithm, key, parts.ciphertext))
  if (plaintext === null) throw undecryptable('the content is not UTF-8')
  return plaintext
}

/** The version that a value names; null for text that is no envelope of a known version. */
export const versionOf = (sealed: string): EnvelopeVersion | null =>
  versions.find((version) => sealed.startsWith(`${version}.`)) ?? null

/** Checks the version first, then every length, before any key is derived. */
function parseSealed(sealed: string): Sealed {
  const version = versionOf(sealed)
  if (version === null) throw undecryptable('the envelope version is unknown')
  if (sealed.length > maxSealedLength) throw undecryptable('the envelope is too long')
  const parts = sealed.split('.')
  if (parts.length !== 6) throw undecryptable('the envelope has a wrong number of parts')
  const [, keyId = '', ...encoded] = parts
  if (!keyIdPattern.test(keyId)) throw undecryptable('the key id is malformed')
  const [salt, nonce, commitment, ciphertext] = encoded.map(decodeBase64Url)
  if (salt?.length !== saltBytes) throw undecryptable('the salt is malformed')
  if (nonce?.length !== nonceBytes) throw undecryptable('the nonce is malformed')
  if (commitment?.length !== commitmentBytes) throw undecryptable('the commitment is malformed')
  if (ciphertext === null || ciphertext === undefined || ciphertext.length < tagBytes) {
    throw undecryptable('the ciphertext is malformed')
  }
  return { version, keyId, salt, nonce, commitment, ciphertext }
}

/**
 * HKDF-SHA-256 (RFC 5869) of the master key with the record's salt: half an AES-256-GCM key, half a commitment to it.
 * GCM alone is not committing: without the second half one ciphertext could be made to open under two keys.
 */
async function recordKey(
  version: EnvelopeVersion,
  master: CryptoKey,
  salt: Bytes,
): Promise<{ key: CryptoKey; commitment: Bytes }> {
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt, info: utf8(recordKeyLabel(version)) }
  const derived = new Uint8Array(await crypto.subtle.deriveBits(parameters, master, 512))
  const key = await crypto.subtle.importKey('raw', derived.slice(0, 32), 'AES-GCM', false, ['encrypt', 'decrypt'])
  return { key, commitment: derived.slice(32) }
}

function gcm(
  version: EnvelopeVersion,
  nonce: Bytes,
  keyId: string,
  binding: Binding,
): { name: string; iv: Bytes; additionalData: Bytes } {
  const { table, column, userId, itemId } = binding
  const additionalData = lengthPrefixed([bindingLabel(version), version, keyId, table, column, userId, itemId])
  return { name: 'AES-GCM', iv: nonce, additionalData }
}

async function decrypt(algorithm: ReturnType<typeof gcm>, key: CryptoKey, ciphertext: Bytes): Promise<Bytes> {
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, ciphertext))
  } catch (error) {
    // The engine's error only says that authentication failed, the only documented error of decryption.
    throw new AppError('token_undecryptable', 'A stored secret could not be read.', {
      reason: 'authentication failed: altered, or sealed for another place',
      cause: error,
    })
  }
}
