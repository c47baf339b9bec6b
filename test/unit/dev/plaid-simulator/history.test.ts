// How an item's transactions arrive, and the rows of a client that syncs them.
import * as fc from 'fast-check'
import { Products } from 'plaid'
import { describe, expect, test } from 'vitest'
import { applied, openDesk, openReceiver, readUpdate, sorted, truth } from './bank-desk.ts'

const dayMs = 86_400_000

test('right after the exchange a sync is empty and NOT_READY, with no cursor and no error', async () => {
  const desk = await openDesk()
  const { access_token } = await desk.link()
  const { data } = await desk.plaid.transactionsSync({ access_token })
  expect(data).toMatchObject({
    added: [],
    modified: [],
    removed: [],
    accounts: [],
    next_cursor: '',
    has_more: false,
    transactions_update_status: 'NOT_READY',
  })
})

test('changes at the bank before the first update are not announced, and arrive with that update', async () => {
  const receiver = await openReceiver()
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link({ webhook: receiver.url })
  await desk.plaid.transactionsSync({ access_token })
  const early = await desk.control(`/items/${item_id}/bank`, { add: [{ transaction_id: 'early', amount: 1 }] })
  expect(early.body).toMatchObject({ added: ['early'], webhooks: [] })
  expect((await desk.plaid.transactionsSync({ access_token })).data.added).toEqual([])
  await desk.control(`/items/${item_id}/bank`, { history: 'initial' })
  await receiver.arrived(2)
  expect(receiver.codes()).toEqual(['INITIAL_UPDATE', 'SYNC_UPDATES_AVAILABLE'])
  const { pages } = await readUpdate(desk, access_token)
  expect(applied(new Map(), pages).has('early')).toBe(true)
})

test('history comes in two steps: thirty days, then all the days that were asked for', async () => {
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link({ daysRequested: 400 })
  const oldest = async () => {
    const { pages } = await readUpdate(desk, access_token)
    const dates = pages.flatMap(({ added }) => added.map(({ date }) => String(date))).toSorted()
    return { first: dates[0] ?? '', status: pages[0]?.transactions_update_status, count: dates.length }
  }
  const daysAgo = (days: number) => new Date(Date.now() - days * dayMs).toISOString().slice(0, 10)
  await desk.control(`/items/${item_id}/bank`, { history: 'initial' })
  const initial = await oldest()
  expect(initial.status).toBe('INITIAL_UPDATE_COMPLETE')
  expect(initial.first >= daysAgo(31) && initial.count > 0).toBe(true)
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  const historical = await oldest()
  expect(historical.status).toBe('HISTORICAL_UPDATE_COMPLETE')
  expect(historical.first >= daysAgo(401) && historical.first < daysAgo(380)).toBe(true)
})

test('the days are fixed when the product is initialised: 90, unless the first sync asks for more', async () => {
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link({ institution: 'ins_109511', products: [Products.Auth] })
  await desk.plaid.transactionsSync({ access_token, options: { days_requested: 200 } })
  await desk.plaid.transactionsSync({ access_token, options: { days_requested: 10 } })
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  const rows = [...(await truth(desk, item_id)).values()].map((row) => String(JSON.parse(row).date)).toSorted()
  const age = Math.round((Date.now() - Date.parse(rows[0] ?? '')) / dayMs)
  expect(age).toBeGreaterThan(180)
  expect(age).toBeLessThanOrEqual(201)
})

test('each step is announced, with the progress of the history', async () => {
  const receiver = await openReceiver()
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link({ webhook: receiver.url })
  await desk.plaid.transactionsSync({ access_token })
  await desk.control(`/items/${item_id}/bank`, { history: 'initial' })
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  await receiver.arrived(4)
  expect(receiver.codes()).toEqual([
    'INITIAL_UPDATE',
    'SYNC_UPDATES_AVAILABLE',
    'HISTORICAL_UPDATE',
    'SYNC_UPDATES_AVAILABLE',
  ])
  expect(receiver.received[1]?.body).toMatchObject({
    item_id,
    initial_update_complete: true,
    historical_update_complete: false,
  })
  expect(receiver.received[3]?.body).toMatchObject({ initial_update_complete: true, historical_update_complete: true })
})

