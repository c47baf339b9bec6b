import { describe, expect, test } from 'vitest'
import {
  createKeyCache,
  type FetchedKey,
  type KeyCacheLimits,
  type SharedKeys,
} from '../../../../src/webhooks/keys/cache.ts'
import type { SharedKey } from '../../../../src/db/operations/webhook-keys.ts'
import { kid, now, nowSeconds, publishKey } from '../signer.ts'

const at = (offsetMs: number) => new Date(now.getTime() + offsetMs)

/** A key endpoint with these keys that counts requests. */
function createEndpoint(
  answers: Record<string, () => FetchedKey | Promise<FetchedKey>>,
  limits: Partial<KeyCacheLimits> = {},
  shared?: SharedKeys,
) {
  const asked: string[] = []
  const failures: unknown[] = []
  const find = createKeyCache({
    limits,
    ...(shared === undefined ? {} : { shared }),
    onFailure: (_kid, error) => failures.push(error),
    fetchKey: async (id) => {
      asked.push(id)
      return (await answers[id]?.()) ?? { notFound: true }
    },
  })
  /** Each key id comes from a separate network, unless the test names one. */
  const status = async (id: string, offsetMs = 0, network = id) => (await find(id, at(offsetMs), network)).status
  return { asked, failures, find, status }
}

const jwk = await publishKey()
const hour = 3_600_000
const day = 24 * hour
const found = (): FetchedKey => ({ found: jwk })

