// Alarms from their cause to their receiver, over the real store and the Worker's own entry points.
import {
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  evictDurableObject,
  waitOnExecutionContext,
} from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { evaluateAlarms } from '../../../src/alarms/evaluate-alarms.ts'
import type { Ctx, Services, User } from '../../../src/context.ts'
import { listAlarmsRoute } from '../../../src/http/routes/admin/alarms.ts'
import { emptyBook } from '../../../src/monitoring/alarms/book.ts'
import { rules } from '../../../src/monitoring/alarms/rules.ts'
import type { Monitor } from '../../../src/monitoring/metrics/object.ts'
import { createMetricsStore } from '../../../src/monitoring/metrics/store.ts'
import type { Bindings } from '../../../src/services.ts'
import worker from '../../../src/worker.ts'
import { ask } from '../../support/call-route.ts'
import { workerVariables } from '../../support/bindings.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      MONITOR: DurableObjectNamespace<Monitor>
    }
  }
}

const minuteMs = 60_000
const receiverUrl = 'https://receiver.test/hooks/secret-path'
const secretBytes = 'thirty-two bytes for this test..'
const secret = `whsec_${btoa(secretBytes)}`
const alarmStates = z.object({
  evaluated_at: z.string().nullable(),
  waiting: z.number(),
  data: z.array(z.looseObject({ name: z.string(), state: z.string() })),
})
const bodySchema = z.object({ type: z.string(), data: z.object({ alarm: z.string(), state: z.string() }) })

interface Received {
  readonly id: string
  readonly change: string
}

let world: World
/** Each test has its own store and its own hours. */
let nowMs = Date.parse('2031-03-04T05:00:00.000Z')
let count = 0
let stub: DurableObjectStub<Monitor>
let received: Received[]
/** How many notifications the receiver refuses before it accepts one. */
let refusals = 0
let refused: string[]

useWorld((made) => {
  world = made
})

const realFetch = globalThis.fetch.bind(globalThis)

/** Verifies the signature with the key alone, as a receiver does. */
async function isSigned(headers: Headers, body: string): Promise<boolean> {
  const key = await crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(secretBytes),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['verify'],
  )
  const signature = (headers.get('webhook-signature') ?? '').replace(/^v1,/, '')
  const signed = `${headers.get('webhook-id')}.${headers.get('webhook-timestamp')}.${body}`
  const bytes = Uint8Array.from(atob(signature), (character) => character.charCodeAt(0))
  return await crypto.subtle.verify('HMAC', key, bytes, new TextEncoder().encode(signed))
}

async function receive(request: Request): Promise<Response> {
  const body = await request.text()
  expect(await isSigned(request.headers, body)).toBe(true)
  const { type, data } = bodySchema.parse(JSON.parse(body))
  const id = request.headers.get('webhook-id') ?? ''
  expect(type).toBe(`alarm.${data.state}`)
  if (refusals > 0) {
    refusals -= 1
    refused.push(id)
    return new Response('no', { status: 503 })
  }
  received.push({ id, change: `${data.alarm} ${data.state}` })
  return new Response(null, { status: 204 })
}

beforeEach(() => {
  count += 1
  stub = env.MONITOR.getByName(`alarms ${count}`)
  received = []
  refused = []
  refusals = 0
  passTo(nowMs + 48 * 60 * minuteMs)
  vi.spyOn(console, 'error').mockImplementation(() => {})
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  vi.spyOn(console, 'info').mockImplementation(() => {})
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) =>
    input instanceof Request && input.url === receiverUrl ? await receive(input) : await realFetch(input, init),
  )
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  await world.stack.clearFaults(world.database.name)
})

function passTo(timeMs: number): void {
  nowMs = timeMs
  vi.useFakeTimers({ toFake: ['Date'], now: nowMs })
}

const bindings = (): Bindings => ({
  ...env,
  ...workerVariables(world.database),
  PLAID_BASE_URL: world.simulator.url,
  ALERT_WEBHOOK_URL: receiverUrl,
  ALERT_WEBHOOK_SECRET: secret,
  SYNC_QUEUE: { sendBatch: () => Promise.resolve() },
  MONITOR: { getByName: () => stub },
})

/** Runs the cron of each minute in a new isolate; whether it succeeded. */
async function runCron(): Promise<boolean> {
  const context = createExecutionContext()
  const run = worker.scheduled(createScheduledController({ cron: '* * * * *' }), bindings(), context)
  const isGood = await run.then(
    () => true,
    () => false,
  )
  await waitOnExecutionContext(context)
  return isGood
}

async function runMinutes(minutes: number): Promise<boolean[]> {
  const results: boolean[] = []
  for (let minute = 0; minute < minutes; minute += 1) {
    results.push(await runCron())
    passTo(nowMs + minuteMs)
  }
  return results
}

