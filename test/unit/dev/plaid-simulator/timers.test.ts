// A timer never fires after the end.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { timers } from '../../../../src/dev/plaid-simulator/lib/timers.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('stop cancels what waits, and takes nothing new', async () => {
  const later = timers(() => undefined)
  const task = vi.fn<() => void>()
  later.after(10, task)
  await later.stop()
  later.after(10, task)
  expect(vi.getTimerCount()).toBe(0)
  await vi.advanceTimersByTimeAsync(50)
  expect(task).not.toHaveBeenCalled()
})

test('stopping the timers waits for a running task', async () => {
  const later = timers(() => undefined)
  const ended: string[] = []
  later.follow(
    new Promise<void>((resolve) => {
      later.signal.addEventListener('abort', () => {
        ended.push('work')
        resolve()
      })
    }),
  )
  await later.stop()
  ended.push('stop')
  expect(ended).toEqual(['work', 'stop'])
})

test('work that fails is logged, and does not break what comes after', async () => {
  const lines: string[] = []
  const later = timers((line) => lines.push(line))
  const task = vi.fn<() => void>()
  later.after(1, () => {
    throw new Error('broken')
  })
  later.after(2, task)
  await vi.advanceTimersByTimeAsync(5)
  expect(lines).toEqual([expect.stringContaining('broken')])
  expect(task).toHaveBeenCalledOnce()
  await later.stop()
})
