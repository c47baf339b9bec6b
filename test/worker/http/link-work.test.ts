// What administrators read about work between this database and Plaid: exchanges that have not ended, removals that wait, and
// orphans. Ids, states, times and counts.
import { beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Services } from '../../../src/context.ts'
import { listExchangesRoute, listRemovalsRoute, orphansRoute } from '../../../src/http/routes/admin/link-work.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import type { Plaid } from '../../../src/plaid/endpoints.ts'
import { sealAccessToken } from '../../../src/custody/access-token.ts'
import { createSecret } from '../../../src/crypto/secret.ts'
import type { Route } from '../../../src/http/route.ts'
import { ask, operatorOf } from '../../support/call-route.ts'
import { heldAtPlaid, linkSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

beforeEach(async () => {
  await world.sql('truncate users cascade')
  world.lines.length = 0
})

const waiting = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      attempts: z.number(),
      last_error: z.string().nullable(),
      plaid_item_id: z.string().nullable(),
      item_id: z.string().nullable().optional(),
      state: z.string().optional(),
      reason: z.string().optional(),
    }),
  ),
  next_cursor: z.string().nullable(),
})
const list = async (route: Route, query: Record<string, string> = {}) =>
  waiting.parse(await ask(operatorOf(world), route, { query }))

/** Every row of the list, read in pages of two. */
async function pagesOf(route: Route, query: Record<string, string> = {}) {
  const rows: z.output<typeof waiting>['data'] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await list(route, { ...query, limit: '2', ...(cursor === '' ? {} : { cursor }) })
    expect(page.data.length).toBeLessThanOrEqual(2)
    rows.push(...page.data)
    cursor = page.next_cursor
  }
  return rows
}

const failure = {
  ok: false,
  failure: {
    class: 'retry',
    errorType: 'API_ERROR',
    errorCode: 'INTERNAL_SERVER_ERROR',
    status: 500,
    requestId: 'request-of-plaid',
    retryAfterSeconds: null,
  },
} as const satisfies Awaited<ReturnType<Plaid['getItem']>>
const noAnswer = () => Promise.resolve(failure)

/** An exchange of a new user whose token is stored, and whose item is not. */
async function exchanged(subject: string): Promise<string> {
  const [row] = await world.sql(
    "insert into users (issuer, subject) values ('work', $1) returning id, gen_random_uuid() as exchange_id",
    [subject],
  )
  const { id: userId, exchange_id: id } = z.object({ id: z.string(), exchange_id: z.string() }).parse(row)
  const owner = { userId, itemId: id }
  const sealed = await sealAccessToken(world.services.keyring, createSecret('not a token'), owner, 'link_exchanges')
  await world.sql(
    `insert into link_exchanges (id, user_id, public_token_digest, allow_duplicate, state, plaid_item_id, access_token_sealed,
        next_attempt_at) values ($1, $2, $3, false, 'exchanged', $3, $4, now() - interval '1 minute')`,
    [id, userId, subject, sealed],
  )
  return id
}

/** Exchanges of a new user in a state, all with the same time. */
const exchangesIn = (state: string, count: number) =>
  world.sql(
    `with u as (insert into users (issuer, subject) values ('work', $1) returning id)
      insert into link_exchanges (id, user_id, public_token_digest, allow_duplicate, state, next_attempt_at, created_at)
      select gen_random_uuid(), u.id, $1 || n, false, $1, now() + interval '1 hour', '2026-01-01T00:00:00Z'
      from u, generate_series(1, $2::int) n`,
    [state, count],
  )

describe('the list of open exchanges', () => {
  it('has an exchange that could not be finished, with Plaid’s error and without its token', async () => {
    const id = await exchanged('interrupted')
    const services = withPlaid(world.services, { getItem: noAnswer, getAccounts: noAnswer })
    await reconcile(world.job(services))
    const found = await list(listExchangesRoute)
    expect(found.data).toEqual([
      expect.objectContaining({
        id,
        state: 'exchanged',
        plaid_item_id: 'interrupted',
        attempts: 1,
        last_error: 'INTERNAL_SERVER_ERROR',
      }),
    ])
    expect(JSON.stringify(found)).not.toMatch(/wn2|sealed|digest|token/)
  })

  it('has each one once over all pages, only those that have not ended, by state and user', async () => {
    await exchangesIn('started', 5)
    await exchangesIn('exchanged', 2)
    await exchangesIn('linked', 3)
    const all = await pagesOf(listExchangesRoute)
    expect(new Set(all.map(({ id }) => id)).size).toBe(7)
    expect(all).toHaveLength(7)
    expect((await pagesOf(listExchangesRoute, { state: 'exchanged' })).map(({ state }) => state)).toEqual([
      'exchanged',
      'exchanged',
    ])
    const [user] = await world.sql("select id from users where subject = 'started'")
    expect(await pagesOf(listExchangesRoute, { user_id: String(user?.['id']) })).toHaveLength(5)
    await expect(list(listExchangesRoute, { state: 'linked' })).rejects.toMatchObject({ code: 'validation_failed' })
  })

  it('no longer has an exchange that has ended', async () => {
    await linkSmallBank(world, 'finished')
    expect((await list(listExchangesRoute)).data).toEqual([])
  })

  it('keeps the failure of the attempt when the note of it cannot be written', async () => {
    await exchanged('not noted')
    await world.stack.addFault(world.database.name, {
      kind: 'fail-before',
      matching: 'update link_exchanges set last_error',
      times: 5,
    })
    await reconcile(world.job(withPlaid(world.services, { getItem: noAnswer, getAccounts: noAnswer })))
    expect(world.lines.some((line) => line.includes('"exchange_failure_not_noted"'))).toBe(true)
    const failed = world.lines.find((line) => line.includes('"not_reconciled"'))
    expect(failed).toContain('INTERNAL_SERVER_ERROR')
  })
})