/** A message whose deliveries all failed reaches the Worker. */
async function deliverDeadLetter(): Promise<void> {
  const context = createExecutionContext()
  const message = { id: crypto.randomUUID(), timestamp: new Date(nowMs), attempts: 1, body: { unknown: true } }
  await worker.queue(createMessageBatch('wealthnavigator-sync-dead', [message]), bindings(), context)
  await waitOnExecutionContext(context)
}

/** In this test, no sweep runs, which is an alarm too. */
const changes = (): string[] =>
  received.map(({ change }) => change).filter((change) => !change.startsWith('cron_sweep_missing'))
const idsOf = (alarm: string): string[] =>
  [...received.map(({ id }) => id), ...refused].filter((id) => id.includes(alarm))

describe('an alarm', () => {
  it('is received once when its condition begins and once when it ends', async () => {
    await runMinutes(2)
    await deliverDeadLetter()
    await runMinutes(5)
    expect(changes()).toEqual(['dead_letters fired'])
    await evictDurableObject(stub)
    await runMinutes(62)
    expect(changes()).toEqual(['dead_letters fired', 'dead_letters resolved'])
  })

  it('reaches a receiver that refuses it at first, under one id, and its end comes after it', async () => {
    refusals = 3
    await deliverDeadLetter()
    await runMinutes(12)
    expect(changes()).toEqual(['dead_letters fired'])
    expect(new Set(idsOf('dead_letters')).size).toBe(1)
    expect(refused).toHaveLength(3)
    refusals = 1
    await runMinutes(60)
    expect(changes()).toEqual(['dead_letters fired', 'dead_letters resolved'])
  })

  it('is sent by one of two crons that run at the same time', async () => {
    await deliverDeadLetter()
    await Promise.all([runCron(), runCron(), runCron()])
    expect(changes()).toEqual(['dead_letters fired'])
  })

  it('is sent while the database is down, about the database too', async () => {
    await runMinutes(2)
    await world.stack.addFault(world.database.name, { kind: 'fail-before', times: 10_000 })
    expect(await runMinutes(8)).toContain(false)
    expect(changes()).toEqual(['database_failing fired'])
    await world.stack.clearFaults(world.database.name)
    await runMinutes(12)
    expect(changes()).toEqual(['database_failing fired', 'database_failing resolved'])
  })
})

/** A context of the cron with the world's services, over the store of the test. */
function cron(change: Partial<Services> = {}): Ctx {
  const metricsStore = createMetricsStore({ getByName: () => stub }, () => crypto.randomUUID())
  const sendAlert: Services['sendAlert'] = ({ id, alarm, kind }) =>
    Promise.resolve(void received.push({ id, change: `${alarm} ${kind}` }))
  const services = { ...world.services, metricsStore, sendAlert, ...change }
  return { ...world.job(services), actor: { kind: 'cron', name: 'audit' }, now: () => new Date(nowMs) }
}

type Store = NonNullable<Services['metricsStore']>
const storeOf = (ctx: Ctx): Store => {
  if (ctx.services.metricsStore === null) throw new Error('no store')
  return ctx.services.metricsStore
}

describe('a cron that dies', () => {
  it('between storing and sending loses nothing', async () => {
    await deliverDeadLetter()
    // Its isolate is gone while the receiver has not answered.
    const dying = cron({ sendAlert: () => new Promise(() => undefined) })
    void evaluateAlarms(dying)
    await vi.waitFor(async () => expect(await storeOf(dying).readAlarms()).not.toBeNull())
    passTo(nowMs + minuteMs)
    await evaluateAlarms(cron())
    expect(changes()).toEqual(['dead_letters fired'])
  })

  it('between sending and storing sends it again under the same id', async () => {
    await deliverDeadLetter()
    const store = storeOf(cron())
    let saves = 0
    const dying: Store = {
      ...store,
      saveAlarms: async (version, book) => {
        saves += 1
        if (saves > 1) throw new Error('the isolate is gone')
        return await store.saveAlarms(version, book)
      },
    }
    await expect(evaluateAlarms(cron({ metricsStore: dying }))).rejects.toThrow('gone')
    passTo(nowMs + minuteMs)
    await evaluateAlarms(cron())
    expect(changes()).toEqual(['dead_letters fired', 'dead_letters fired'])
    expect(new Set(received.map(({ id }) => id)).size).toBe(1)
    await evaluateAlarms(cron())
    expect(received).toHaveLength(2)
  })
})

describe('a run that another one overtook', () => {
  it('says that it could not store what it delivered', async () => {
    await deliverDeadLetter()
    const store = storeOf(cron())
    let saves = 0
    const overtaken: Store = {
      ...store,
      saveAlarms: async (version, book) => {
        saves += 1
        return saves === 1 && (await store.saveAlarms(version, book))
      },
    }
    await evaluateAlarms(cron({ metricsStore: overtaken }))
    expect(changes()).toEqual(['dead_letters fired'])
    expect(world.lines.join('\n')).toContain('alarms_not_saved')
  })
})

