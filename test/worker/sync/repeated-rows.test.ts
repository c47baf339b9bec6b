// Snapshots in which Plaid lists the same thing twice. The rows are added up where that is possible, or set aside; none
// is dropped.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { canonicalDecimal } from '../../../src/decimal.ts'
import { partsOf, textOf } from '../../support/exact.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { allProducts, linkAndSync } from '../../support/linked.ts'
import { type OddAnswers, oddAnswers, type PlaidValue } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'
import { sampleSize } from '../../support/sampled.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})

type Holding = PlaidValue<'getHoldings'>['holdings'][number]

/** The rows set aside, each as one text. */
const setAside = async (item: Item): Promise<string[]> =>
  (
    await world.sql(
      `select concat_ws(' ', kind, array_to_string(problems, ','), payload) as text from set_aside_rows where item_id = $1`,
      [item.id],
    )
  ).map(({ text }) => String(text))

/**
 * Syncs with the first holding replaced by these rows. Returns the earlier row as it is stored, and the other
 * positions.
 */
async function holdingsWith(item: Item, change: (first: Holding) => Holding[]) {
  const seen: Holding[] = []
  const services = odd.withPlaid({
    async getHoldings(...args) {
      const answer = await world.services.plaid.getHoldings(...args)
      const [first, ...others] = answer.ok ? answer.value.holdings : []
      if (!answer.ok || first === undefined) return answer
      seen.push(first)
      return { ...answer, value: { ...answer.value, holdings: [...others, ...change(first)] } }
    },
  })
  const all = 'select count(*) as n from holdings where item_id = $1'
  const before = await world.sql(all, [item.id])
  await odd.sync(item, 'holdings', services)
  expect(await world.sql(all, [item.id])).toEqual(before)
  const [first] = seen
  if (first === undefined) throw new Error('The bank has no holdings.')
  const stored = async (table: string) =>
    (
      await world.sql(
        `select trim_scale(quantity)::text as quantity, trim_scale(institution_price)::text as price,
          trim_scale(institution_value)::text as value, trim_scale(cost_basis)::text as cost, h.iso_currency_code as currency
         from ${table} h join accounts a on a.id = h.account_id join securities s on s.id = h.security_id
         where a.item_id = $1 and a.plaid_account_id = $2 and s.plaid_security_id = $3`,
        [item.id, first.account_id, first.security_id],
      )
    )[0]
  const row = await stored('holdings')
  expect(await stored('holding_days')).toEqual(row)
  return { first, row }
}

const sum = (...texts: string[]): string => textOf(texts.map(partsOf).reduce((left, right) => left + right, 0n))

