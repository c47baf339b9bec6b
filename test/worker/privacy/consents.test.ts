// What a person allows: its versions and history, and that what serves a purpose stops without it.
import { describe, expect, it } from 'vitest'
import { signAccessToken } from '../../../src/auth/sign-access-token.ts'
import type { Services } from '../../../src/context.ts'
import { AppError } from '../../../src/errors.ts'
import { createApp } from '../../../src/http/app.ts'
import { cashFlowRoute, netWorthRoute, spendingRoute } from '../../../src/http/routes/insights.ts'
import { repairItemRoute } from '../../../src/http/routes/items/items.ts'
import { createLinkTokenRoute, exchangePublicTokenRoute } from '../../../src/http/routes/link.ts'
import { syncAllRoute, syncItemRoute } from '../../../src/http/routes/sync.ts'
import { changeConsents, readConsents } from '../../../src/privacy/consents.ts'
import { defaultDecisions } from '../../../src/privacy/purposes.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { ask } from '../../support/call-route.ts'
import { linkAndSync } from '../../support/linked.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const noSync = { ...defaultDecisions, linking_and_sync: false }
const noInsights = { ...defaultDecisions, insights: false }

async function errorOf(act: Promise<unknown>): Promise<AppError | null> {
  try {
    await act
    return null
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}
const codeOf = async (act: Promise<unknown>) => (await errorOf(act))?.code ?? null

const storedOf = async (subject: string): Promise<number> => {
  const rows = await world.sql(
    'select count(*)::int as n from transactions t join users u on u.id = t.user_id where u.subject = $1',
    [subject],
  )
  return Number(rows[0]?.['n'])
}

describe('the decisions of a person', () => {
  it('are the defaults until the person decides, also for a user who is not known', async () => {
    expect(await readConsents(world.user('undecided'))).toEqual({
      version: 0,
      decisions: defaultDecisions,
      history: [],
    })
    expect(defaultDecisions.product_emails).toBe(false)
  })

  it('have a version each, and a history, newest first', async () => {
    const ctx = world.user('historian')
    await changeConsents(ctx, 0, noInsights)
    const { version, decisions, history } = await changeConsents(ctx, 1, { ...noInsights, diagnostics: false })
    expect(version).toBe(2)
    expect(decisions).toMatchObject({ insights: false, diagnostics: false, linking_and_sync: true })
    expect(history.map((decision) => [decision.version, decision.diagnostics])).toEqual([
      [2, false],
      [1, true],
    ])
    expect(await readConsents(ctx)).toEqual({ version, decisions, history })
  })

  it('stay the same when a request is repeated', async () => {
    const ctx = world.user('repeater')
    const first = await changeConsents(ctx, 0, noInsights)
    expect(await changeConsents(ctx, 0, noInsights)).toEqual(first)
    expect(await changeConsents(ctx, 1, noInsights)).toEqual(first)
  })

  it('are not overwritten by a client that has read an older version', async () => {
    const ctx = world.user('late')
    await changeConsents(ctx, 0, noInsights)
    const error = await errorOf(changeConsents(ctx, 0, noSync))
    expect(error).toMatchObject({ code: 'conflict', extensions: { version: 1 } })
    expect(await codeOf(changeConsents(ctx, 7, noSync))).toBe('conflict')
    expect((await readConsents(ctx)).version).toBe(1)
  })

  it('count once when two requests come at the same time', async () => {
    const ctx = world.user('twice')
    const codes = await Promise.all([
      codeOf(changeConsents(ctx, 0, noSync)),
      codeOf(changeConsents(ctx, 0, noInsights)),
    ])
    expect(new Set(codes)).toEqual(new Set(['conflict', null]))
    expect((await readConsents(ctx)).version).toBe(1)
  })

  it('concern no other user', async () => {
    await changeConsents(world.user('private person'), 0, noInsights)
    expect(await readConsents(world.user('neighbour'))).toMatchObject({ version: 0, decisions: defaultDecisions })
    expect(await codeOf(ask(world.user('neighbour'), spendingRoute))).toBeNull()
  })
})

describe('a person who does not allow insights', () => {
  it('gets a separate code from every insight, until the person allows them again', async () => {
    const ctx = world.user('no insights')
    await changeConsents(ctx, 0, noInsights)
    for (const route of [netWorthRoute, cashFlowRoute, spendingRoute])
      expect(await errorOf(ask(ctx, route))).toMatchObject({
        code: 'purpose_not_allowed',
        extensions: { purpose: 'insights' },
      })
    await changeConsents(ctx, 1, defaultDecisions)
    expect(await codeOf(ask(ctx, netWorthRoute))).toBeNull()
  })
})

describe('a person who does not allow linking and sync', () => {
  it('links, repairs and syncs nothing on demand', async () => {
    const ctx = world.user('no link')
    await changeConsents(ctx, 0, noSync)
    const params = { id: crypto.randomUUID(), item_id: crypto.randomUUID() }
    const asked = [
      [createLinkTokenRoute, { body: {} }],
      [exchangePublicTokenRoute, { body: { public_token: `public-sandbox-${crypto.randomUUID()}` } }],
      [syncAllRoute, {}],
      [syncItemRoute, { params }],
      [repairItemRoute, { params }],
    ] as const
    for (const [route, parts] of asked)
      expect([route.id, await codeOf(ask(ctx, route, parts))]).toEqual([route.id, 'purpose_not_allowed'])
    expect(
      await world.sql("select 1 from link_exchanges x join users u on u.id = x.user_id where subject = 'no link'"),
    ).toEqual([])
  })

  it('has no item synced by a message or a sweep, until the person allows it again', async () => {
    const ctx = world.user('no sync')
    const item = await linkAndSync(world, 'no sync')
    await changeConsents(ctx, 0, noSync)
    const before = await storedOf('no sync')
    await world.bank.change(item.plaidItemId, { add: 5, silent: true })
    const calls = (await world.bank.calls()).length
    // A message that was on its way, and one of a sweep a day later.
    await requestSync(ctx, item.id)
    await world.drain()
    await world.elapse()
    await sweep(world.job())
    expect(world.queue).toEqual([])
    expect([(await world.bank.calls()).length, await storedOf('no sync')]).toEqual([calls, before])
    await changeConsents(ctx, 1, defaultDecisions)
    await sweep(world.job())
    await world.drain()
    expect(await storedOf('no sync')).toBe(before + 5)
  })
})

describe('a person who does not allow diagnostics', () => {
  /** The reports of a request of the user, which fails. */
  async function reportsOf(subject: string): Promise<string[]> {
    const reports: string[] = []
    const reporter: Services['reporter'] = () => ({
      captureError: (_error, { route } = {}) => reports.push(`error ${route}`),
      captureMessage: (message) => reports.push(message),
      isPaused: () => false,
      captureOperation: ({ name }) => reports.push(name),
      captureCheckIn: () => undefined,
    })
    const sentry = { dsn: 'http://key@127.0.0.1:9/1', tracesSampleRate: 1 }
    const services: Services = { ...world.services, reporter, config: { ...world.services.config, sentry } }
    const app = createApp({ servicesFor: () => services, log: { sink: () => undefined } })
    const token = await signAccessToken(
      services.config.secret,
      { subject, sessionId: crypto.randomUUID(), scope: 'read write', role: 'user' },
      60,
      new Date(),
    )
    const waiting: Promise<unknown>[] = []
    const context = {
      waitUntil: (work: Promise<unknown>) => waiting.push(work),
      passThroughOnException: () => undefined,
      props: {},
    }
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'item_products' })
    const request = new Request('http://localhost/api/v1/plaid/items', {
      headers: { authorization: `Bearer ${token}` },
    })
    expect((await app.fetch(request, {}, context)).status).toBe(503)
    await Promise.all(waiting)
    return reports
  }

  it('has no error and no operation reported', async () => {
    const ctx = world.user('no diagnostics')
    const route = '/api/v1/plaid/items'
    expect(await reportsOf('no diagnostics')).toEqual([`error ${route}`, `GET ${route}`])
    await changeConsents(ctx, 0, { ...defaultDecisions, diagnostics: false })
    expect(await reportsOf('no diagnostics')).toEqual([])
  })
})
