// What an operator sees of a limit costs the object little, however many items it has counted.
import { describe, expect, it } from 'vitest'
import { type AdmissionStore, createAdmissionControl } from '../../../../src/plaid/rate-limit/admission.ts'
import { largest, mostRead } from '../../../../src/plaid/rate-limit/largest.ts'
import { storeInMemory } from '../store-in-memory.ts'

const start = Date.parse('2031-03-04T05:06:00.000Z')
const many = mostRead + 5000

/** A store that counts the entries that are taken from a list. */
function counting(store: AdmissionStore): AdmissionStore & { readonly taken: () => number } {
  let taken = 0
  function* list(options: { prefix: string; limit?: number }) {
    for (const entry of store.list(options)) {
      taken += 1
      yield entry
    }
  }
  return {
    get: (key) => store.get(key),
    put: (key, value) => store.put(key, value),
    delete: (key) => store.delete(key),
    list,
    taken: () => taken,
  }
}

const callOf = (itemId: string, day: number | null = null) =>
  ({
    path: '/accounts/balance/get',
    itemId,
    priority: 'interactive',
    limit: { name: 'balance', item: 30, client: 1_000_000, day },
  }) as const

describe('the largest entries', () => {
  it.each([0, 1, 9, 10, 11, 40])('are those of a sorted list, of %i', (count) => {
    const entries = Array.from({ length: count }, (_, place) => ({ place, value: (place * 7) % 11 }))
    const sorted = entries.filter(({ value }) => value > 0).toSorted((one, other) => other.value - one.value)
    expect(largest(entries, ({ value }) => value)).toEqual(sorted.slice(0, 10))
  })

  it('are of the first 10,000 entries', () => {
    let read = 0
    function* endless() {
      for (;;) yield (read += 1)
    }
    expect(largest(endless(), (value) => value)[0]).toBe(mostRead)
    expect(read).toBe(mostRead)
  })
})

describe('a look at a limit', () => {
  it('reads at most 10,000 entries in memory, and as many in storage', () => {
    const store = counting(storeInMemory())
    const control = createAdmissionControl(store, start)
    for (let item = 0; item < many; item += 1)
      for (let call = 0; call < 11; call += 1) control.admit(callOf(`i${item}`, 50), start)
    const before = store.taken()
    const seen = control.look('balance', start)
    expect([seen.client.used, seen.items.length, seen.days.length]).toEqual([many * 11, 10, 10])
    expect(store.taken() - before).toBeLessThanOrEqual(2 * mostRead)
    const restarted = createAdmissionControl(store, start + 1000)
    const [afterStart, later] = [store.taken(), restarted.look('balance', start + 1000)]
    expect([later.items.length, later.items[0]?.used ?? 0]).toEqual([10, expect.any(Number)])
    expect(store.taken() - afterStart).toBeLessThanOrEqual(2 * mostRead)
  })

  it('shows an item once, with the count that is in memory', () => {
    const store = storeInMemory()
    const control = createAdmissionControl(store, start)
    for (let call = 0; call < 12; call += 1) control.admit(callOf('busy'), start)
    control.admit(callOf('calm'), start)
    expect(control.look('balance', start).items.map(({ itemId, used }) => [itemId, used])).toEqual([
      ['busy', 12],
      ['calm', 1],
    ])
  })
})
