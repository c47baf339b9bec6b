import { exportJWK, generateKeyPair } from 'jose'
import { describe, expect, test } from 'vitest'
import { createJwksSource, type JwksOptions } from '../../../src/auth/jwks.ts'

const { publicKey } = await generateKeyPair('ES256')
const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256' }
const keySet = (...kids: string[]) => ({ keys: kids.map((kid) => ({ ...jwk, kid })) })
const unusedToken = { payload: '', signature: '', protected: '' }

/** A JWKS endpoint that responds as the test says and counts requests. */
function createIssuer(answer: () => Response | Promise<Response>, options: Partial<JwksOptions> = {}) {
  const requests: { url: string; redirect: string | undefined }[] = []
  const source = createJwksSource({
    url: 'https://issuer.example/jwks',
    fetch: async (input, init) => {
      requests.push({ url: input instanceof Request ? input.url : input.toString(), redirect: init?.redirect })
      return await answer()
    },
    ...options,
  })
  const look = async (kid: string, nowMs: number): Promise<string> =>
    await source({ alg: 'ES256', kid }, unusedToken, new Date(nowMs)).then(
      () => 'found',
      (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'unexpected'),
    )
  return { requests, look }
}

describe("the issuer's keys", () => {
  test('are fetched once for concurrent tokens and kept ten minutes', async () => {
    const { requests, look } = createIssuer(() => Response.json(keySet('a')))
    expect(new Set(await Promise.all(Array.from({ length: 50 }, async () => await look('a', 0))))).toEqual(
      new Set(['found']),
    )
    expect([await look('a', 599_999), requests.length]).toEqual(['found', 1])
    expect([await look('a', 600_000), requests.length]).toEqual(['found', 2])
  })

  test('are fetched again for an unknown kid, but once a cool-down however many come', async () => {
    const { requests, look } = createIssuer(() => Response.json(keySet('a')))
    await look('a', 0)
    await Promise.all(Array.from({ length: 100 }, async (_, index) => await look(`junk-${index}`, 30_000)))
    for (let index = 0; index < 100; index += 1) await look(`more-${index}`, 30_001 + index)
    expect(requests.length).toBe(2)
    expect(await look('junk', 40_000)).toBe('ERR_JWKS_NO_MATCHING_KEY')
  })

  test('include one that was published later, after the cool-down', async () => {
    let kids = ['a']
    const { look } = createIssuer(() => Response.json(keySet(...kids)))
    await look('a', 0)
    kids = ['a', 'b']
    expect([await look('b', 29_999), await look('b', 30_000)]).toEqual(['ERR_JWKS_NO_MATCHING_KEY', 'found'])
  })

  test('are "unavailable" when they cannot be fetched, requested once per cool-down, and recover', async () => {
    let isDown = true
    const { requests, look } = createIssuer(() => {
      if (isDown) throw new TypeError('network')
      return Response.json(keySet('a'))
    })
    for (let index = 0; index < 50; index += 1) expect(await look('a', index)).toBe('unavailable')
    expect(requests.length).toBe(1)
    isDown = false
    expect(await look('a', 30_000)).toBe('found')
  })

  test.each<[string, () => Response | Promise<Response>]>([
    ['an error', () => Response.json(keySet('a'), { status: 500 })],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: 'https://evil.example' } })],
    ['no JSON', () => new Response('<html>')],
    ['no keys', () => Response.json({})],
    ['keys that are none', () => Response.json({ keys: ['a'] })],
    ['more than 256 KiB', () => new Response(' '.repeat(300_000) + JSON.stringify(keySet('a')))],
  ])('answered with %s are "unavailable"', async (_case, answer) => {
    const { look } = createIssuer(answer)
    expect(await look('a', 0)).toBe('unavailable')
  })

  test('are given up after the timeout when they never arrive', async () => {
    const { look } = createIssuer(() => Promise.withResolvers<Response>().promise, { timeoutMs: 20 })
    expect(await Promise.all([look('a', 0), look('a', 0)])).toEqual(['unavailable', 'unavailable'])
  })

  test('come from the configured address only, without following redirects', async () => {
    const { requests, look } = createIssuer(() => Response.json(keySet('a')))
    await look('a', 0)
    expect(requests).toEqual([{ url: 'https://issuer.example/jwks', redirect: 'manual' }])
  })
})
