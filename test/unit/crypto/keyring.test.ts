import { describe, expect, test, vi } from 'vitest'
import { createKeyring, decodeKey, PBKDF2_ITERATIONS } from '../../../src/crypto/keyring.ts'
import { AppError } from '../../../src/errors.ts'

const secret = (fill: number) => new Uint8Array(32).fill(fill)

/** Records the platform's key derivations without replacing them. */
function watchDerivations() {
  const spy = vi.spyOn(crypto.subtle, 'deriveBits')
  return {
    count: () =>
      spy.mock.calls.filter(([algorithm]) => typeof algorithm !== 'string' && algorithm.name === 'PBKDF2').length,
    iterations: () =>
      spy.mock.calls.map(([algorithm]) => ('iterations' in Object(algorithm) ? Object(algorithm).iterations : null)),
    stop: () => spy.mockRestore(),
  }
}

describe('a key given as text', () => {
  const key = Uint8Array.from({ length: 32 }, (_, index) => 255 - index)

  test.each(['hex', 'base64', 'base64url'] as const)('is read from %s', (encoding) => {
    expect(decodeKey(Buffer.from(key).toString(encoding))).toStrictEqual(key)
  })

  test('is read from upper-case hex', () => {
    expect(decodeKey(Buffer.from(key).toString('hex').toUpperCase())).toStrictEqual(key)
  })

  test.each([
    ['31 bytes', Buffer.from(key.slice(1)).toString('hex')],
    ['31 bytes in base64', Buffer.from(key.slice(1)).toString('base64')],
    ['a pass phrase', 'correct horse battery staple correct horse battery staple'],
    ['nothing', ''],
    ['a trailing line end', `${Buffer.from(key).toString('base64url')}\n`],
    ['megabytes', 'ab'.repeat(1_000_000)],
  ])('is refused for %s', (_case, text) => {
    expect(decodeKey(text)).toBeNull()
  })
})

describe('a keyring', () => {
  test('derives a master key once, also for concurrent callers and for a second keyring of the same secret', async () => {
    const watch = watchDerivations()
    const current = { id: 'once', secret: secret(1) }
    const keyring = createKeyring({ current })
    await Promise.all(Array.from({ length: 20 }, async () => await keyring.masterKey('once')))
    await createKeyring({ current }).masterKey('once')
    expect(watch.count()).toBe(1)
    watch.stop()
  })

  test('derives anew when the secret under an id has changed', async () => {
    const watch = watchDerivations()
    await createKeyring({ current: { id: 'changing', secret: secret(1) } }).masterKey('changing')
    await createKeyring({ current: { id: 'changing', secret: secret(2) } }).masterKey('changing')
    expect(watch.count()).toBe(2)
    watch.stop()
  })

  test('stays within the iterations that production allows', async () => {
    const watch = watchDerivations()
    await createKeyring({ current: { id: 'iterations', secret: secret(1) } }).masterKey('iterations')
    expect(watch.iterations()).toStrictEqual([100_000])
    expect(PBKDF2_ITERATIONS).toBeLessThanOrEqual(100_000)
    watch.stop()
  })

  test('tries again after a derivation that failed', async () => {
    const keyring = createKeyring({ current: { id: 'failing', secret: secret(1) } })
    const spy = vi.spyOn(crypto.subtle, 'deriveBits').mockRejectedValueOnce(new Error('the platform failed once'))
    await expect(keyring.masterKey('failing')).rejects.toThrow('failed once')
    await expect(keyring.masterKey('failing')).resolves.toMatchObject({ extractable: false })
    spy.mockRestore()
  })

  test('refuses an unknown id', async () => {
    const keyring = createKeyring({ current: { id: '1', secret: secret(1) } })
    await expect(keyring.masterKey('2')).rejects.toMatchObject({
      code: 'token_undecryptable',
      reason: 'the key id is unknown',
    })
  })

  test.each([
    ['k9', 'k10', 'the key id is below the minimum'],
    ['2026-09', '2026-10', 'the key id is below the minimum'],
    ['10', '9', 'given'],
    ['a', 'a', 'given'],
  ])('asked for key %s, with the minimum %s: %s', async (previous, minimumKeyId, expected) => {
    const keyring = createKeyring({
      current: { id: 'z', secret: secret(1) },
      previous: [{ id: previous, secret: secret(2) }],
      minimumKeyId,
    })
    const outcome = await keyring.masterKey(previous).then(
      () => 'given',
      (error: unknown) => (error instanceof AppError ? error.reason : error),
    )
    expect(outcome).toBe(expected)
  })

  test.each([
    ['a malformed id', { current: { id: 'a.b', secret: secret(1) } }],
    ['a short secret', { current: { id: 'a', secret: new Uint8Array(31) } }],
    ['an id given twice', { current: { id: 'a', secret: secret(1) }, previous: [{ id: 'a', secret: secret(2) }] }],
    ['a current key below the minimum', { current: { id: '1', secret: secret(1) }, minimumKeyId: '2' }],
  ])('is not made from %s', (_case, options) => {
    expect(() => createKeyring(options)).toThrow(expect.objectContaining({ code: 'misconfigured' }))
  })
})
