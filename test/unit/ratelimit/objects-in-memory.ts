// The rate limiter's arithmetic over a Map, in place of its Durable Objects. Tests in workerd cover eviction and
// concurrency.
import type { LimiterObjects } from '../../../src/ratelimit/limiter.ts'
import { countIn, decide, emptyLog, type Log } from '../../../src/ratelimit/window.ts'

/** @param calls gets the name of each object that is called */
export function objectsInMemory(now: () => number = Date.now, calls: string[] = []): LimiterObjects {
  const logs = new Map<string, Log>()
  return {
    getByName: (object) => ({
      check(buckets) {
        calls.push(object)
        const keys = buckets.map(({ name, place }) => `${object} ${name} ${place}`)
        const held = keys.map((key) => logs.get(key) ?? emptyLog)
        const { admitted, standings, changed } = decide(buckets, held, now())
        for (const [index, log] of changed) logs.set(keys[index] ?? '', log)
        return Promise.resolve({ admitted, standings })
      },
      look: (buckets) =>
        Promise.resolve(
          buckets.map(({ name, place, limits }) =>
            countIn(logs.get(`${object} ${name} ${place}`) ?? emptyLog, limits[0]?.windowMs ?? 0, now()),
          ),
        ),
    }),
  }
}
