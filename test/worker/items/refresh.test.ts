// A refresh costs money: off by default, counted before the call, limited for an item and for the deployment, recorded.
import { expect, it } from 'vitest'
import * as z from 'zod'
import { audit } from '../../../src/audit/audit.ts'
import { takePaidCalls } from '../../../src/db/items/paid-calls.ts'
import { refreshItemRoute } from '../../../src/http/routes/items/items.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { createServices } from '../../../src/services.ts'
import type { Services } from '../../../src/context.ts'
import { ask } from '../../support/call-route.ts'
import { appErrorOf, codeOf, useWorld, userWith } from '../../support/item-lifecycle.ts'
import { bankOf, linkAndSync } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const utcDay = "(now() at time zone 'utc')::date"

function allowing(perDay: number, perItem: number, perUser = 100): Services {
  const { config } = world.services
  const quota = { admit: () => Promise.resolve({ admitted: true as const }), refused: () => Promise.resolve() }
  const bindings = { SYNC_QUEUE: { sendBatch: () => Promise.resolve() }, PLAID_QUOTA: { getByName: () => quota } }
  const changed = { ...config, plaid: { ...config.plaid, refreshes: { perDay, perUser, perItem } } }
  const { plaidFor } = createServices(changed, bindings)
  return { ...world.services, config: changed, plaidFor }
}

const refresh = async (subject: string, id: string, services: Services) =>
  z
    .object({ products: z.array(z.string()) })
    .parse(await ask(userWith(world, subject, services), refreshItemRoute, { params: { id } })).products

/** The codes of concurrent requests, in an order that does not depend on which one came first. */
const outcomes = (codes: readonly (string | null)[]) => codes.map((code) => code ?? 'none').toSorted()
const paid = async () => (await world.bank.calls()).filter(({ endpoint }) => endpoint.endsWith('/refresh')).length
const recorded = async (id: string) =>
  (await world.sql("select 1 from audit_log where action = 'refresh_requested' and target_id = $1", [id])).length
const reset = async () => await world.sql(`delete from plaid_usage where day = ${utcDay} and outcome = 'reserved'`)

it('a refresh is off unless the operator allows it, and says how', async () => {
  const item = await linkAndSync(world, 'off')
  const before = await paid()
  const error = await appErrorOf(refresh('off', item.id, world.services))
  expect([error.code, error.detail]).toEqual(['refresh_off', expect.stringContaining('PLAID_REFRESHES_PER_DAY')])
  expect([await paid(), await recorded(item.id)]).toEqual([before, 0])
})

it('a refresh calls Plaid for each product that the item has, up to the limit of the item, also concurrently', async () => {
  await reset()
  const item = await linkAndSync(world, 'both', { products: ['transactions', 'investments'] })
  const services = allowing(100, 4)
  const before = await paid()
  expect(await refresh('both', item.id, services)).toEqual(['transactions', 'investments'])
  expect([await paid(), await recorded(item.id)]).toEqual([before + 2, 1])
  const codes = await Promise.all([1, 2, 3].map(async () => await codeOf(refresh('both', item.id, services))))
  expect(outcomes(codes)).toEqual(['none', 'too_many_refreshes', 'too_many_refreshes'])
  expect([await paid(), await recorded(item.id)]).toEqual([before + 4, 2])
  await world.sql(`update items set paid_calls_on = ${utcDay} - 1 where id = $1`, [item.id])
  expect(await codeOf(refresh('both', item.id, services))).toBe(null)
})

it('a refresh stops at the limit of the deployment, over all users, and says when it ends', async () => {
  await reset()
  const items = [await linkAndSync(world, 'first'), await linkAndSync(world, 'second')]
  const services = allowing(2, 4)
  const before = await paid()
  const codes = await Promise.all(
    items.map(async ({ id }, index) => await codeOf(refresh(index === 0 ? 'first' : 'second', id, services))),
  )
  expect(outcomes(codes)).toEqual(['none', 'too_many_refreshes'])
  expect(await paid()).toBe(before + 2)
  const refused = await appErrorOf(refresh('first', items[0]?.id ?? '', services))
  expect(refused.retryAfterSeconds).toBeGreaterThan(0)
  expect(refused.retryAfterSeconds).toBeLessThanOrEqual(86_400)
})

it('a refresh stops at the limit of the user, over all items, also of those that are removed', async () => {
  await reset()
  const [first, second] = [
    await linkAndSync(world, 'many'),
    await linkAndSync(world, 'many', { username: bankOf('many, twice') }),
  ]
  const services = allowing(100, 4, 4)
  expect(await codeOf(refresh('many', first.id, services))).toBe(null)
  await removeItem(world.user('many'), first.id, { purge: true })
  await world.drain()
  const codes = await Promise.all([1, 2].map(async () => await codeOf(refresh('many', second.id, services))))
  expect(outcomes(codes)).toEqual(['none', 'too_many_refreshes'])
  await world.sql(`update user_visits set paid_calls_on = ${utcDay} - 1`)
  expect(await codeOf(refresh('many', second.id, services))).toBe(null)
})

it('a refresh is refused while the deployment is frozen, and nothing is counted', async () => {
  await reset()
  const item = await linkAndSync(world, 'frozen')
  const services = allowing(100, 4)
  const freeze = async (state: string) =>
    await world.sql("update safety_switches set state = $1, changed_at = now() where name = 'freeze'", [state])
  const before = await paid()
  await freeze('frozen')
  try {
    expect(await codeOf(refresh('frozen', item.id, services))).toBe('frozen')
  } finally {
    await freeze('off')
  }
  const [counts] = await world.sql('select paid_calls from items where id = $1', [item.id])
  expect([await paid(), await recorded(item.id), counts]).toEqual([before, 0, { paid_calls: '0' }])
})

it('a refresh counts a call that fails, and makes none for the item of another user or one that needs its user', async () => {
  await reset()
  const item = await linkAndSync(world, 'failing')
  const services = allowing(100, 2)
  expect(await codeOf(refresh('stranger', item.id, services))).toBe('not_found')
  const { identity } = world.user('stranger').actor
  const row = await audit(world.user('stranger'), { action: 'refresh_requested', target: item.id })
  const limits = { perItem: 2, perUser: 2, perDay: 100 }
  expect(await takePaidCalls(world.services.api, identity, item.id, 1, limits, row)).toBe('gone')
  await world.bank.fault({ endpoint: '/transactions/refresh', error: 'INTERNAL_SERVER_ERROR', times: 5 })
  const before = await paid()
  expect(await codeOf(refresh('failing', item.id, services))).toBe('plaid_unavailable')
  expect(await paid()).toBe(before + 1)
  expect(await codeOf(refresh('failing', item.id, services))).toBe('too_many_refreshes')
  await world.sql("update items set status = 'needs_update', paid_calls = 0 where id = $1", [item.id])
  expect(await codeOf(refresh('failing', item.id, services))).toBe('item_needs_attention')
  expect(await paid()).toBe(before + 1)
})