describe('the list of removals', () => {
  it('has an item that Plaid does not remove, with the error, until Plaid has confirmed it', async () => {
    const item = await linkAndSync(world, 'leaving')
    await world.bank.fault({ endpoint: '/item/remove', times: 5, error: 'INTERNAL_SERVER_ERROR' })
    await removeItem(world.user('leaving'), item.id, { purge: false })
    expect((await list(listRemovalsRoute)).data).toEqual([
      expect.objectContaining({
        plaid_item_id: item.plaidItemId,
        item_id: item.id,
        reason: 'removed',
        attempts: 1,
        last_error: 'INTERNAL_SERVER_ERROR',
      }),
    ])
    await world.bank.clearFaults()
    await world.sql("update plaid_removals set next_attempt_at = now() - interval '1 minute'")
    await reconcile(world.job())
    expect((await list(listRemovalsRoute)).data).toEqual([])
  })

  it('has each one once over all pages, by reason', async () => {
    await world.sql(`with u as (insert into users (issuer, subject) values ('work', 'removals') returning id)
      insert into plaid_removals (user_id, plaid_item_id, reason, created_at)
      select u.id, reason || n, reason, '2026-01-01T00:00:00Z'
      from u, generate_series(1, 3) n, unnest(array['orphan', 'revoked']) reason`)
    const all = await pagesOf(listRemovalsRoute)
    expect([all.length, new Set(all.map(({ id }) => id)).size]).toEqual([6, 6])
    expect((await pagesOf(listRemovalsRoute, { reason: 'orphan' })).map(({ reason }) => reason)).toEqual([
      'orphan',
      'orphan',
      'orphan',
    ])
  })
})

const orphans = z.object({
  mode: z.string(),
  variable: z.string(),
  switch: z.string(),
  per_day: z.number(),
  removed_today: z.number(),
  waiting: z.number(),
  too_new: z.number(),
  unchecked_users: z.number(),
})

describe('the state of orphans', () => {
  const allowing = (mode: 'off' | 'report' | 'end', perDay: number): Services => ({
    ...world.services,
    config: { ...world.services.config, orphanRemoval: { mode, perDay } },
  })
  const stateOf = async (services: Services) =>
    orphans.parse(await ask({ ...operatorOf(world), services }, orphansRoute))
  const setSwitch = (state: string) =>
    world.sql("update safety_switches set state = $1, count = 0 where name = 'orphan_removal'", [state])

  it.each([
    ['end', 'end', 'end'],
    ['end', 'report', 'report'],
    ['off', 'end', 'off'],
    ['report', 'off', 'off'],
  ] as const)('has for the variable %s and the switch %s the mode %s', async (variable, stored, mode) => {
    await setSwitch(stored)
    expect(await stateOf(allowing(variable, 7))).toMatchObject({ mode, variable, switch: stored, per_day: 7 })
  })

  it('counts orphans that wait, those that are too new, and the removals of the day', async () => {
    await setSwitch('end')
    const subjects = ['lost 1', 'lost 2']
    for (const subject of subjects) await linkSmallBank(world, subject)
    await world.sql('delete from link_exchanges')
    await world.sql('delete from items')
    const services = allowing('end', 1)
    expect(await stateOf(services)).toMatchObject({ waiting: 0, unchecked_users: 2, removed_today: 0 })
    await reconcile(world.job(services))
    expect(await stateOf(services)).toMatchObject({ waiting: 2, too_new: 2, unchecked_users: 0 })
    await world.sql("update plaid_removals set next_attempt_at = now() - interval '1 minute'")
    await reconcile(world.job(services))
    expect(await stateOf(services)).toMatchObject({ waiting: 1, too_new: 0, removed_today: 1 })
    const held = await Promise.all(subjects.map((subject) => heldAtPlaid(world, subject)))
    expect(held.flat()).toHaveLength(1)
    await world.sql(
      "update safety_switches set counted_on = counted_on - 1 where name = 'orphan_removal' and counted_on is not null",
    )
    expect(await stateOf(services)).toMatchObject({ removed_today: 0 })
  })
})
