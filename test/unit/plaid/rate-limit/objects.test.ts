// Which Durable Object counts which call, where it is created, and which calls its failure affects.
import { describe, expect, it } from 'vitest'
import { defaultLimits, limitNameOf, limitsWith } from '../../../../src/plaid/rate-limit/limits.ts'
import { type Caller, createPlaidLimiter, type PlaidLimiterObjects } from '../../../../src/plaid/rate-limit/limiter.ts'
import { limiterObjectsInMemory } from '../store-in-memory.ts'

const background: Caller = { priority: 'background', itemId: 'item', userId: null }
const paths = [
  '/transactions/sync',
  '/accounts/get',
  '/accounts/balance/get',
  '/investments/holdings/get',
  '/investments/transactions/get',
  '/liabilities/get',
  '/item/get',
  '/item/remove',
  '/transactions/recurring/get',
  '/user/items/get',
  '/transactions/refresh',
  '/investments/refresh',
  '/link/token/create',
]

/** A rate limiter, with the names and options with which it requested its objects. */
function recording(fails: (name: string) => boolean = () => false, location: 'weur' | null = null) {
  const asked: { readonly name: string; readonly options: unknown }[] = []
  const failures: unknown[] = []
  const memory = limiterObjectsInMemory()
  const objects: PlaidLimiterObjects = {
    getByName(name, options) {
      asked.push({ name, options })
      const object = memory.getByName(name)
      return {
        admit: (call) => (fails(name) ? Promise.reject(new Error(`${name} fails`)) : object.admit(call)),
        refused: (refusal) => object.refused(refusal),
      }
    },
  }
  const limiter = createPlaidLimiter({
    objects,
    limits: limitsWith({}),
    location,
    wait: () => Promise.resolve(),
    random: () => 0,
    onFailure: (error) => void failures.push(error),
  })
  return { limiter, asked, failures, names: () => asked.map(({ name }) => name) }
}

describe('the object that counts a call', () => {
  it.each(paths)('is that of its limit alone: %s', async (path) => {
    const { limiter, names } = recording()
    await limiter.check(path, background)
    await limiter.recordRejection(path, background, 'RATE_LIMIT', 30)
    const name = `client:${String(limitNameOf(path))}`
    expect(names()).toEqual([name, name])
  })

  it('exists once for each limit, and once for the endpoints without one', async () => {
    const { limiter, names } = recording()
    for (const path of [...paths, '/institutions/get_by_id', '/categories/get']) await limiter.check(path, background)
    expect(new Set(names()).size).toBe(Object.keys(defaultLimits).length + 1)
    expect(names().slice(-2)).toEqual(['client:unlimited', 'client:unlimited'])
  })

  it.each([
    ['weur', { locationHint: 'weur' }],
    [null, {}],
  ] as const)('is created where the operator says: %s', async (location, options) => {
    const { limiter, asked } = recording(() => false, location)
    await limiter.check('/item/get', background)
    expect(asked).toEqual([{ name: 'client:item_get', options }])
  })

  it('does not pause the other endpoints when it fails', async () => {
    const { limiter, names, failures } = recording((name) => name === 'client:sync')
    expect(await limiter.check('/transactions/sync', background)).toEqual({ kind: 'failed', afterSeconds: 60 })
    expect(await limiter.check('/transactions/sync', background)).toEqual({ kind: 'failed', afterSeconds: 60 })
    expect(await limiter.check('/item/get', background)).toEqual({ kind: 'admitted' })
    // The failing object gets no call in that time.
    expect(names()).toEqual(['client:sync', 'client:item_get'])
    expect(failures).toHaveLength(1)
  })
})
