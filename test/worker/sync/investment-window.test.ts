// Investment transactions for which Plaid announces another total than it sends. The sent ones are stored, the run
// records the difference, and no row is removed because of an incomplete window.
import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import { type OddAnswers, oddAnswers } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'
import { sampleSize } from '../../support/sampled.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})
afterEach(() => world.bank.clearAlterations())

const endpoint = '/investments/transactions/get'
const products = { products: ['transactions', 'investments'] }

const stored = async (item: Item): Promise<string[]> =>
  (
    await world.sql(
      'select plaid_investment_transaction_id as id from investment_transactions where item_id = $1 and removed_at is null',
      [item.id],
    )
  )
    .map(({ id }) => String(id))
    .toSorted()
const lastRun = async (item: Item) =>
  (
    await world.sql(
      `select outcome, error_code as note, pages from sync_runs where item_id = $1 and product = 'investment_transactions'
        order by finished_at desc limit 1`,
      [item.id],
    )
  )[0]

async function linked(subject: string) {
  const item = await linkAndSync(world, subject, products)
  const ids = await stored(item)
  expect(ids.length).toBeGreaterThan(5)
  return { item, ids }
}

describe('the total of a window of investment transactions', () => {
  it.each([
    ['one too high', 1],
    ['much too high', 300],
    ['one too low', -1],
    ['zero', -1_000_000],
  ])('loses no row and removes none when it is always %s', async (what, by) => {
    const { item, ids } = await linked(`total ${what}`)
    await world.sql('delete from investment_transactions where item_id = $1 and plaid_investment_transaction_id = $2', [
      item.id,
      ids[0],
    ])
    const path = 'total_investment_transactions'
    await world.bank.alter({ endpoint, path, value: Math.max(0, ids.length + by) })
    await odd.sync(item, 'investment_transactions')
    expect(await lastRun(item)).toEqual({ outcome: 'committed', note: 'WINDOW_INCOMPLETE', pages: '4' })
    expect(await stored(item)).toEqual(ids)
    // Rows that the bank omits may be missing for the same reason.
    for (let left = 2; left > 0; left -= 1)
      await world.bank.alter({ endpoint, path: 'investment_transactions[0]', remove: true })
    await odd.sync(item, 'investment_transactions')
    expect(await stored(item)).toEqual(ids)
    await world.bank.clearAlterations()
    await world.bank.alter({ endpoint, path: 'investment_transactions[0]', remove: true })
    await world.bank.alter({ endpoint, path, value: ids.length - 1 })
    await odd.sync(item, 'investment_transactions')
    expect(await lastRun(item)).toEqual({ outcome: 'committed', note: null, pages: '1' })
    expect(await stored(item)).toHaveLength(ids.length - 1)
  })

  it('changes nothing when it is wrong once', async () => {
    const { item, ids } = await linked('wrong once')
    const path = 'total_investment_transactions'
    await world.bank.alter({ endpoint, path, value: ids.length + 7, times: 1 })
    await odd.sync(item, 'investment_transactions')
    expect(await lastRun(item)).toMatchObject({ outcome: 'committed', note: null })
    expect(await stored(item)).toEqual(ids)
  })
})

/** Services whose Plaid returns these rows in pages of `size`, and announces the total of `totalOf` for each call. */
async function announcing(item: Item, count: number, size: number, totalOf: (call: number) => number) {
  const { first, ...value } = await odd.investmentTransactions(item)
  const ids = Array.from({ length: count }, (_, index) => `move ${String(index).padStart(4, '0')}`)
  const rows = ids.map((id) => ({ ...first, investment_transaction_id: id }))
  let calls = 0
  const services = odd.withPlaid({
    getInvestmentTransactions(_token, { offset }) {
      const page = {
        ...value,
        investment_transactions: rows.slice(offset, offset + size),
        total_investment_transactions: totalOf(calls++),
      }
      return Promise.resolve({ ok: true as const, value: page, requestId: '' })
    },
  })
  return { services, ids, calls: () => calls }
}

describe('several pages of investment transactions', () => {
  it.each([
    ['end in the middle of a page', 10, 3, 8],
    ['end with a page', 10, 3, 9],
    ['are one too many', 10, 3, 11],
    ['end with a full page', 503, 500, 500],
  ])('are read to their end where they should %s', async (what, count, size, total) => {
    const { item, ids: before } = await linked(`pages ${what}`)
    const { services, ids } = await announcing(item, count, size, () => total)
    await odd.sync(item, 'investment_transactions', services)
    expect(await stored(item)).toEqual([...ids, ...before].toSorted())
  })

  it('are complete when they are full and as many as announced', async () => {
    const { item } = await linked('two full pages')
    const { services, ids, calls } = await announcing(item, 1000, 500, () => 1000)
    await odd.sync(item, 'investment_transactions', services)
    expect(calls()).toBe(3)
    expect(await lastRun(item)).toEqual({ outcome: 'committed', note: null, pages: '3' })
    expect(await stored(item)).toEqual(ids)
  })

  it('are accepted by the third run if the total changes with each page, and remove nothing', async () => {
    const { item, ids: before } = await linked('restless total')
    const { services, ids } = await announcing(item, 10, 3, (call) => 100 + call)
    for (let run = 0; run < 2; run += 1) {
      await odd.sync(item, 'investment_transactions', services)
      expect(await lastRun(item)).toMatchObject({ outcome: 'failed', note: 'WINDOW_KEEPS_CHANGING' })
      expect(await stored(item)).toEqual(before)
    }
    await odd.sync(item, 'investment_transactions', services)
    expect(await lastRun(item)).toMatchObject({ outcome: 'committed', note: 'WINDOW_KEEPS_CHANGING' })
    expect(await stored(item)).toEqual([...ids, ...before].toSorted())
  })

  it('arrive within three runs, for any announced total', async () => {
    const { item } = await linked('any total')
    const totals = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 7 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), totals, async (count, announced) => {
        const { services, ids } = await announcing(item, count, 500, (call) => announced[call % announced.length] ?? 0)
        for (let run = 0; run < 3; run += 1) await odd.sync(item, 'investment_transactions', services)
        expect(await stored(item)).toEqual(expect.arrayContaining(ids))
        await world.sql(
          "update item_products set attempts = 0 where item_id = $1 and product = 'investment_transactions'",
          [item.id],
        )
      }),
      { numRuns: sampleSize({ all: 15, few: 5 }) },
    )
  })
})
