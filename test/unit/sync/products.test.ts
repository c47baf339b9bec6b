// Which products an item gets, and how often each is synced.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plaidProducts } from '../../../src/config/config.ts'
import { freshness, type ItemCapabilities, syncProducts, unitsFor } from '../../../src/sync/products.ts'

const nothing: ItemCapabilities = {
  products: null,
  billed_products: null,
  available_products: null,
  consented_products: null,
}

describe('an item', () => {
  it('gets all configured products while its capabilities are unknown', () => {
    expect(unitsFor(plaidProducts, null)).toEqual(syncProducts)
    expect(unitsFor(['liabilities'], null)).toEqual(['item', 'balances', 'liabilities'])
  })

  it.each<[string, Partial<ItemCapabilities>, string[]]>([
    ['has nothing', {}, []],
    ['has transactions', { products: ['transactions'] }, ['transactions', 'recurring']],
    ['is billed for transactions', { billed_products: ['transactions'] }, ['transactions', 'recurring']],
    ['has what we do not sync', { products: ['auth', 'identity', 'assets'] }, []],
    ['has investments', { products: ['investments'] }, ['holdings', 'investment_transactions']],
    [
      'may get liabilities',
      { products: ['transactions'], available_products: ['liabilities'] },
      ['transactions', 'recurring', 'liabilities'],
    ],
    ['consented to it', { available_products: ['liabilities'], consented_products: ['liabilities'] }, ['liabilities']],
    ['did not consent', { available_products: ['liabilities'], consented_products: ['transactions'] }, []],
    ['consented to nothing', { available_products: ['liabilities'], consented_products: [] }, []],
    ['has what it did not consent to', { products: ['liabilities'], consented_products: [] }, ['liabilities']],
  ])('has the right products if it %s', (_what, reported, expected) => {
    expect(unitsFor(plaidProducts, { ...nothing, ...reported })).toEqual(['item', 'balances', ...expected])
  })

  it('never gets what the operator did not configure, nor anything twice', () => {
    const some = fc.option(fc.subarray([...plaidProducts, 'auth', 'identity']), { nil: null })
    fc.assert(
      fc.property(
        fc.subarray([...plaidProducts]),
        fc.record({
          products: some,
          billed_products: some,
          available_products: some,
          consented_products: some,
        }),
        (configured, item) => {
          const units = unitsFor(configured, item)
          const allowed = unitsFor(configured, null)
          expect(units.slice(0, 2)).toEqual(['item', 'balances'])
          expect(units.every((unit) => allowed.includes(unit))).toBe(true)
          expect(new Set(units).size).toBe(units.length)
        },
      ),
    )
  })
})

describe('freshness', () => {
  it('is six hours for the state of an item, which reveals lost webhooks, and a day for other products', () => {
    for (const product of syncProducts)
      expect([product, freshness[product].staleAfterSeconds]).toEqual([product, (product === 'item' ? 6 : 24) * 3600])
  })

  it.each(syncProducts)('is partly random for %s, so that products do not stay synchronized', (product) => {
    const { staleAfterSeconds, spreadSeconds } = freshness[product]
    expect(spreadSeconds / staleAfterSeconds).toBeGreaterThanOrEqual(1 / 4)
    expect(spreadSeconds / staleAfterSeconds).toBeLessThanOrEqual(1 / 2)
  })
})
