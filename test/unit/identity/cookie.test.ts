import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { readRefreshCookie, refreshCookie, requireCookiePage } from '../../../src/http/refresh-cookie.ts'

const laptop = { strict: false, corsOrigins: ['http://localhost:3000'] }
const production = { strict: true, corsOrigins: ['https://app.example.com'] }

describe('the refresh cookie', () => {
  it('is out of scripts’ reach and for this host over https alone', () => {
    expect(refreshCookie(production, 'abc', 60)).toBe(
      '__Host-refresh_token=abc; HttpOnly; SameSite=Strict; Path=/; Max-Age=60; Secure',
    )
    expect(refreshCookie(laptop, 'abc', 60)).toBe('refresh_token=abc; HttpOnly; SameSite=Strict; Path=/; Max-Age=60')
  })

  it.each([
    ['__Host-refresh_token=abc', 'abc'],
    ['a=b; __Host-refresh_token=abc; c=d', 'abc'],
    ['refresh_token=abc', null],
    ['x__Host-refresh_token=abc', null],
    ['__Host-refresh_token=', null],
    ['__Host-refresh_token=one; __Host-refresh_token=two', null],
    ['', null],
    [undefined, null],
  ])('has, for the header %j, the value %j in production', (header, token) => {
    expect(readRefreshCookie(production, header)).toBe(token)
  })
})

describe('a page that brings a cookie', () => {
  it('is of a configured origin', () => {
    expect(() => requireCookiePage(production, { origin: 'https://app.example.com' })).not.toThrow()
  })

  it.each([
    undefined,
    'null',
    '',
    '*',
    'http://app.example.com',
    'https://app.example.com.evil.test',
    'https://evil.test/https://app.example.com',
    'https://APP.example.com',
    'https://app.example.com:444',
  ])('is refused from %j', (origin) => {
    expect(() => requireCookiePage(production, { origin })).toThrow(AppError)
  })

  it.each(['same-origin', 'same-site', 'none', undefined])('may be where Sec-Fetch-Site is %j', (site) => {
    const headers = { origin: 'https://app.example.com', 'sec-fetch-site': site }
    expect(() => requireCookiePage(production, headers)).not.toThrow()
  })

  it('is refused on another site, with the remedy', () => {
    const headers = { origin: 'https://app.example.com', 'sec-fetch-site': 'cross-site' }
    expect(() => requireCookiePage(production, headers)).toThrow(/Serve both under one registrable domain/)
  })

  it('is of any loopback port in development alone', () => {
    const headers = { origin: 'http://127.0.0.1:5599' }
    expect(() => requireCookiePage(laptop, headers)).not.toThrow()
    expect(() => requireCookiePage(production, headers)).toThrow(AppError)
  })
})