test('the history arrives automatically after its delays', async () => {
  const receiver = await openReceiver()
  const desk = await openDesk({ historyDelayMs: { initial: 1, historical: 20 } })
  await desk.link({ webhook: receiver.url })
  await receiver.arrived(2)
  expect(receiver.codes()).toEqual(['INITIAL_UPDATE', 'HISTORICAL_UPDATE'])
})

test('SYNC_UPDATES_AVAILABLE is not sent to an item that never called sync', async () => {
  const receiver = await openReceiver()
  const desk = await openDesk()
  const { item_id } = await desk.link({ webhook: receiver.url })
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  await desk.control(`/items/${item_id}/bank`, { add: 1 })
  await receiver.arrived(3)
  expect(receiver.codes()).toEqual(['INITIAL_UPDATE', 'HISTORICAL_UPDATE', 'DEFAULT_UPDATE'])
})

test('the history arrives without a webhook', async () => {
  const desk = await openDesk({ historyDelayMs: { initial: 1, historical: 2 } })
  const { access_token } = await desk.link()
  await expect
    .poll(async () => (await desk.plaid.transactionsSync({ access_token })).data.transactions_update_status, {
      timeout: 10_000,
    })
    .toBe('HISTORICAL_UPDATE_COMPLETE')
})

describe('the history over HTTP', () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 0, max: 5 }), post_pending: fc.constant(true as const) }),
    fc.record({ modify: fc.integer({ min: 0, max: 5 }), remove: fc.integer({ min: 0, max: 3 }) }),
    fc.constant({ add: [{ pending: true, amount: 5, name: 'HOLD' }] }),
    fc.constant({ history: 'historical' as const }),
    fc.constant({ post_pending: { link: false } }),
  )

  test('a syncing client ends at the truth after any changes, through mutations in mid-pagination', async () => {
    const desk = await openDesk()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ step, sync: fc.boolean(), mutate: fc.boolean() }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 3, max: 90 }),
        async (rounds, count) => {
          const { access_token, item_id } = await desk.link({ daysRequested: 30 })
          let held = new Map<string, string>()
          let cursor = ''
          const sync = async () => {
            const update = await readUpdate(desk, access_token, cursor, count)
            held = applied(held, update.pages)
            cursor = update.cursor
          }
          for (const round of rounds) {
            await desk.control(`/items/${item_id}/bank`, round.step)
            if (round.mutate)
              await desk.control('/faults', { endpoint: '/transactions/sync', mutate_during_pagination: true })
            if (round.sync) await sync()
          }
          await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
          await sync()
          expect(sorted(held)).toEqual(sorted(await truth(desk, item_id)))
        },
      ),
      { numRuns: 15 },
    )
  }, 60_000)

  test('days that pass at the bank reach the client: what was pending has posted', async () => {
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link({ institution: 'ins_109511' })
    await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
    const before = await readUpdate(desk, access_token)
    const { body } = await desk.control('/clock', { advance_ms: 5 * dayMs })
    expect(body['today']).toBe(new Date(Date.now() + 5 * dayMs).toISOString().slice(0, 10))
    const after = await readUpdate(desk, access_token, before.cursor)
    const held = applied(applied(new Map(), before.pages), after.pages)
    expect(sorted(held)).toEqual(sorted(await truth(desk, item_id)))
    const pendingBefore = before.pages.flatMap(({ added }) => added).filter(({ pending }) => pending === true)
    expect(pendingBefore.length).toBeGreaterThan(0)
    expect(pendingBefore.every(({ transaction_id }) => !held.has(transaction_id))).toBe(true)
  })
})

test('user_transactions_dynamic has new ones at every refresh', async () => {
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link({ username: 'user_transactions_dynamic' })
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  const { cursor } = await readUpdate(desk, access_token)
  await desk.plaid.transactionsRefresh({ access_token })
  const { pages } = await readUpdate(desk, access_token, cursor)
  expect(pages.flatMap(({ added }) => added).length).toBeGreaterThan(0)
})
