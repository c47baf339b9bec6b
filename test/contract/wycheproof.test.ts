// Project Wycheproof's test vectors against the product's own verification and decryption, and against the key
// derivations that it calls, in Node and in workerd. The vector's message or label replaces the product's constant at
// SubtleCrypto.
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import * as z from 'zod'
import { type Bytes, encodeBase64Url } from '../../src/crypto/encoding.ts'
import { open } from '../../src/crypto/envelope.ts'
import { createKeyring } from '../../src/crypto/keyring.ts'
import { AppError } from '../../src/errors.ts'
import { verifyWebhook } from '../../src/webhooks/verify.ts'
import { body, now, nowSeconds, signJwt } from '../unit/webhooks/signer.ts'
import type { WycheproofFile } from './wycheproof-files.ts'

const hex = z.string().transform((text): Bytes => new Uint8Array(Buffer.from(text, 'hex')))
const vector = { tcId: z.int(), comment: z.string(), result: z.enum(['valid', 'invalid', 'acceptable']) }

/** Groups of a file in the folder that WYCHEPROOF names. */
function groupsOf<Test extends z.ZodRawShape, Group extends z.ZodRawShape>(
  file: WycheproofFile,
  fields: Test,
  group: Group,
) {
  const tests = z.array(z.object({ ...vector, ...fields }))
  const schema = z.object({ testGroups: z.array(z.object({ tests, ...group })) })
  return schema.parse(JSON.parse(inject('wycheproof')[file] ?? 'null')).testGroups
}

const subtle = Object.getPrototypeOf(crypto.subtle)

afterEach(() => {
  vi.restoreAllMocks()
})

test('the vectors of Wycheproof run in the runtime of their project', () => {
  expect(navigator.userAgent).toBe(inject('runtime'))
})

describe('ES256 of a webhook', () => {
  const groups = groupsOf('ecdsa_secp256r1_sha256_p1363', { msg: hex, sig: hex }, { publicKeyDer: hex })

  /** Whether the product accepts a vector's signature over the vector's message. */
  async function verdictOf(der: Bytes, message: Bytes, signature: Bytes): Promise<string> {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    const publicKey = await crypto.subtle.importKey('spki', der, algorithm, false, ['verify'])
    const [header, claims] = (await signJwt()).split('.')
    const verify = subtle.verify
    vi.spyOn(subtle, 'verify').mockImplementation(function (this: SubtleCrypto, ...[name, key, given]: unknown[]) {
      return verify.call(this, name, key, given, message)
    })
    const plaidVerification = `${header}.${claims}.${encodeBase64Url(signature)}`
    const options = { findKey: async () => ({ status: 'found' as const, publicKey }), hmacSecrets: [], now }
    const verdict = await verifyWebhook({ plaidVerification, webhookSignature: null, body }, options)
    vi.restoreAllMocks()
    return verdict.ok ? 'accepted' : verdict.reason
  }

  test('accepts valid signatures and refuses all others', async () => {
    let seen = 0
    for (const { publicKeyDer, tests } of groups)
      for (const { tcId, comment, msg, sig, result } of tests) {
        const verdict = await verdictOf(publicKeyDer, msg, sig)
        expect([tcId, comment, verdict]).toEqual([tcId, comment, result === 'valid' ? 'accepted' : 'bad_signature'])
        seen += 1
      }
    expect(seen).toBeGreaterThan(200)
  })
})

describe('HMAC-SHA-256 of a webhook', () => {
  const groups = groupsOf('hmac_sha256', { key: hex, msg: hex, tag: hex }, { keySize: z.int(), tagSize: z.int() })

  test('accepts whole valid tags and refuses all others', async () => {
    const whole = groups.filter(({ tagSize }) => tagSize === 256).flatMap(({ tests }) => tests)
    expect(whole.length).toBeGreaterThan(50)
    for (const { tcId, key, msg, tag, result } of whole) {
      const [importKey, sign] = [subtle.importKey, subtle.sign]
      vi.spyOn(subtle, 'importKey').mockImplementation(function (this: SubtleCrypto, ...args: unknown[]) {
        return importKey.call(this, args[0], key, ...args.slice(2))
      })
      vi.spyOn(subtle, 'sign').mockImplementation(function (this: SubtleCrypto, ...args: unknown[]) {
        return sign.call(this, args[0], args[1], msg)
      })
      const webhookSignature = `t=${nowSeconds},v1=${Buffer.from(tag).toString('hex')}`
      const options = { findKey: async () => ({ status: 'unknown' as const }), hmacSecrets: ['x'.repeat(32)], now }
      const verdict = await verifyWebhook({ plaidVerification: null, webhookSignature, body }, options)
      vi.restoreAllMocks()
      expect([tcId, verdict.ok]).toEqual([tcId, result === 'valid'])
    }
  })
})

