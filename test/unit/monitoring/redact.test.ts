import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRedactor, redact, redactValue } from '../../../src/monitoring/redact.ts'
import { password, secrets } from './secrets.ts'

const kinds = Object.entries(secrets)

describe('redaction', () => {
  test.each(kinds)('removes a secret wherever it stands in a text: %s', (_kind, secret) => {
    const places = [
      secret,
      `failed for ${secret}.`,
      `"${secret}"`,
      `{"token":"${secret}"}`,
      JSON.stringify(JSON.stringify({ x: secret })),
      `https://h.example/a?x=${secret}&b=1`,
      `https://h.example/a?x=${encodeURIComponent(secret)}`,
      `prefix:${secret},suffix`,
      `${secret}\n${secret}`,
      `${'word '.repeat(3270)}${secret}`,
    ]
    for (const place of places) {
      expect(redact(place)).not.toContain(secret)
      expect(redact(place)).not.toContain(secret.slice(8, 32))
    }
  })

  test.each([
    `postgres://wn_api:${password}@db.example.org/neon?sslmode=require`,
    `connect failed: postgresql://u:${password}@10.0.0.1:5432/db`,
    `https://user:${password}@sentry.example/42`,
    `PLAID-SECRET: ${password}`,
    `headers: { 'PLAID-SECRET': '${password}', 'x': 1 }`,
    `{"secret":"${password}","client_id":"x"}`,
    `{\\"secret\\":\\"${password}\\"}`,
    `secret=${password}&x=1`,
    `Authorization: Bearer ${password}`,
    `authorization: Basic ${password}`,
    `Authorization: ${password} and more ${password}`,
    `cookie: a=${password}; b=${password}`,
    `Set-Cookie: session=${password}; HttpOnly`,
    `Plaid-Verification: ${password}`,
    `X-Webhook-Signature: ${password}`,
    `ENCRYPTION_KEY=${password}`,
    `ENCRYPTION_KEYS_PREVIOUS: ${password}`,
    `PLAID_WEBHOOK_VERIFICATION_KEY=${password}`,
    `SECRET_KEY = "${password}"`,
    `password: '${password}'`,
    `db_password=${password}`,
    `{"access_token": "${password}"}`,
    `?public_token=${password}`,
    `refresh_token=${password}`,
    `Neon-Connection-String: ${password}`,
    `{"accessToken":"${password}"}`,
    `clientSecret: ${password}`,
    `{"password":"a \\"quoted\\" ${password}"}`,
    `{"password":"${password} with spaces ${password}"}`,
  ])('removes the value of a secret name: %s', (text) => {
    expect(redact(text)).not.toContain(password)
  })

  test.each([
    'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION',
    '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    'BxBXxLj1m4HMXBm9WZZmCWVbPjX16EHwv99vp',
    '5a3c1e0d2b4f4a6e8c0d1e2f3a4b5c6d',
    'GET /api/v1/plaid/items/3f2504e0-4f89-41d3-9a0c-0305e82c3301/access_token/rotate',
    'at handleRequest (file:///home/runner/project/src/webhooks/receive.ts:10:20)',
    '2026-11-21T12:00:00.000Z webhook verified',
    'postgres://127.0.0.1:5432/db',
    'https://api.example.org/v1/accounts?limit=100',
  ])('leaves what an operator needs: %s', (text) => {
    expect(redact(text)).toBe(text)
  })

  test('removes configured secrets of any shape, raw, percent-encoded and in JSON', () => {
    const odd = 'short "pass" wörd/1'
    const clean = createRedactor([odd, 'tiny', ''])
    const text = `${odd} ${encodeURIComponent(odd)} ${JSON.stringify({ odd })} tiny`
    expect(clean(text)).toBe('[redacted] [redacted] {"odd":"[redacted]"} tiny')
  })

  test('cuts long text without leaving half a secret at the cut', () => {
    const token = secrets['key in base64url'] ?? ''
    for (let shift = 0; shift < token.length; shift += 1) {
      const clean = redact(`${'a b '.repeat(4096).slice(0, 16_384 - shift)}${token}`)
      expect(clean).not.toContain(token.slice(0, 6))
    }
  })

  test('is fast on text made to be slow', { timeout: 20_000 }, () => {
    const hostile = [
      'eyJ',
      '://',
      'a.',
      'a@',
      '@a.',
      'secret',
      'secret:',
      'token_',
      'a-sandbox-',
      'bearer ',
      '"',
      '\\',
      'a_',
      ' ',
      'é',
      '=',
      'cookie=',
      '"\\"secret',
      'A1/',
    ]
    for (const unit of hostile) {
      const text = unit.repeat(16_384 / unit.length)
      const start = performance.now()
      redact(text)
      // Ten times what it takes; a quadratic pattern takes seconds.
      expect(performance.now() - start, `slow on ${JSON.stringify(unit)}`).toBeLessThan(500)
    }
  })

  test('removes secrets among any other text', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom(...Object.values(secrets), 'secret=', 'Bearer ', '://', '@'))
    const separator = fc.constantFrom(' ', ',', '"', '\n', '/', ':', '=', '\\', '.')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), separator, (pieces, between) => {
        const once = redact(pieces.join(between))
        for (const secret of Object.values(secrets)) expect(once).not.toContain(secret)
      }),
      { numRuns: 500 },
    )
  })
})

describe('redaction of values', () => {
  test.each(kinds)('reaches every string and member name: %s', (_kind, secret) => {
    const value = { a: [{ b: { c: secret } }], [secret]: 1, text: `x ${secret}` }
    expect(JSON.stringify(redactValue(value))).not.toContain(secret)
  })

  test('replaces members with secret names, with any value', () => {
    const value = { password, nested: { 'PLAID-SECRET': [password], access_token: { x: password } }, Cookie: password }
    expect(JSON.stringify(redactValue(value))).not.toContain(password)
  })

  test('ends on cycles, depth and breadth, and runs no toJSON', () => {
    const cycle: Record<string, unknown> = { name: 'x' }
    cycle['self'] = cycle
    let deep: unknown = 'end'
    for (let depth = 0; depth < 10_000; depth += 1) deep = { deep }
    const wide = Array.from({ length: 100_000 }, () => ({}))
    const loaded = { toJSON: () => password }
    expect(JSON.stringify(redactValue({ cycle, deep, loaded }))).not.toContain(password)
    expect(JSON.stringify(redactValue(wide)).length).toBeLessThan(100_000)
  })
})
