import { randomBytes, scryptSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { checkNewPassword, createPasswordHasher, currentCost } from '../../../src/identity/password.ts'
import { type Scrypt, scrypt } from '../../../src/identity/scrypt.ts'

const cheap = { logN: 4, r: 8, p: 1 }

function counted(): { scrypt: Scrypt; calls: () => number } {
  let calls = 0
  return {
    scrypt: (...parameters) => {
      calls += 1
      return scrypt(...parameters)
    },
    calls: () => calls,
  }
}

describe('a password hash', () => {
  // OWASP Password Storage Cheat Sheet: settings of equal strength.
  const owasp = [
    { logN: 17, r: 8, p: 1 },
    { logN: 16, r: 8, p: 2 },
    { logN: 15, r: 8, p: 3 },
    { logN: 14, r: 8, p: 5 },
    { logN: 13, r: 8, p: 10 },
  ]

  it('costs what OWASP asks for and less than half of what an isolate may hold', () => {
    expect(owasp).toContainEqual(currentCost)
    expect(128 * 2 ** currentCost.logN * currentCost.r).toBeLessThanOrEqual(64 * 1024 * 1024)
  })

  it('is scrypt’s, as another implementation computes it', async () => {
    const stored = await createPasswordHasher(scrypt).hash('pleaseletmein and more')
    const [, name, parameters, salt = '', hash] = stored.split('$')
    expect([name, parameters]).toEqual(['scrypt', 'ln=15,r=8,p=3'])
    const options = { N: 2 ** 15, r: 8, p: 3, maxmem: 2 ** 27 }
    const expected = scryptSync('pleaseletmein and more', Buffer.from(salt, 'base64url'), 32, options)
    expect(hash).toBe(expected.toString('base64url'))
  })

  it('is RFC 7914’s', async () => {
    const bytes = (text: string) => new Uint8Array(Buffer.from(text))
    const derived = await scrypt(bytes('pleaseletmein'), bytes('SodiumChloride'), { logN: 14, r: 8, p: 1 }, 64)
    expect(Buffer.from(derived).toString('hex')).toMatch(/^7023bdcb3afd7348461c06cd81fd38eb/)
  })

  it('differs for the same password twice, and fits it alone', async () => {
    const passwords = createPasswordHasher(scrypt, cheap)
    const [one, two] = [await passwords.hash('the same password'), await passwords.hash('the same password')]
    expect(one).not.toBe(two)
    expect(await passwords.verify('the same password', one)).toEqual({ matches: true, outdated: false })
    expect(await passwords.verify('the same passworD', one)).toEqual({ matches: false, outdated: false })
  })

  it('still matches at another cost, and is reported as outdated', async () => {
    const old = await createPasswordHasher(scrypt, { logN: 3, r: 4, p: 2 }).hash('an old password')
    const passwords = createPasswordHasher(scrypt, cheap)
    expect(await passwords.verify('an old password', old)).toEqual({ matches: true, outdated: true })
    expect(await passwords.verify('another password', old)).toEqual({ matches: false, outdated: false })
  })

  it('costs one hash at the current cost for an unknown user, and matches nothing', async () => {
    const { scrypt: counting, calls } = counted()
    const passwords = createPasswordHasher(counting, cheap)
    expect(await passwords.verify('whatever', null)).toEqual({ matches: false, outdated: false })
    expect(calls()).toBe(1)
    const zeros: Scrypt = (_password, _salt, _cost, length) => Promise.resolve(new Uint8Array(length))
    expect(await createPasswordHasher(zeros, cheap).verify('whatever', null)).toMatchObject({ matches: false })
  })

  it.each(['', 'plain', '$scrypt$ln=4,r=8,p=1$short$short', `$2b$10$${randomBytes(30).toString('base64url')}`])(
    'is an internal error and no match when it is malformed: %j',
    async (stored) => {
      await expect(createPasswordHasher(scrypt, cheap).verify('whatever', stored)).rejects.toThrow(AppError)
    },
  )
})

describe('a new password', () => {
  const isTaken = (password: string, email: string | null = null): boolean => {
    try {
      checkNewPassword(password, email, '#/password')
      return true
    } catch (error) {
      if (error instanceof AppError && error.code === 'validation_failed') return false
      throw error
    }
  }

  it.each([
    ['fifteen chars!!', true],
    ['fourteen chars', false],
    ['🏦🔑🐎🔋📎🏦🔑🐎🔋📎🏦🔑🐎🔋📎', true],
    ['🏦🔑🐎🔋📎🏦🔑', false],
    ['abababababababababab', false],
    ['only-lower-case-letters', true],
  ])('is accepted or refused by its characters: %s, %s', (password, taken) => {
    expect(isTaken(password)).toBe(taken)
  })

  it('may not hold the e-mail address', () => {
    expect(isTaken('Ann@Example.com is me', 'ann@example.com')).toBe(false)
    expect(isTaken('Bob@Example.com is me', 'ann@example.com')).toBe(true)
  })
})