describe('AES-256-GCM of an envelope', () => {
  const groups = groupsOf(
    'aes_gcm',
    { key: hex, iv: hex, aad: hex, msg: hex, ct: hex, tag: hex },
    { ivSize: z.int(), keySize: z.int() },
  )
  const place = { table: 't', column: 'c', userId: 'u', itemId: 'i' }
  const keyring = createKeyring({ current: { id: 'k', secret: new Uint8Array(32).fill(7) }, previous: [] })

  /** The decrypted bytes; null when the product refuses. Text that is not UTF-8 is refused after decryption. */
  async function opened(key: Bytes, iv: Bytes, aad: Bytes, sealed: Bytes): Promise<Bytes | null> {
    const [deriveBits, decrypt] = [subtle.deriveBits, subtle.decrypt]
    let plaintext: Bytes | null = null
    vi.spyOn(subtle, 'deriveBits').mockImplementation(function (this: SubtleCrypto, ...args: unknown[]) {
      const replaced = new Uint8Array([...key, ...new Uint8Array(32)]).buffer
      return deriveBits.apply(this, args).then((bits: ArrayBuffer) => (args[2] === 512 ? replaced : bits))
    })
    vi.spyOn(subtle, 'decrypt').mockImplementation(function (this: SubtleCrypto, ...args: unknown[]) {
      const algorithm = { name: 'AES-GCM', iv, additionalData: aad }
      return decrypt.call(this, algorithm, args[1], args[2]).then((result: ArrayBuffer) => {
        plaintext = new Uint8Array(result)
        return result
      })
    })
    const parts = [new Uint8Array(32), iv, new Uint8Array(32), sealed].map(encodeBase64Url)
    const outcome = await open(keyring, `wn1.k.${parts.join('.')}`, place).then(
      () => null,
      (error: unknown) => error,
    )
    vi.restoreAllMocks()
    if (outcome !== null && !(outcome instanceof AppError)) throw outcome
    if (outcome === null && plaintext === null) throw new Error('The product opened what did not decrypt.')
    return plaintext
  }

  const large = groups.filter(({ keySize }) => keySize === 256)

  test('opens valid ciphertexts byte for byte and refuses all others', async () => {
    const fitting = large.filter(({ ivSize }) => ivSize === 96).flatMap(({ tests }) => tests)
    expect(fitting.length).toBeGreaterThan(50)
    for (const { tcId, key, iv, aad, msg, ct, tag, result } of fitting) {
      const found = await opened(key, iv, aad, new Uint8Array([...ct, ...tag]))
      expect([tcId, found]).toEqual([tcId, result === 'valid' ? msg : null])
    }
  })

  test('refuses nonces of any length but 96 bits', async () => {
    const others = large.filter(({ ivSize }) => ivSize !== 96).flatMap(({ tests }) => tests)
    expect(others.length).toBeGreaterThan(20)
    for (const { tcId, key, iv, aad, ct, tag } of others)
      expect([tcId, await opened(key, iv, aad, new Uint8Array([...ct, ...tag]))]).toEqual([tcId, null])
  })
})

describe('the key derivations', () => {
  test('derives with HKDF-SHA-256 what the vectors say', async () => {
    const groups = groupsOf('hkdf_sha256', { ikm: hex, salt: hex, info: hex, size: z.int(), okm: hex }, {})
    const tests = groups.flatMap((group) => group.tests)
    expect(tests.length).toBeGreaterThan(50)
    for (const { tcId, ikm, salt, info, size, okm, result } of tests) {
      const key = await crypto.subtle.importKey('raw', ikm, 'HKDF', false, ['deriveBits'])
      const derived = await crypto.subtle
        .deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, size * 8)
        .then((bits) => new Uint8Array(bits))
        .catch(() => null)
      expect([tcId, derived]).toEqual([tcId, result === 'valid' ? okm : null])
    }
  })

  test('derives with PBKDF2-HMAC-SHA-256 what the vectors say', async () => {
    const fields = { password: hex, salt: hex, iterationCount: z.int(), dkLen: z.int(), dk: hex }
    const tests = groupsOf('pbkdf2_hmacsha256', fields, {}).flatMap((group) => group.tests)
    expect(tests.length).toBeGreaterThan(30)
    for (const { tcId, password, salt, iterationCount: iterations, dkLen, dk } of tests) {
      const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
      const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations }
      const derived = new Uint8Array(await crypto.subtle.deriveBits(parameters, key, dkLen * 8))
      expect([tcId, derived]).toEqual([tcId, dk])
    }
  })
})
