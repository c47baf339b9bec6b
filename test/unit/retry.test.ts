// Retries of calls whose outcome is unknown.
import { describe, expect, it } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { pauseMs, retryWhileUnavailable } from '../../src/retry.ts'

/** Fails `failures` times with `code`, then returns its number of calls. */
function failing(failures: number, code: 'unavailable' | 'conflict' = 'unavailable') {
  let calls = 0
  return () => {
    calls += 1
    return calls > failures ? Promise.resolve(calls) : Promise.reject(new AppError(code, `call ${calls}`))
  }
}

function recording(attempts: number) {
  const pauses: number[] = []
  const wait = (milliseconds: number) => Promise.resolve(void pauses.push(milliseconds))
  return { pauses, options: { attempts, firstPauseMs: 100, wait, random: () => 0.5 } }
}

describe('retryWhileUnavailable', () => {
  it('repeats the call with doubled pauses until it succeeds', async () => {
    const { pauses, options } = recording(4)
    expect(await retryWhileUnavailable(options, failing(3))).toBe(4)
    expect(pauses).toEqual([100, 200, 400])
  })

  it('throws the error of the last attempt', async () => {
    const { pauses, options } = recording(2)
    await expect(retryWhileUnavailable(options, failing(2))).rejects.toThrow('call 2')
    expect(pauses).toEqual([100])
  })

  it('does not repeat a call that failed in another way', async () => {
    const { pauses, options } = recording(3)
    await expect(retryWhileUnavailable(options, failing(1, 'conflict'))).rejects.toThrow('call 1')
    expect(pauses).toEqual([])
  })
})

describe('pauseMs', () => {
  it('is half to one and a half of the doubled first pause', () => {
    expect([pauseMs(1, 400, 0), pauseMs(3, 400, 0), pauseMs(3, 400, 1)]).toEqual([200, 800, 2400])
  })
})