describe('the key cache', () => {
  test('asks once for a key, also for concurrent deliveries', async () => {
    const endpoint = createEndpoint({ [kid]: found })
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => await endpoint.status(kid)))
    expect([new Set(statuses), await endpoint.status(kid, 1000), endpoint.asked]).toEqual([
      new Set(['found']),
      'found',
      [kid],
    ])
  })

  test('looks at the kid: another key is asked for by its own', async () => {
    const other = await publishKey('other')
    const endpoint = createEndpoint({ [kid]: found, other: () => ({ found: other }) })
    expect([await endpoint.status(kid), await endpoint.status('other')]).toEqual(['found', 'found'])
    expect(endpoint.asked).toEqual([kid, 'other'])
  })

  test('asks again after an hour, and learns then that the key has expired', async () => {
    let key = jwk
    const endpoint = createEndpoint({ [kid]: () => ({ found: key }) })
    await endpoint.status(kid)
    key = await publishKey(kid, { expired_at: nowSeconds + 10 })
    expect([await endpoint.status(kid, hour - 1), await endpoint.status(kid, hour)]).toEqual(['found', 'expired'])
  })

  test.each<[string, unknown]>([
    ['a number', nowSeconds + 60],
    ['text, as exact JSON gives it', String(nowSeconds + 60)],
  ])('a cached key expires at its expired_at, given as %s', async (_case, expiredAt) => {
    const expiring = await publishKey(kid, { expired_at: expiredAt })
    const endpoint = createEndpoint({ [kid]: () => ({ found: expiring }) })
    expect([await endpoint.status(kid, 59_999), await endpoint.status(kid, 60_000)]).toEqual(['found', 'expired'])
    expect(endpoint.asked).toEqual([kid])
  })

  test('believes "no such key" for five minutes', async () => {
    const endpoint = createEndpoint({})
    const offsets = [0, 1, 299_999, 300_000]
    const statuses = []
    for (const offset of offsets) statuses.push(await endpoint.status('junk', offset))
    expect([statuses, endpoint.asked.length]).toEqual([['unknown', 'unknown', 'unknown', 'unknown'], 2])
  })

  test('makes at most ten key requests a minute in a flood of junk kids, and then says that it cannot know', async () => {
    const endpoint = createEndpoint({})
    const flood = await Promise.all(
      Array.from({ length: 1000 }, async (_, index) => await endpoint.status(`junk-${index}`)),
    )
    expect(endpoint.asked.length).toBe(10)
    expect(flood.slice(10)).toEqual(Array.from({ length: 990 }, () => 'unavailable'))
    expect(await endpoint.status('junk-later', 59_999)).toBe('unavailable')
    expect(await endpoint.status('junk-later', 60_000)).toBe('unknown')
  })

  test('keeps serving and refreshing known keys in such a flood', async () => {
    const endpoint = createEndpoint({ [kid]: found }, { maxEntries: 20 })
    await endpoint.status(kid)
    for (let index = 0; index < 500; index += 1) await endpoint.status(`junk-${index}`, index * 1000)
    expect(await endpoint.status(kid, 500_000)).toBe('found')
    for (let index = 0; index < 100; index += 1) await endpoint.status(`more-${index}`, day)
    expect(await endpoint.status(kid, day)).toBe('found')
    expect(endpoint.asked.filter((id) => id === kid).length).toBe(2)
  })

  test('bounds the requests for a known key whose endpoint has gone down', async () => {
    let isDown = false
    const endpoint = createEndpoint({
      [kid]: () => {
        if (isDown) throw new Error('down')
        return found()
      },
    })
    await endpoint.status(kid)
    isDown = true
    for (let index = 0; index < 100; index += 1) await endpoint.status(kid, day)
    expect(endpoint.asked.length).toBe(11)
  })

  test('uses a key for a day whose endpoint has gone down, and asks again once a minute', async () => {
    let isDown = false
    const endpoint = createEndpoint({
      [kid]: () => {
        if (isDown) throw new Error('down')
        return found()
      },
    })
    await endpoint.status(kid)
    isDown = true
    const statuses = new Set<string>()
    for (let offset = hour; offset < hour + 10 * 60_000; offset += 10_000)
      statuses.add(await endpoint.status(kid, offset))
    expect([statuses, endpoint.asked.length]).toEqual([new Set(['found']), 11])
    expect([await endpoint.status(kid, day - 1), await endpoint.status(kid, day)]).toEqual(['found', 'unavailable'])
  })

  test('an endpoint that is down is "unavailable" and is asked again', async () => {
    let isDown = true
    const endpoint = createEndpoint({
      [kid]: () => {
        if (isDown) throw new Error('down')
        return found()
      },
    })
    expect(await endpoint.status(kid)).toBe('unavailable')
    expect(endpoint.failures).toEqual([new Error('down')])
    isDown = false
    expect(await endpoint.status(kid)).toBe('found')
  })

  test.each<[string, Record<string, unknown> | string | null]>([
    ['nothing', null],
    ['text', 'key'],
    ['another kid', { kid: 'other' }],
    ['another algorithm', { alg: 'RS256' }],
    ['another curve', { crv: 'P-384' }],
    ['another type', { kty: 'RSA' }],
    ['an encryption key', { use: 'enc' }],
    ['a point off the curve', { x: 'A'.repeat(43) }],
    ['a short coordinate', { y: 'AAAA' }],
    ['an expiry that is no time', { expired_at: 'soon' }],
  ])('a response with %s is "unavailable", never a key and never "no such key"', async (_case, change) => {
    const answer = typeof change === 'object' && change !== null ? { ...jwk, ...change } : change
    const endpoint = createEndpoint({ [kid]: () => ({ found: answer }) })
    expect([await endpoint.status(kid), await endpoint.status(kid)]).toEqual(['unavailable', 'unavailable'])
    expect(endpoint.asked.length).toBe(2)
  })

  test.each<[string, Record<string, unknown>]>([
    ['a further member', { key_ops: ['verify'], x5c: ['AA'], ext: true }],
    ['no alg and no use', { alg: undefined, use: undefined }],
  ])('takes a key with %s', async (_case, change) => {
    const endpoint = createEndpoint({ [kid]: () => ({ found: { ...jwk, ...change } }) })
    expect(await endpoint.status(kid)).toBe('found')
  })

  test('gives up waiting for a request that never ends, and lets a later delivery ask anew', async () => {
    let answers = 0
    const never = Promise.withResolvers<FetchedKey>().promise
    const endpoint = createEndpoint(
      { [kid]: async () => ((answers += 1) === 1 ? await never : found()) },
      { waitMs: 20 },
    )
    expect(await Promise.all([endpoint.status(kid), endpoint.status(kid)])).toEqual(['unavailable', 'unavailable'])
    expect(await endpoint.status(kid, 20)).toBe('found')
  })

  test('holds at most as many keys as its limit', async () => {
    const ids = Array.from({ length: 5 }, (_, index) => `key-${index}`)
    const answers = Object.fromEntries(ids.map((id) => [id, async () => ({ found: await publishKey(id) })]))
    const endpoint = createEndpoint(answers, { maxEntries: 3 })
    for (const id of ids) await endpoint.status(id)
    expect([await endpoint.status('key-4'), endpoint.asked.length]).toEqual(['found', 5])
    expect([await endpoint.status('key-0'), endpoint.asked.length]).toEqual(['found', 6])
  })
})

