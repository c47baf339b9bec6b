import { createDecipheriv, hkdfSync, pbkdf2Sync } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Binding, open, seal } from '../../../src/crypto/envelope.ts'
import { envelopeKey, envelopeKeyring as keyring } from '../../support/vectors/sealed.ts'

const binding: Binding = { table: 'items', column: 'access_token', userId: 'user-1', itemId: 'item-1' }

/** Opens a sealed value with Node's own interface. */
function openIndependently(sealed: string, place: Binding): string {
  const [version = '', keyId = '', ...encoded] = sealed.split('.')
  const [salt, nonce, commitment, ciphertext] = encoded.map((part) => Buffer.from(part, 'base64url'))
  if (!salt || !nonce || !commitment || !ciphertext) throw new Error('malformed')
  const masterSalt = `wealthnavigator-edge/master-key/${keyId}`
  const master = pbkdf2Sync(envelopeKey(keyId).secret, masterSalt, 100_000, 32, 'sha256')
  const derived = Buffer.from(hkdfSync('sha256', master, salt, 'wealthnavigator-edge/wn1/record-key', 64))
  expect(derived.subarray(32)).toStrictEqual(commitment)
  const fields = [
    'wealthnavigator-edge/wn1/binding',
    version,
    keyId,
    place.table,
    place.column,
    place.userId,
    place.itemId,
  ]
  const associated = fields.flatMap((field) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(field))
    return [length, Buffer.from(field)]
  })
  const decipher = createDecipheriv('aes-256-gcm', derived.subarray(0, 32), nonce)
  decipher.setAAD(Buffer.concat(associated))
  decipher.setAuthTag(ciphertext.subarray(-16))
  return Buffer.concat([decipher.update(ciphertext.subarray(0, -16)), decipher.final()]).toString('utf8')
}

describe('sealing', () => {
  test('gives what another implementation of the format opens', async () => {
    const sealed = await seal(keyring, 'a secret', binding)
    expect(openIndependently(sealed, binding)).toBe('a secret')
  })

  test('opens what it sealed, for every text and binding', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 200 })
    const place = fc.record({ table: text, column: text, userId: text, itemId: text })
    await fc.assert(
      fc.asyncProperty(text, place, async (plaintext, where) => {
        expect(await open(keyring, await seal(keyring, plaintext, where), where)).toBe(plaintext)
      }),
      { numRuns: 50 },
    )
  })

  test('opens in no other place', async () => {
    const text = fc.string({ maxLength: 3 })
    const place = fc.record({ table: text, column: text, userId: text, itemId: text })
    await fc.assert(
      fc.asyncProperty(place, place, async (here, there) => {
        fc.pre(JSON.stringify(here) !== JSON.stringify(there))
        await expect(open(keyring, await seal(keyring, 'x', here), there)).rejects.toMatchObject({
          code: 'token_undecryptable',
        })
      }),
      { numRuns: 50 },
    )
  })

  test('does not open after any one character is changed, removed or added', async () => {
    const sealed = await seal(keyring, 'a secret', binding)
    const edit = fc.record({
      at: fc.nat(sealed.length - 1),
      removed: fc.nat(1),
      added: fc.string({ unit: fc.constantFrom(...'Aa0-_.=+/ \n'.split('')), maxLength: 1 }),
    })
    await fc.assert(
      fc.asyncProperty(edit, async ({ at, removed, added }) => {
        const altered = sealed.slice(0, at) + added + sealed.slice(at + removed)
        fc.pre(altered !== sealed)
        await expect(open(keyring, altered, binding)).rejects.toMatchObject({ code: 'token_undecryptable' })
      }),
      { numRuns: 300 },
    )
  })

  test('never seals the same text to the same string', async () => {
    const sealed = await Promise.all(Array.from({ length: 50 }, async () => await seal(keyring, 'x', binding)))
    const salts = sealed.map((text) => text.split('.')[2])
    const nonces = sealed.map((text) => text.split('.')[3])
    expect([new Set(salts).size, new Set(nonces).size]).toStrictEqual([50, 50])
  })

  test('seals under the current key and names it in the second part', async () => {
    expect((await seal(keyring, 'x', binding)).split('.')[1]).toBe(keyring.currentKeyId)
  })

  test('refuses a text over 8,192 bytes', async () => {
    await expect(seal(keyring, 'é'.repeat(4097), binding)).rejects.toMatchObject({ code: 'internal' })
    await expect(seal(keyring, 'é'.repeat(4096), binding)).resolves.toContain('wn1.')
  })

  test('opens the longest text that it seals and derives nothing for a longer envelope', async () => {
    const longest = 'x'.repeat(8192)
    expect(await open(keyring, await seal(keyring, longest, binding), binding)).toBe(longest)
    const huge = `wn1.2.${'A'.repeat(1_000_000)}`
    await expect(open(keyring, huge, binding)).rejects.toMatchObject({ reason: 'the envelope is too long' })
  })

  test('says nothing of the content when it refuses', async () => {
    const sealed = await seal(keyring, 'canary-content', binding)
    const error: unknown = await open(keyring, sealed, { ...binding, userId: 'other' }).catch(
      (thrown: unknown) => thrown,
    )
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('canary')
  })
})
