// The address for reports of vulnerabilities (RFC 9116).
import { describe, expect, it } from 'vitest'
import { serveApp, problemOf, productionVariables, servicesOf } from './serve-app.ts'

const ask = async (contact: string): Promise<Response> =>
  await serveApp(() => servicesOf({ ...productionVariables, SECURITY_CONTACT: contact })).ask(
    '/.well-known/security.txt',
  )

describe('the file security.txt', () => {
  it('names each contact and a day less than a year ahead, as plain text that caches may keep for a day', async () => {
    const response = await ask('mailto:security@example.com, https://example.com/report')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('public, max-age=86400')
    const text = await response.text()
    expect(text).toMatch(
      /^Contact: mailto:security@example\.com\nContact: https:\/\/example\.com\/report\nExpires: \S+\nPreferred-Languages: en\n$/,
    )
    const days = (Date.parse(/Expires: (\S+)/.exec(text)?.[1] ?? '') - Date.now()) / 86_400_000
    expect(days).toBeGreaterThan(178)
    expect(days).toBeLessThanOrEqual(180)
  })

  it('does not exist where the operator named no contact', async () => {
    expect(await problemOf(await ask(''))).toMatchObject({ status: 404, code: 'not_found' })
  })
})