describe('requests for unknown key ids', () => {
  const junk = (count: number) => Array.from({ length: count }, (_, index) => `junk-${index}`)

  test('are two a minute for each network, so that a flood from one leaves the rest to others', async () => {
    const endpoint = createEndpoint({ [kid]: found })
    const flood = []
    for (const id of junk(100)) flood.push(await endpoint.status(id, 0, '198.51.100.0/24'))
    expect(flood).toEqual(['unknown', 'unknown', ...Array<string>(98).fill('unavailable')])
    expect(await endpoint.status(kid, 0, '203.0.113.0/24')).toBe('found')
    expect(await endpoint.status('later', 59_999, '198.51.100.0/24')).toBe('unavailable')
    expect(await endpoint.status('later', 60_000, '198.51.100.0/24')).toBe('unknown')
  })

  test('cost a network nothing of its share when Plaid does not respond', async () => {
    let isDown = true
    const endpoint = createEndpoint({
      [kid]: () => {
        if (isDown) throw new Error('down')
        return found()
      },
    })
    for (let attempt = 0; attempt < 5; attempt += 1) await endpoint.status(kid, 0, '198.51.100.0/24')
    isDown = false
    expect(await endpoint.status(kid, 0, '198.51.100.0/24')).toBe('found')
  })

  test("leave a reserve to Plaid's networks", async () => {
    const endpoint = createEndpoint({ [kid]: found })
    for (const id of junk(100)) await endpoint.status(id)
    expect(await endpoint.status(kid, 0, '203.0.113.0/24')).toBe('unavailable')
    expect(await endpoint.status(kid, 0, '52.21.26.0/24')).toBe('found')
  })
})

describe('keys that isolates share', () => {
  /** The key store that all isolates share, with a record of each call. */
  function createShared(keys: SharedKey[] = []) {
    const calls: string[] = []
    const shared: SharedKeys = {
      read: () => {
        calls.push('read')
        return Promise.resolve(keys)
      },
      save: ({ kid: id }) => Promise.resolve(void calls.push(`save ${id}`)),
      remove: (id) => Promise.resolve(void calls.push(`remove ${id}`)),
    }
    return { shared, calls, keys }
  }
  const stored = (fetchedAtMs = now.getTime()): SharedKey => ({ kid, jwk, fetchedAtMs })

  test('serve a cold isolate without a request, also when all requests are spent', async () => {
    const { shared } = createShared([stored()])
    const endpoint = createEndpoint({ [kid]: found }, {}, shared)
    for (let index = 0; index < 50; index += 1) await endpoint.status(`junk-${index}`)
    expect([await endpoint.status(kid), endpoint.asked.includes(kid)]).toEqual(['found', false])
  })

  test('are read once in five seconds, however many key ids come', async () => {
    const { shared, calls } = createShared()
    const endpoint = createEndpoint({}, {}, shared)
    await Promise.all(Array.from({ length: 500 }, async (_, index) => await endpoint.status(`junk-${index}`)))
    await endpoint.status('more', 4999)
    expect(calls).toEqual(['read'])
    await endpoint.status('most', 5000)
    expect(calls).toEqual(['read', 'read'])
  })

  test('get what an isolate fetched, and lose what Plaid no longer has', async () => {
    const { shared, calls } = createShared()
    let isGone = false
    const endpoint = createEndpoint({ [kid]: () => (isGone ? { notFound: true } : found()) }, {}, shared)
    await endpoint.status(kid)
    isGone = true
    await endpoint.status(kid, hour)
    await endpoint.status('junk', hour)
    expect(calls.filter((call) => call !== 'read')).toEqual([`save ${kid}`, `remove ${kid}`])
  })

  test('are asked for again an hour after they were fetched, unless another isolate has done that', async () => {
    const { shared, keys } = createShared([stored(now.getTime() - hour)])
    const endpoint = createEndpoint({ [kid]: found }, {}, shared)
    expect([await endpoint.status(kid), endpoint.asked]).toEqual(['found', [kid]])
    keys.splice(0, 1, stored(now.getTime() + hour))
    expect([await endpoint.status(kid, hour), endpoint.asked]).toEqual(['found', [kid]])
  })

  test('are fetched by the isolate when the stored ones cannot be read, written or parsed', async () => {
    const failing: SharedKeys = {
      read: () => Promise.reject(new Error('down')),
      save: () => Promise.reject(new Error('down')),
      remove: () => Promise.reject(new Error('down')),
    }
    expect(await createEndpoint({ [kid]: found }, {}, failing).status(kid)).toBe('found')
    const { shared } = createShared([{ ...stored(), jwk: { kty: 'RSA' } }])
    expect(await createEndpoint({ [kid]: found }, {}, shared).status(kid)).toBe('found')
  })
})
