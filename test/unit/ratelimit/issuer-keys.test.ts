// Rate limits and the keys of an issuer. Cached keys verify a token before any limit is checked; a request for new keys
// counts against the limit of the address.
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createJwksSource } from '../../../src/auth/jwks.ts'
import { developmentVariables, type ServedApp, serveApp, servicesOf } from '../http/serve-app.ts'

const issuer = 'https://issuer.example'
const audience = 'api'
const { publicKey, privateKey } = await generateKeyPair('ES256')
const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256' }

const signToken = (subject: string, kid: string): Promise<string> =>
  new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setExpirationTime('5 minutes')
    .sign(privateKey)

interface Opened {
  readonly served: ServedApp
  readonly fetches: () => number
  /** The key ids that the issuer has published. */
  readonly kids: string[]
  readonly ask: (address: string, subject: string, kid: string) => Promise<number>
}

/** A deployment with an issuer. Without a pause between requests, every unknown key could cause one. */
function open(quotas: Readonly<Record<string, number>>, maxAgeMs = 600_000, isDown = false): Opened {
  const kids = ['k1']
  let fetches = 0
  const jwks = createJwksSource({
    url: `${issuer}/keys`,
    cooldownMs: 0,
    maxAgeMs,
    fetch: () => {
      fetches += 1
      if (isDown) return Promise.reject(new Error('no route'))
      return Promise.resolve(Response.json({ keys: kids.map((kid) => ({ ...jwk, kid })) }))
    },
  })
  const rules = { scopeClaim: null, writeScope: null, admin: null }
  const services = servicesOf({ ...developmentVariables, RATE_LIMITS: JSON.stringify(quotas) })
  const served = serveApp(() => ({
    ...services,
    auth: { mode: 'oidc', issuer, audience, jwks, rules, longestSeconds: 86_400 },
  }))
  return {
    served,
    kids,
    fetches: () => fetches,
    // A request that validation refuses with 400 after its token was verified.
    ask: async (address, subject, kid) => {
      const headers = { authorization: `Bearer ${await signToken(subject, kid)}`, 'cf-connecting-ip': address }
      return (await served.ask('/api/v1/accounts/x', { headers })).status
    },
  }
}

describe("an issuer's keys", () => {
  it('are fetched for unknown keys as often as the strict limit of the address allows', async () => {
    const { ask, fetches } = open({ global: 3 })
    expect(await ask('192.0.2.9', 'alice', 'k1')).toBe(400)
    const before = fetches()
    const seen: number[] = []
    for (let request = 0; request < 20; request += 1) seen.push(await ask('192.0.2.1', 'mallory', `junk ${request}`))
    expect(seen).toEqual([401, 401, 401, ...Array(17).fill(429)])
    expect(fetches() - before).toBe(3)
  })

  it('serve the logins of an address whose unknown keys are over the limit, from the cache', async () => {
    const { ask, fetches } = open({ global: 1 })
    expect(await ask('192.0.2.1', 'alice', 'k1')).toBe(400)
    expect([await ask('192.0.2.1', 'mallory', 'junk'), await ask('192.0.2.1', 'mallory', 'junk')]).toEqual([401, 429])
    const before = fetches()
    expect(await ask('192.0.2.1', 'bob', 'k1')).toBe(400)
    expect(fetches()).toBe(before)
  })

  it('are fetched when they are old, also for an address that is over its strict limit', async () => {
    const { ask, fetches } = open({ global: 1 }, 0)
    expect([await ask('192.0.2.1', 'mallory', 'junk'), await ask('192.0.2.1', 'mallory', 'junk')]).toContain(429)
    const before = fetches()
    expect(await ask('192.0.2.1', 'alice', 'k1')).toBe(400)
    expect(fetches()).toBe(before + 1)
  })

  it('are not fetched when they are old for an address that is over its generous limit', async () => {
    const { ask, fetches } = open({ address: 2 }, 0)
    expect([await ask('192.0.2.1', 'alice', 'k1'), await ask('192.0.2.1', 'bob', 'k1')]).toEqual([400, 400])
    const before = fetches()
    expect(await ask('192.0.2.1', 'carol', 'k1')).toBe(429)
    expect(fetches()).toBe(before)
  })

  it('count tokens against the strict limit of the address while they cannot be fetched', async () => {
    const { ask } = open({ global: 3, address: 1000 }, 600_000, true)
    const seen: number[] = []
    for (let request = 0; request < 6; request += 1) seen.push(await ask('192.0.2.1', 'mallory', 'k1'))
    expect(seen).toEqual([503, 503, 503, 429, 429, 429])
  })

  it('let a new key in, and count the request that found it once', async () => {
    const { served, ask, kids } = open({ global: 5, address: 5 })
    await ask('192.0.2.2', 'alice', 'k1')
    kids.push('k2')
    const headers = { authorization: `Bearer ${await signToken('alice', 'k2')}`, 'cf-connecting-ip': '192.0.2.1' }
    const response = await served.ask('/api/v1/accounts/x', { headers })
    expect(response.status).toBe(400)
    // Counted for its address, because its key was unknown, and for its user.
    expect(response.headers.get('ratelimit-policy')).not.toContain('"address"')
    expect(response.headers.get('ratelimit')).toContain('"global";r=3;')
  })
})
