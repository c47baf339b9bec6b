// Timeouts: work that ends in time leaves no timer, and other work is aborted.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { withDeadline } from '../../src/timeout.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a deadline', () => {
  it('ends with its work and leaves no timer', async () => {
    expect(await withDeadline(1000, () => Promise.resolve('done'))).toBe('done')
    await expect(withDeadline(1000, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('aborts work that takes longer, and rejects although the work overlooks its signal', async () => {
    let given: AbortSignal | null = null
    const late = withDeadline(1000, (signal) => {
      given = signal
      return Promise.withResolvers<never>().promise
    })
    const ended = late.catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(1000)
    expect(await ended).toMatchObject({ name: 'TimeoutError' })
    expect(given).toMatchObject({ aborted: true, reason: { name: 'TimeoutError' } })
    expect(vi.getTimerCount()).toBe(0)
  })
})