describe('the evaluation', () => {
  it('notifies the operator once an hour when the store does not respond', async () => {
    const failing: Store = { ...storeOf(cron()), readAlarms: () => Promise.reject(new Error('overloaded')) }
    for (let minute = 0; minute < 5; minute += 1) {
      await expect(evaluateAlarms(cron({ metricsStore: failing }))).rejects.toThrow('overloaded')
      passTo(nowMs + minuteMs)
    }
    expect(changes()).toEqual(['alarms_interrupted fired'])
    expect(world.lines.join('\n')).toContain('alarms_not_evaluated')
  })

  it('repeats a read that failed once', async () => {
    const store = storeOf(cron())
    let failures = 1
    const failing: Store = {
      ...store,
      totals: async (of) => {
        failures -= 1
        if (failures >= 0) throw new Error('restarting')
        return await store.totals(of)
      },
    }
    await evaluateAlarms(cron({ metricsStore: failing }))
    expect(changes()).toEqual([])
  })

  it('begins again with a book that this version cannot read', async () => {
    const ctx = cron()
    await stub.saveAlarms({ version: 0, book: { ...emptyBook(nowMs), version: 7, rules: JSON.parse('{"a":1}') } })
    await evaluateAlarms(ctx)
    expect(await storeOf(ctx).readAlarms()).toMatchObject({ version: 8 })
  })

  it('cannot save a book whose predecessor was replaced', async () => {
    const book = emptyBook(nowMs)
    expect(await stub.saveAlarms({ version: 0, book: { ...book, version: 1 } })).toBe(true)
    expect(await stub.saveAlarms({ version: 0, book: { ...book, version: 1 } })).toBe(false)
    expect(await stub.saveAlarms({ version: 1, book: { ...book, version: 2 } })).toBe(true)
  })
})

describe('GET /api/v1/admin/alarms', () => {
  const asAdministrator = (change: Partial<Services> = {}): Ctx<User> => {
    const user = world.user('operator')
    return {
      ...user,
      services: cron(change).services,
      actor: { ...user.actor, role: 'admin' },
      now: () => new Date(nowMs),
    }
  }

  it('shows each alarm, what it measured, and what waits for the receiver', async () => {
    expect(await ask(asAdministrator(), listAlarmsRoute)).toMatchObject({ evaluated_at: null, waiting: 0 })
    await deliverDeadLetter()
    await evaluateAlarms(cron({ sendAlert: () => Promise.reject(new Error('down')) }))
    const answer = alarmStates.parse(await ask(asAdministrator(), listAlarmsRoute))
    const at = new Date(nowMs).toISOString()
    expect(answer).toMatchObject({ evaluated_at: at, waiting: 1 })
    expect(answer.data.map(({ name }) => name)).toEqual(rules.map(({ name }) => name))
    expect(answer.data.find(({ name }) => name === 'dead_letters')).toEqual({
      name: 'dead_letters',
      severity: 'ticket',
      summary: expect.any(String),
      state: 'firing',
      since: at,
      value: 1,
      threshold: 1,
      unit: 'count',
      runbook: 'docs/runbook.md#dead_letters',
    })
    expect(answer.data.filter(({ state }) => state === 'firing')).toHaveLength(1)
  })

  it('is refused to a user, and unavailable without a store', async () => {
    await expect(ask(world.user('curious'), listAlarmsRoute)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(ask(asAdministrator({ metricsStore: null }), listAlarmsRoute)).rejects.toMatchObject({
      code: 'unavailable',
    })
    const failing: Store = { ...storeOf(cron()), readAlarms: () => Promise.reject(new Error('overloaded')) }
    await expect(ask(asAdministrator({ metricsStore: failing }), listAlarmsRoute)).rejects.toMatchObject({
      code: 'unavailable',
    })
  })
})

describe('Sentry', () => {
  it('gets each change once, with the alarm as a tag', async () => {
    const reports: unknown[] = []
    const reporter: Services['reporter'] = () => ({
      captureError: () => undefined,
      captureMessage: (message, tags) => reports.push([message, tags]),
      isPaused: () => false,
      captureOperation: () => undefined,
      captureCheckIn: () => undefined,
    })
    await deliverDeadLetter()
    for (let minute = 0; minute < 3; minute += 1) {
      await evaluateAlarms(cron({ reporter, sendAlert: () => Promise.reject(new Error('down')) }))
      passTo(nowMs + minuteMs)
    }
    const tags = {
      alarm: 'dead_letters',
      state: 'fired',
      severity: 'ticket',
      alarm_id: expect.stringMatching(/^alarm_/),
    }
    expect(reports).toEqual([['alarm dead_letters fired', tags]])
  })
})
