// What the item's own state sets going: from initializing to healthy, products raised by a look at the item, and quiet
// while the user is asked.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { getItem, type Item } from '../../src/db/items.ts'
import { sweep } from '../../src/sync/sweep.ts'
import { expectTruth } from '../support/equality.ts'
import { link, linkAndSync } from '../support/linked.ts'
import { type OddAnswers, oddAnswers } from '../support/odd-answers.ts'
import { createWorld, type World } from '../support/world.ts'

let world: World
let odd: OddAnswers
beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
  odd = oddAnswers(world)
})
afterAll(() => world.stop())
afterEach(async () => {
  await world.bank.clearFaults()
  world.queue.length = 0
})

const statusOf = async (subject: string, { id }: Item) =>
  (await getItem(world.services.api, world.user(subject).actor.identity, id))?.status

/** Products that were committed for this reason. */
const runsFor = async (item: Item, trigger: string): Promise<string[]> =>
  (
    await world.sql(
      "select distinct product from sync_runs where item_id = $1 and trigger = $2 and outcome = 'committed' order by product",
      [item.id, trigger],
    )
  ).map(({ product }) => String(product))

const everything = { products: ['transactions', 'investments', 'liabilities'] }

describe('a new item', () => {
  it('is initializing until its first transactions are here, whatever else is', async () => {
    const item = await link(world, 'new')
    await world.drain()
    expect(await runsFor(item, 'link')).toEqual(expect.arrayContaining(['balances', 'item']))
    expect(await statusOf('new', item)).toBe('initializing')
    for (const product of ['item', 'balances']) await odd.sync(item, product)
    expect(await statusOf('new', item)).toBe('initializing')
    await world.bank.change(item.plaidItemId, { history: 'initial', silent: true })
    await odd.sync(item, 'transactions')
    expect(await statusOf('new', item)).toBe('healthy')
  })

  it('is looked at again in ten minutes while its history is not complete, should no webhook come', async () => {
    const item = await link(world, 'history')
    await world.bank.change(item.plaidItemId, { history: 'initial', silent: true })
    await world.drain()
    const state = async () =>
      (
        await world.sql(
          `select status, dirty_seq > synced_seq as dirty, round(extract(epoch from next_attempt_at - now()) / 60) as minutes
           from item_products where item_id = $1 and product = 'transactions'`,
          [item.id],
        )
      )[0]
    expect(await state()).toEqual({ status: 'ok', dirty: 't', minutes: '10' })
    await world.bank.change(item.plaidItemId, { history: 'historical', silent: true })
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    await expectTruth(world, 'history', item.plaidItemId)
    expect(await state()).toMatchObject({ status: 'ok', dirty: 'f' })
  })
})

describe('a look at the item', () => {
  it('raises what a webhook should have told about', async () => {
    const item = await linkAndSync(world, 'told', everything)
    const { plaid } = world.services
    const later = { last_successful_update: new Date() }
    await odd.sync(
      item,
      'item',
      odd.withPlaid({
        async getItem(...args) {
          const answer = await plaid.getItem(...args)
          if (!answer.ok) return answer
          return { ...answer, value: { ...answer.value, status: { ...answer.value.status, investments: later } } }
        },
      }),
    )
    expect(await runsFor(item, 'raised')).toEqual(['holdings', 'investment_transactions'])
  })

  it('raises everything once the item works again, although nobody said so', async () => {
    const item = await linkAndSync(world, 'works again', everything)
    await world.bank.change(item.plaidItemId, { login_required: true, silent: true })
    await odd.sync(item, 'item')
    expect(await statusOf('works again', item)).toBe('needs_update')
    await world.bank.change(item.plaidItemId, { login_repaired: true, silent: true })
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    expect(await statusOf('works again', item)).toBe('healthy')
    expect(await runsFor(item, 'raised')).toEqual([
      'balances',
      'holdings',
      'investment_transactions',
      'liabilities',
      'recurring',
      'transactions',
    ])
  })

  it('is all that the sweep does of an item that waits for its user', async () => {
    const item = await linkAndSync(world, 'waits', everything)
    await world.bank.change(item.plaidItemId, { login_required: true, silent: true })
    await odd.sync(item, 'item')
    await world.sql('update item_products set dirty_seq = dirty_seq + 1 where item_id = $1', [item.id])
    await world.elapse()
    await sweep(world.job())
    const woken = world.queue.map((message) => ('item_product_id' in message ? message.item_product_id : null))
    const products = await world.sql('select id, product from item_products where item_id = $1', [item.id])
    expect(products.filter(({ id }) => woken.includes(String(id))).map(({ product }) => product)).toEqual(['item'])
  })
})
