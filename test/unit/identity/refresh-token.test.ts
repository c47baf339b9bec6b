import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { newRefreshToken, readRefreshToken } from '../../../src/identity/refresh-token.ts'

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

describe('a refresh token', () => {
  it('is 128 random bits that stay and 256 that change, of which hashes are stored', async () => {
    const { text, selectorHash, verifierHash } = await newRefreshToken()
    const bytes = Buffer.from(text, 'base64url')
    expect(bytes).toHaveLength(48)
    expect(selectorHash).toEqual(sha256(bytes.subarray(0, 16)))
    expect(verifierHash).toEqual(sha256(bytes.subarray(16)))
  })

  it('is followed by one of the same selector and another verifier', async () => {
    const first = await newRefreshToken()
    const read = await readRefreshToken(first.text)
    expect(read?.given).toEqual(first)
    expect(read?.next.selectorHash).toEqual(first.selectorHash)
    expect(read?.next.verifierHash).not.toEqual(first.verifierHash)
  })

  it.each(['', 'x', 'A'.repeat(63), 'A'.repeat(65), `${'A'.repeat(63)}=`, `${'A'.repeat(63)}+`])(
    'is not %j',
    async (text) => {
      expect(await readRefreshToken(text)).toBeNull()
    },
  )
})
