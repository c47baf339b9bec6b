import { describe, expect, it } from 'vitest'
import type { Scrypt } from '../../../src/identity/scrypt.ts'
import { inTurns } from '../../../src/identity/scrypt-turns.ts'

const cost = { logN: 1, r: 1, p: 1 }
const bytes = new Uint8Array(1)
/** The password's first byte names the call. */
const named = (name: number) => [new Uint8Array([name]), bytes, cost, 1] as const

describe('password hashes of one isolate', () => {
  it('run in the order of the calls, with other work between any two', async () => {
    const done: (number | string)[] = []
    const scrypt: Scrypt = ([name = 0]) => {
      done.push(name)
      setTimeout(() => done.push('other work'))
      return Promise.resolve(bytes)
    }
    const hash = inTurns(scrypt)
    await Promise.all([1, 2, 3].map((name) => hash(...named(name))))
    expect(done.slice(0, 5)).toEqual([1, 'other work', 2, 'other work', 3])
  })

  it('continue after a failure', async () => {
    const hash = inTurns(([name]) => (name === 1 ? Promise.reject(new Error('no memory')) : Promise.resolve(bytes)))
    const ended = await Promise.allSettled([1, 2].map((name) => hash(...named(name))))
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  })

  it('wait five seconds at most for one whose request was cancelled', async () => {
    let nowMs = 0
    let calls = 0
    const pause = (milliseconds: number): Promise<void> => {
      calls += 1
      nowMs += milliseconds
      // The platform never continues a cancelled request.
      return calls === 1 ? new Promise<void>(() => {}) : Promise.resolve()
    }
    const hash = inTurns(() => Promise.resolve(bytes), { pause, now: () => nowMs })
    const cancelled = hash(...named(1))
    await hash(...named(2))
    expect(nowMs).toBeGreaterThanOrEqual(5000)
    expect(nowMs).toBeLessThan(5100)
    await hash(...named(3))
    expect(nowMs).toBeLessThan(5200)
    expect(await Promise.race([cancelled, Promise.resolve('still waiting')])).toBe('still waiting')
  })
})
