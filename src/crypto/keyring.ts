// Encryption keys by id, and the master keys derived from them. Never tries several keys, and never exports a master
// key.

import { AppError } from '../errors.ts'
import { sha256 } from './digest.ts'
import { type Bytes, decodeBase64, decodeBase64Url, decodeHex, encodeHex, lengthPrefixed, utf8 } from './encoding.ts'

/** Cloudflare's maximum in production; a local workerd allows more. */
export const PBKDF2_ITERATIONS = 100_000
const minSecretBytes = 32
const maxSecretBytes = 1024
/** Enough for the current and previous keys before and after a change of configuration. */
const maxCachedKeys = 32

export const keyIdPattern = /^[A-Za-z0-9_-]{1,32}$/

/** A secret and its id. At least 32 random bytes: see `decodeKey`. */
export interface EncryptionKey {
  readonly id: string
  readonly secret: Bytes
}

export interface KeyringOptions {
  /** Seals, and opens values that it sealed. */
  readonly current: EncryptionKey
  /** Open only. */
  readonly previous?: readonly EncryptionKey[]
  /** Lower ids are refused even if their key is configured. Natural order: `k9` < `k10`, `2026-09` < `2026-10`. */
  readonly minimumKeyId?: string
}

export interface Keyring {
  readonly currentKeyId: string
  /** Ids of the keys that can open values: configured and not below the minimum. */
  readonly readableKeyIds: readonly string[]
  /**
   * The master key of an id, usable for HKDF only.
   * @throws AppError `token_undecryptable` for an id that is unknown or below the minimum
   */
  masterKey(id: string): Promise<CryptoKey>
}

/**
 * The bytes of an encryption key from hex, base64 or base64url text. Null for other text and for fewer than 32 bytes.
 * Text with only hex digits counts as hex.
 */
export function decodeKey(text: string): Bytes | null {
  if (text.length > maxSecretBytes * 2) return null
  const bytes = /^[0-9a-fA-F]*$/.test(text)
    ? decodeHex(text.toLowerCase())
    : (decodeBase64(text) ?? decodeBase64Url(text))
  return bytes !== null && bytes.length >= minSecretBytes ? bytes : null
}

/** Whether `id` is below `minimum` in the natural order of key ids. */
export const isKeyIdBelow = (id: string, minimum: string): boolean => sortKey(id) < sortKey(minimum)

/** Pads runs of digits, so that comparing code units orders numbers by value. */
function sortKey(id: string): string {
  return id.replaceAll(/\d+/g, (digits) => digits.padStart(32, '0'))
}

function misconfigured(reason: string): AppError {
  return new AppError('misconfigured', 'The encryption keys are misconfigured.', { reason })
}

function undecryptable(reason: string): AppError {
  return new AppError('token_undecryptable', 'A stored secret could not be read.', { reason })
}

/**
 * Creates a keyring. Derives no key yet.
 * @throws AppError `misconfigured` for a malformed or repeated id, a short secret, a current key below the minimum
 */
export function createKeyring(options: KeyringOptions): Keyring {
  const { current, previous = [], minimumKeyId } = options
  const secrets = new Map<string, Bytes>()
  for (const { id, secret } of [current, ...previous]) {
    if (!keyIdPattern.test(id)) throw misconfigured('an encryption key id is malformed')
    if (secrets.has(id)) throw misconfigured('an encryption key id is given twice')
    if (secret.length < minSecretBytes) throw misconfigured('an encryption key is shorter than 32 bytes')
    secrets.set(id, secret)
  }
  const isRetired = (id: string): boolean => minimumKeyId !== undefined && isKeyIdBelow(id, minimumKeyId)
  if (isRetired(current.id)) throw misconfigured('the current encryption key id is below the minimum')

  return {
    currentKeyId: current.id,
    readableKeyIds: [...secrets.keys()].filter((id) => !isRetired(id)),
    masterKey: async (id) => {
      const secret = secrets.get(id)
      if (isRetired(id)) throw undecryptable('the key id is below the minimum')
      if (secret === undefined) throw undecryptable('the key id is unknown')
      return await cachedMasterKey(id, secret)
    },
  }
}

/**
 * Master keys of this isolate by a hash of id and secret, because a secret can change in a running isolate. Sharing
 * promises between requests is safe here: the derivation awaits no I/O.
 */
const masterKeys = new Map<string, Promise<CryptoKey>>()

async function cachedMasterKey(id: string, secret: Bytes): Promise<CryptoKey> {
  const fingerprint = encodeHex(await sha256(lengthPrefixed([id, secret])))
  const cached = masterKeys.get(fingerprint)
  if (cached !== undefined) return await cached
  const derivation = deriveMasterKey(id, secret)
  remember(fingerprint, derivation)
  try {
    return await derivation
  } catch (error) {
    masterKeys.delete(fingerprint)
    throw error
  }
}

function remember(fingerprint: string, derivation: Promise<CryptoKey>): void {
  const oldest = masterKeys.keys().next()
  if (masterKeys.size >= maxCachedKeys && oldest.done !== true) masterKeys.delete(oldest.value)
  masterKeys.set(fingerprint, derivation)
}

/** PBKDF2-HMAC-SHA-256 (RFC 8018 §5.2) salted by the key id, to a key for HKDF. */
async function deriveMasterKey(id: string, secret: Bytes): Promise<CryptoKey> {
  const password = await crypto.subtle.importKey('raw', secret, 'PBKDF2', false, ['deriveBits'])
  const salt = utf8(`wealthnavigator-edge/master-key/${id}`)
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: PBKDF2_ITERATIONS }
  const master = await crypto.subtle.deriveBits(parameters, password, 256)
  return await crypto.subtle.importKey('raw', master, 'HKDF', false, ['deriveBits'])
}
