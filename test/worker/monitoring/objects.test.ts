// The failures of Durable Objects, which no request sees if they are an alarm's, are logged and reported.
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, it, vi } from 'vitest'
import { PlaidQuota, RateLimiter } from '../../../src/objects.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** The lines that are logged while `work` runs. */
async function linesOf(work: () => Promise<unknown>): Promise<unknown[]> {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {})
  await work()
  return error.mock.calls.map(([line]): unknown => JSON.parse(String(line)))
}

it('an alarm that fails is logged, and fails for the platform, which runs it again', async () => {
  const lines = await linesOf(() =>
    runInDurableObject(env.RATE_LIMITER.getByName('fails'), async (object, state) => {
      expect(object).toBeInstanceOf(RateLimiter)
      vi.spyOn(state.storage, 'deleteAll').mockRejectedValue(new Error('the storage failed'))
      await expect(object.alarm()).rejects.toThrow('the storage failed')
    }),
  )
  expect(lines).toMatchObject([
    { event: 'object_failed', level: 'error', job: 'RateLimiter', error: { message: 'the storage failed' } },
  ])
})

it('a call that fails is logged, and fails for its caller', async () => {
  const lines = await linesOf(() =>
    runInDurableObject(env.PLAID_QUOTA.getByName('fails'), async (object, state) => {
      expect(object).toBeInstanceOf(PlaidQuota)
      vi.spyOn(state.storage, 'getAlarm').mockRejectedValue(new Error('the storage failed'))
      const call = { path: '/item/get', limit: null, itemId: null, userId: null, priority: 'interactive' } as const
      await expect(object.admit(call)).rejects.toThrow('the storage failed')
    }),
  )
  expect(lines).toMatchObject([{ event: 'object_failed', job: 'PlaidQuota' }])
})

it('a Durable Object that works logs nothing', async () => {
  const bucket = { name: 'global', place: 'x', limits: [{ policy: 'x', quota: 5, windowMs: 1000 }] }
  const lines = await linesOf(async () => {
    const { admitted } = await env.RATE_LIMITER.getByName('works').check([bucket])
    expect(admitted).toBe(true)
  })
  expect(lines).toEqual([])
})
