import { describe, expect, it } from 'vitest'
import { createKey, digestOfKey, isApiKey, keyInText, kindOfKey } from '../../../src/auth/api-key.ts'
import { crc32 } from '../../../src/crypto/crc32.ts'
import { encodeHex, utf8 } from '../../../src/crypto/encoding.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The checksum as docs/api-keys.md describes it, by another way: digit by digit with BigInt. */
function checksum(random: string): string {
  let value = BigInt(crc32(utf8(random)))
  let text = ''
  for (; value > 0n; value /= 62n) text = alphabet.charAt(Number(value % 62n)) + text
  return text.padStart(6, '0')
}

describe('a new key', () => {
  it('has its kind, 43 random characters and the checksum that the documentation describes', async () => {
    for (const kind of ['live', 'test'] as const) {
      const { text, prefix, digest } = await createKey(kind)
      expect(text).toMatch(new RegExp(`^wn_${kind}_[0-9A-Za-z]{49}$`))
      expect(text.slice(-6)).toBe(checksum(text.slice(8, 51)))
      expect(prefix).toBe(text.slice(0, 16))
      expect(encodeHex(digest)).toBe(encodeHex(await digestOfKey(text)))
      expect(kindOfKey(text)).toBe(kind)
      expect([isApiKey(text), keyInText.test(`?q=${text}`)]).toEqual([true, true])
    }
  })

  it('has every character equally often', async () => {
    const keys = await Promise.all(Array.from({ length: 600 }, () => createKey('test')))
    const characters = keys.map(({ text }) => text.slice(8, 51)).join('')
    const expected = characters.length / alphabet.length
    const squares = Array.from(alphabet, (one) => {
      const count = characters.split(one).length - 1
      return (count - expected) ** 2 / expected
    })
    // Chi-square with 61 degrees of freedom: beyond 150 once in 10^9 runs. Bytes modulo 62 would give 400.
    expect(squares.reduce((sum, one) => sum + one, 0)).toBeLessThan(150)
    expect(new Set(keys.map(({ text }) => text)).size).toBe(600)
  })
})

describe('a text', () => {
  const known = 'A'.repeat(43)
  const valid = `wn_test_${known}${checksum(known)}`

  it('is a key only as a whole, with its checksum', () => {
    expect(kindOfKey(valid)).toBe('test')
    const others = [
      '',
      'wn_test_',
      valid.slice(0, -1),
      `${valid}0`,
      ` ${valid}`,
      `${valid}\n`,
      valid.replace('wn_test_', 'wn_prod_'),
      valid.replace('wn_test_', 'WN_TEST_'),
      valid.replace('AAAA', 'AAAB'),
      `${valid.slice(0, -1)}${valid.endsWith('0') ? '1' : '0'}`,
      valid.replace('AAAA', 'AAA-'),
    ]
    expect(others.map(kindOfKey)).toEqual(others.map(() => null))
  })

  it('has the same checksum wherever its random characters are', () => {
    expect(kindOfKey(valid.replace('wn_test_', 'wn_live_'))).toBe('live')
  })
})
