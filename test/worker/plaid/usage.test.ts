// What calls to Plaid's API write to the database, and the report on it.
import { describe, expect, it } from 'vitest'
import { listUsage, recordUsage } from '../../../src/db/operations/usage.ts'
import { createLogger } from '../../../src/monitoring/logger.ts'
import { link } from '../../support/linked.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const stored = async () =>
  await world.sql(`select endpoint, outcome, sum(calls)::text as calls from plaid_usage
    where day = (now() at time zone 'utc')::date group by endpoint, outcome order by endpoint, outcome`)
const clear = () => world.sql('delete from plaid_usage')

describe('calls of Plaid’s API', () => {
  it('are written down by endpoint and outcome, in one statement, and once', async () => {
    await world.services.flushUsage(world.job().log)
    await clear()
    await world.bank.fault({ endpoint: '/liabilities/get', error: 'INTERNAL_SERVER_ERROR', times: 10 })
    await link(world, 'usage', { products: ['transactions', 'liabilities'] })
    await world.drain()
    await world.bank.clearFaults()
    await Promise.all([1, 2].map(() => world.services.flushUsage(world.job().log)))
    const asked = new Map<string, number>()
    for (const { endpoint } of await world.bank.calls()) asked.set(endpoint, (asked.get(endpoint) ?? 0) + 1)
    const rows = await stored()
    expect(rows).toContainEqual({ endpoint: '/liabilities/get', outcome: 'INTERNAL_SERVER_ERROR', calls: '2' })
    expect(rows).toContainEqual({ endpoint: '/item/public_token/exchange', outcome: 'ok', calls: '1' })
    for (const endpoint of ['/transactions/sync', '/accounts/get', '/item/get', '/liabilities/get']) {
      const counted = rows.filter((row) => row['endpoint'] === endpoint)
      expect([endpoint, counted.reduce((sum, row) => sum + Number(row['calls']), 0)]).toEqual([
        endpoint,
        asked.get(endpoint),
      ])
    }
  })

  it('add up when many writes happen concurrently, in any order', async () => {
    await clear()
    const counts = Array.from({ length: 300 }, (_, kind) => ({ endpoint: `/${kind}`, outcome: 'ok', calls: 2 }))
    await Promise.all(
      Array.from({ length: 40 }, (_, writer) =>
        recordUsage(world.services.jobs, writer % 4 < 2 ? counts : counts.toReversed(), (writer % 2) / 16),
      ),
    )
    const rows = await stored()
    expect(rows).toHaveLength(300)
    for (const { calls } of rows) expect(calls).toBe('80')
    expect(await world.sql('select count(distinct slot) as slots from plaid_usage')).toEqual([{ slots: '2' }])
  })

  it('are logged as lost when they cannot be saved, and fail nothing', async () => {
    await world.services.plaid.getWebhookVerificationKey('unknown')
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'plaid_usage' })
    const lines: string[] = []
    await world.services.flushUsage(createLogger({}, { sink: (line) => lines.push(line) }))
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { event: 'plaid_usage_not_recorded', count: 1 },
    ])
    await world.services.flushUsage(createLogger({}, { sink: (line) => lines.push(line) }))
    expect(lines).toHaveLength(1)
  })
})

describe('the report', () => {
  it('has days, endpoints, outcomes, calls and exact costs of what was answered', async () => {
    await clear()
    await world.sql(`insert into plaid_usage (day, endpoint, outcome, slot, calls) values
      ('2031-01-01', '/b', 'ok', 0, 3), ('2031-01-01', '/b', 'ok', 7, 4), ('2031-01-01', '/b', 'X', 0, 5),
      ('2031-01-02', '/a', 'ok', 0, 10),
      -- What a paid call takes of the limit of the day, which is no call.
      ('2031-01-02', '/a', 'reserved', 0, 2), ('2031-01-03', '/b', 'ok', 0, 9007199254740)`)
    const prices = { '/b': '0.123456789' }
    expect(await listUsage(world.services.jobs, { from: '2031-01-01', to: '2031-01-02' }, prices)).toEqual({
      rows: [
        { day: '2031-01-01', endpoint: '/b', outcome: 'X', calls: 5, cost: '0' },
        { day: '2031-01-01', endpoint: '/b', outcome: 'ok', calls: 7, cost: '0.864197523' },
        { day: '2031-01-02', endpoint: '/a', outcome: 'ok', calls: 10, cost: null },
      ],
      calls: 22,
      cost: '0.864197523',
    })
    const [third] = (await listUsage(world.services.jobs, { from: '2031-01-03', to: '2031-01-03' }, prices)).rows
    expect(third?.cost).toBe('1111999897873.39342986')
  })

  it('is empty for days without calls', async () => {
    expect(await listUsage(world.services.jobs, { from: '1999-01-01', to: '1999-12-31' }, { '/a': '1' })).toEqual({
      rows: [],
      calls: 0,
      cost: '0',
    })
  })
})
