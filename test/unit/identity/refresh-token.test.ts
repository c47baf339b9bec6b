import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { newRefreshToken, nextRefreshToken, readRefreshToken } from '../../../src/identity/refresh-token.ts'

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

describe('a refresh token', () => {
  it('is 128 random bits that stay and 256 that change, of which hashes are stored', async () => {
    const { text, selectorHash, verifierHash } = await newRefreshToken()
    const bytes = Buffer.from(text, 'base64url')
    expect(bytes).toHaveLength(48)
    expect(selectorHash).toEqual(sha256(bytes.subarray(0, 16)))
    expect(verifierHash).toEqual(sha256(bytes.subarray(16)))
  })

  it('has a successor with the same selector and another verifier, which only holders of the secret can compute', async () => {
    const [secret, another] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const first = await newRefreshToken()
    expect(await readRefreshToken(first.text)).toEqual(first)
    const next = await nextRefreshToken(secret, first.text)
    expect(next?.selectorHash).toEqual(first.selectorHash)
    expect(next?.verifierHash).not.toEqual(first.verifierHash)
    expect(await nextRefreshToken(secret, first.text)).toEqual(next)
    expect((await nextRefreshToken(another, first.text))?.verifierHash).not.toEqual(next?.verifierHash)
    expect((await nextRefreshToken(secret, next?.text ?? ''))?.verifierHash).not.toEqual(next?.verifierHash)
  })

  it.each(['', 'x', 'A'.repeat(63), 'A'.repeat(65), `${'A'.repeat(63)}=`, `${'A'.repeat(63)}+`])(
    'is not %j',
    async (text) => {
      expect(await readRefreshToken(text)).toBeNull()
      expect(await nextRefreshToken(new Uint8Array(32), text)).toBeNull()
    },
  )
})
