// The rate limiter for calls to Plaid over HTTP, with the built Worker and its real Durable Object. Plaid gets as many
// calls as configured, clients beyond that get a `Retry-After`, and every call is in `plaid_usage`.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { callFor } from '../support/administrator.ts'
import { type Edge, expectStatus, startEdge } from '../support/edge.ts'

const limits = { PLAID_LIMITS: '{"liabilities":{"item":2}}' }

let edge: Edge
beforeAll(async () => {
  edge = await startEdge({ variables: limits })
})
afterAll(() => edge.stop())

test('the object counts every call and was always available', async () => {
  await edge.linkAndSync('counted', { products: ['transactions'] })
  expect(edge.lines().filter((line) => line.includes('plaid_quota_failed'))).toEqual([])
})

test('every call is in the usage counts, by endpoint and outcome', async () => {
  await edge.settled()
  await vi.waitFor(
    async () => {
      const rows = await edge.sql('select endpoint, sum(calls)::text as calls from plaid_usage group by endpoint')
      const counted = Object.fromEntries(rows.map(({ endpoint, calls }) => [endpoint, Number(calls)]))
      const made: Record<string, number> = {}
      for (const { path } of edge.plaid.exchanges) made[path] = (made[path] ?? 0) + 1
      expect(counted).toEqual(made)
    },
    { timeout: 10_000, interval: 100 },
  )
})

test('a run beyond the limit of its item calls nothing, shows the user no error, and stays due', async () => {
  const item = await edge.linkAndSync('limited', { products: ['transactions', 'liabilities'] })
  const runs = () =>
    edge.sql(`select error_code from sync_runs where item_id = $1 and product = 'liabilities'`, [item.id])
  for (let click = 0; click < 2; click += 1) {
    const before = (await runs()).length
    expectStatus(await edge.as('limited')('POST', `/api/v1/plaid/sync/item/${item.id}`), 202)
    await vi.waitFor(async () => expect((await runs()).length).toBeGreaterThan(before), { timeout: 20_000 })
  }
  expect(await runs()).toContainEqual({ error_code: 'QUOTA_SPENT' })
  // The message for the time after the limit is queued already.
  expectStatus(await edge.as('limited')('POST', `/api/v1/plaid/sync/item/${item.id}`), 202)
  const token = edge.accessToken(item.plaidItemId)
  const reached = edge.plaid.exchanges.filter(({ path, body }) => path === '/liabilities/get' && body.includes(token))
  expect(reached).toHaveLength(2)
  const [row] = await edge.sql(
    `select status, last_error, dirty_seq > synced_seq as dirty from item_products where item_id = $1 and product = 'liabilities'`,
    [item.id],
  )
  expect(row).toMatchObject({ last_error: null, dirty: 't' })
  expect(['ok', 'pending']).toContain(row?.['status'])
})

test.each([
  ['one day', '0001-01-01', '0001-01-01'],
  ['less than the default period', '0001-01-05', '0001-01-01'],
  ['the default period', '2031-01-31', '2031-01-02'],
])('the report of a day that has %s before it begins with the calendar at the earliest', async (_title, to, from) => {
  const path = '/api/v1/admin/usage'
  const answer = await callFor(edge, { path }, 'operator')('GET', `${path}?to=${to}`)
  expectStatus(answer, 200)
  expect(answer.json()).toMatchObject({ from, to })
})
