import { assert, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeHex, utf8 } from '../../../src/crypto/encoding.ts'
import { encodeBase32, newCode, readCode } from '../../../src/identity/codes.ts'
import { describeTotp, matchingStep, newTotpSecret, stepAt, totpCode } from '../../../src/identity/totp.ts'
import { fromBase32 } from '../../support/accounts.ts'

const rfcSecret = new TextEncoder().encode('12345678901234567890')

describe('a code of six digits', () => {
  it.each(
    ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489'].map(
      (code, counter) => [counter, code] as const,
    ),
  )('equals RFC 4226, appendix D, for counter %i', (counter, code) => {
    expect(totpCode(rfcSecret, counter)).toBe(code)
  })

  // The appendix has codes of eight digits. A code of six is its last six.
  it.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('equals RFC 6238, appendix B, at second %i', (second, eightDigits) => {
    const now = new Date(second * 1000)
    expect(totpCode(rfcSecret, stepAt(now))).toBe(eightDigits.slice(2))
    expect(matchingStep(rfcSecret, eightDigits.slice(2), now)).toBe(Math.floor(second / 30))
  })

  it.each(['', '75522', '7552244', '75522４', ' 755224', '755225'])('is not %j', (code) => {
    expect(matchingStep(rfcSecret, code, new Date(0))).toBeNull()
  })

  it('fits the step before and the step after, and no other', () => {
    const now = new Date('2026-11-21T12:00:10Z')
    for (const distance of [-2, -1, 0, 1, 2]) {
      const step = stepAt(now) + distance
      const found = matchingStep(rfcSecret, totpCode(rfcSecret, step), now)
      expect(found).toBe(Math.abs(distance) <= 1 ? step : null)
    }
  })
})

describe('a TOTP secret', () => {
  it('is of 160 random bits', () => {
    expect(newTotpSecret()).toHaveLength(20)
    expect(newTotpSecret()).not.toEqual(newTotpSecret())
  })

  it('is shown in base32 and as an address that authenticators read', () => {
    const { secret, uri } = describeTotp(rfcSecret, 'ann+bank@example.com')
    expect(secret).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
    const url = new URL(uri)
    expect(url.protocol).toBe('otpauth:')
    expect(decodeURIComponent(url.pathname)).toMatch(/WealthNavigator Edge:ann\+bank@example\.com$/)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      secret,
      issuer: 'WealthNavigator Edge',
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    })
  })

  it('comes back from base32 whole', () => {
    const groups = uint8Array({ minLength: 5, maxLength: 60 }).map((bytes) =>
      bytes.slice(0, bytes.length - (bytes.length % 5)),
    )
    const comesBack = (bytes: Uint8Array) => encodeHex(fromBase32(encodeBase32(bytes))) === encodeHex(bytes)
    expect(() => assert(property(groups, comesBack))).not.toThrow()
  })

  it('is its bytes alone, where they are part of a longer buffer', () => {
    const part = new Uint8Array([...utf8('junk before '), ...rfcSecret, ...utf8(' and behind')]).subarray(12, 32)
    expect(totpCode(part, 0)).toBe('755224')
    expect(describeTotp(part, 'ann@example.com').secret).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  })
})

describe('a code that people carry', () => {
  it.each([
    ['verify-email', 8],
    ['reset-password', 8],
    ['recovery', 6],
  ] as const)('has for %s %i groups of four, and is read in any spelling', async (purpose, groups) => {
    const { text, hash } = await newCode(purpose)
    expect(text).toMatch(new RegExp(`^([A-Z2-7]{4}-){${groups - 1}}[A-Z2-7]{4}$`))
    for (const typed of [text, text.toLowerCase(), text.replaceAll('-', ''), ` ${text.replaceAll('-', ' ')}\n`])
      expect(await readCode(purpose, typed)).toEqual(hash)
  })

  it('fits no other purpose', async () => {
    const { text, hash } = await newCode('verify-email')
    expect(await readCode('reset-password', text)).not.toEqual(hash)
    expect(await readCode('recovery', text)).toBeNull()
  })

  it.each(['', 'ABCD', '1'.repeat(32), 'Ä'.repeat(32), 'A'.repeat(33), `${'A'.repeat(31)}ı`])(
    'is not %j',
    async (text) => {
      expect(await readCode('verify-email', text)).toBeNull()
    },
  )
})
