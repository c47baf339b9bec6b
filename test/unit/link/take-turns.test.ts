// The order in which the work of users is processed. The test decides when each part of the work ends.
import { describe, expect, it } from 'vitest'
import { takeTurns } from '../../../src/link/take-turns.ts'

interface Work {
  readonly userId: string
  readonly name: string
}

const workOf = (userId: string, count: number): Work[] =>
  Array.from({ length: count }, (_, index) => ({ userId, name: `${userId}${index + 1}` }))

/** Work that takes one tick, the order in which it started, and the most work in progress at a time. */
function measured() {
  const started: string[] = []
  const busy = new Set<string>()
  const seen = { most: 0, sameUserTwice: false }
  const act = async ({ userId, name }: Work): Promise<void> => {
    started.push(name)
    if (busy.has(userId)) seen.sameUserTwice = true
    busy.add(userId)
    seen.most = Math.max(seen.most, busy.size)
    await Promise.resolve()
    busy.delete(userId)
  }
  return { act, started, seen }
}

const never = () => false

describe('work of many users', () => {
  it('takes turns by user, however long the list of one is', async () => {
    const { act, started } = measured()
    await takeTurns([...workOf('a', 100), ...workOf('b', 1), ...workOf('c', 2)], act, { parallel: 1, isOver: never })
    expect(started.slice(0, 6)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
    expect(started).toHaveLength(103)
  })

  it('is worked off several at a time, and never two of one user', async () => {
    const { act, started, seen } = measured()
    const users = Array.from({ length: 12 }, (_, index) => workOf(`u${index} `, 3)).flat()
    expect(await takeTurns(users, act, { parallel: 5, isOver: never })).toEqual([])
    expect(new Set(started).size).toBe(36)
    expect(seen).toEqual({ most: 5, sameUserTwice: false })
  })

  it('continues while one piece hangs', async () => {
    const { promise: end, resolve } = Promise.withResolvers<void>()
    const done: string[] = []
    const act = async ({ name }: Work): Promise<void> => {
      if (name === 'slow1') await end
      done.push(name)
    }
    const all = takeTurns([...workOf('slow', 2), ...workOf('b', 20)], act, { parallel: 2, isOver: never })
    await expect.poll(() => done.length).toBe(20)
    resolve()
    expect(await all).toEqual([])
    expect(done.slice(20)).toEqual(['slow1', 'slow2'])
  })

  it('starts nothing when time is up, and returns what is left', async () => {
    const { act, started } = measured()
    const left = await takeTurns(workOf('a', 5), act, { parallel: 1, isOver: () => started.length >= 2 })
    expect(started).toEqual(['a1', 'a2'])
    expect(left.map(({ name }) => name)).toEqual(['a3', 'a4', 'a5'])
  })

  it('ends immediately without work', async () => {
    expect(await takeTurns([], () => Promise.reject(new Error('called')), { parallel: 5, isOver: never })).toEqual([])
  })
})