describe('two rows of one position', () => {
  it('are added up to the last digit, and keep the price that both have', async () => {
    const item = await linkAndSync(world, 'two lots', allProducts)
    const lot = { quantity: '123456789012.000000000000000001', institution_value: '0.07', cost_basis: '1.000000001' }
    const { first, row } = await holdingsWith(item, (held) => [
      { ...held, cost_basis: '2' },
      { ...held, ...lot },
    ])
    expect(row).toMatchObject({
      quantity: sum(first.quantity, lot.quantity),
      value: sum(first.institution_value ?? '', lot.institution_value),
      cost: '3.000000001',
      price: first.institution_price,
    })
    expect(await setAside(item)).toEqual([])
    await odd.sync(item, 'holdings')
    const again = await holdingsWith(item, (held) => [held])
    expect(again.row).toMatchObject({ quantity: first.quantity, value: first.institution_value })
  })

  it('are added up, for any number of rows and digits', async () => {
    const item = await linkAndSync(world, 'any lots', allProducts)
    const amount = fc
      .tuple(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), fc.bigInt({ min: 0n, max: 10n ** 9n - 1n }))
      .map(([whole, fraction]) => canonicalDecimal(`${whole}.${String(fraction).padStart(9, '0')}`))
    const lot = fc.record({ quantity: amount, institution_value: amount, cost_basis: amount })
    await fc.assert(
      fc.asyncProperty(fc.array(lot, { minLength: 1, maxLength: 6 }), async (lots) => {
        const { row } = await holdingsWith(item, (held) => lots.map((given) => ({ ...held, ...given })))
        expect(row).toMatchObject({
          quantity: sum(...lots.map(({ quantity }) => quantity)),
          value: sum(...lots.map(({ institution_value: value }) => value)),
          cost: sum(...lots.map(({ cost_basis: cost }) => cost)),
        })
      }),
      { numRuns: sampleSize({ all: 15, few: 5 }) },
    )
    expect(await setAside(item)).toEqual([])
  })

  it('have a price that follows from the sums where theirs differ, and no cost where one has none', async () => {
    const item = await linkAndSync(world, 'prices', allProducts)
    const lots = [
      { quantity: '1', institution_price: '10', institution_value: '10', cost_basis: '9' },
      { quantity: '3', institution_price: '12', institution_value: '36', cost_basis: null },
    ]
    const { row } = await holdingsWith(item, (held) => lots.map((lot) => ({ ...held, ...lot })))
    expect(row).toMatchObject({ quantity: '4', value: '46', price: '11.5', cost: null })
  })

  it.each<[string, Partial<Holding>[], object]>([
    [
      'whose quantities cancel out',
      [
        { quantity: '2', institution_price: '1', institution_value: '2' },
        { quantity: '-2', institution_price: '3', institution_value: '-6' },
      ],
      { quantity: '0', value: '-4', price: null },
    ],
    [
      'of which one has no value of its own',
      [
        { quantity: '2', institution_price: '5', institution_value: null },
        { quantity: '1', institution_price: null, institution_value: '7' },
      ],
      { quantity: '3', value: '17', price: '5.666666666667' },
    ],
    [
      'that are alike',
      [
        { quantity: '2', institution_price: '5', institution_value: '10', cost_basis: '1' },
        { quantity: '2', institution_price: '5', institution_value: '10', cost_basis: '1' },
      ],
      { quantity: '4', value: '20', price: '5', cost: '2' },
    ],
  ])('%s are added up', async (what, lots, expected) => {
    const item = await linkAndSync(world, `lots ${what}`, allProducts)
    const { row } = await holdingsWith(item, (held) => lots.map((lot) => ({ ...held, ...lot })))
    expect(row).toMatchObject(expected)
  })

  it('are stored in the currency of the account, and one in another currency is set aside', async () => {
    const item = await linkAndSync(world, 'currencies', allProducts)
    const abroad = { quantity: '7', iso_currency_code: 'EUR' }
    const { first, row } = await holdingsWith(item, (held) => [{ ...held, ...abroad }, held, { ...held, ...abroad }])
    expect(row).toMatchObject({ quantity: first.quantity, currency: 'USD' })
    const kept = await setAside(item)
    expect(kept).toHaveLength(2)
    for (const each of kept) expect(each).toMatch(/^holding currency repeated .*"quantity": "7"/)
    await odd.sync(item, 'holdings')
    expect(await setAside(item)).toEqual([])
  })
})

describe('two liabilities of one kind and account', () => {
  it('are stored as the last one when they differ, and the other is set aside', async () => {
    const item = await linkAndSync(world, 'liabilities', allProducts)
    const withCopy = (change: object) =>
      odd.withPlaid({
        async getLiabilities(...args) {
          const answer = await world.services.plaid.getLiabilities(...args)
          if (!answer.ok) return answer
          const { liabilities } = answer.value
          const [first] = liabilities.credit
          if (first === undefined) throw new Error('no card')
          const copy = { ...first, details: { ...first.details, ...change } }
          const credit = [copy, ...liabilities.credit]
          return { ...answer, value: { ...answer.value, liabilities: { ...liabilities, credit } } }
        },
      })
    const stored = () => world.sql('select kind, details from liabilities where item_id = $1 order by id', [item.id])
    const before = await stored()
    await odd.sync(item, 'liabilities', withCopy({}))
    expect(await setAside(item)).toEqual([])
    await odd.sync(item, 'liabilities', withCopy({ last_payment_amount: '1.23' }))
    expect(await stored()).toEqual(before)
    expect(await setAside(item)).toEqual([expect.stringMatching(/^credit repeated .*1\.23/)])
  })
})

describe('two streams of one id', () => {
  it('are stored as the last one when they differ, and the other is set aside', async () => {
    const item = await linkAndSync(world, 'streams')
    const stored = () =>
      world.sql('select plaid_stream_id, description from recurring_streams where item_id = $1 order by 1', [item.id])
    const before = await stored()
    expect(before.length).toBeGreaterThan(0)
    const withCopy = (change: object) =>
      odd.withPlaid({
        async getRecurring(...args) {
          const answer = await world.services.plaid.getRecurring(...args)
          const [first, ...others] = answer.ok ? answer.value.outflow_streams : []
          if (!answer.ok || first === undefined) return answer
          return { ...answer, value: { ...answer.value, outflow_streams: [{ ...first, ...change }, first, ...others] } }
        },
      })
    await odd.sync(item, 'recurring', withCopy({}))
    expect(await setAside(item)).toEqual([])
    await odd.sync(item, 'recurring', withCopy({ description: 'ANOTHER' }))
    expect(await stored()).toEqual(before)
    expect(await setAside(item)).toEqual([expect.stringMatching(/^outflow_stream repeated .*ANOTHER/)])
  })
})
