// The cookies of the console's sign-in: who can read, set and receive them.
import { describe, expect, it } from 'vitest'
import {
  beginCookies,
  endAttempt,
  readAttempt,
  readSession,
  sessionCookies,
} from '../../../src/http/provider-cookies.ts'

const strict = { strict: true }
const pairOf = (cookie: string): string => cookie.split(';')[0] ?? ''

describe('the cookie of a sign-in', () => {
  const begun = { id: 'abc', sealed: 'wn1.sealed', maxAgeSeconds: 600 }

  it('is for this host over https alone, returns from another site by navigation, and is of one tab', () => {
    expect(beginCookies(strict, begun, undefined)).toEqual([
      '__Host-console_sign_in_abc=wn1.sealed; HttpOnly; SameSite=Lax; Path=/; Max-Age=600; Secure',
    ])
    expect(readAttempt(strict, 'abc', '__Host-console_sign_in_abc=wn1.sealed; x=y')).toBe('wn1.sealed')
    expect(readAttempt(strict, 'other', '__Host-console_sign_in_abc=wn1.sealed')).toBeNull()
    expect(endAttempt(strict, 'abc')).toContain('Max-Age=0')
  })

  it('counts as absent where it is sent without its prefix, or twice', () => {
    expect(readAttempt(strict, 'abc', 'console_sign_in_abc=x')).toBeNull()
    expect(readAttempt(strict, 'abc', '__Host-console_sign_in_abc=x; __Host-console_sign_in_abc=y')).toBeNull()
  })

  it('replaces the earlier ones where there are five', () => {
    const header = [1, 2, 3, 4, 5].map((n) => `__Host-console_sign_in_${n}=x`).join('; ')
    const cookies = beginCookies(strict, begun, `${header}; other=1`)
    expect(cookies.filter((cookie) => cookie.includes('Max-Age=0')).length).toBe(5)
    expect(cookies.length).toBe(6)
    expect(beginCookies(strict, begun, header.replace('; __Host-console_sign_in_5=x', '')).length).toBe(1)
  })
})

describe('the cookies of a session', () => {
  it('go to the routes of the session alone, and are bound to a cookie that no other host can set', () => {
    const [first, second, third, browser] = sessionCookies(strict, { sealed: 's', browser: 'b', maxAgeSeconds: 60 })
    expect(first).toBe(
      '__Secure-console_session_0=s; HttpOnly; SameSite=Strict; Path=/console/session; Max-Age=60; Secure',
    )
    expect([second, third].every((cookie) => cookie?.includes('Max-Age=0'))).toBe(true)
    expect(browser).toBe('__Host-console_browser=b; HttpOnly; SameSite=Strict; Path=/; Max-Age=60; Secure')
  })

  it('are parts that a browser keeps, and are read together', () => {
    const sealed = 'x'.repeat(11_180)
    const cookies = sessionCookies(strict, { sealed, browser: 'b', maxAgeSeconds: 60 })
    expect(cookies.every((cookie) => cookie.length < 4096)).toBe(true)
    const header = cookies.map(pairOf).join('; ')
    expect(readSession(strict, header)).toEqual({ sealed, browser: 'b' })
    expect(readSession(strict, header.replace('__Host-console_browser=b', ''))).toBeNull()
  })
})
