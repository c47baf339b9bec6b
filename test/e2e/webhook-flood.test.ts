// Webhooks with invented key ids are limited like other failures, raise at most one alarm a minute, and never delay
// Plaid's own webhooks, not even in an isolate that has just started.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { catchWebhooks, type Delivery, encode, fireWebhook, headerOf, withJwt } from '../support/deliveries.ts'
import { type Call, type Edge, type Linked, startEdge, webhookPath } from '../support/edge.ts'
import { startRecordingProxy, type RecordingProxy } from '../support/recording-proxy.ts'
import { runsLongProofs } from '../support/sampled.ts'

const failuresOfAddress = 20
/** The most key requests of one isolate in a minute for unknown keys, and the most of those for one network. */
const mostKeyRequests = 10
const mostOfNetwork = 2
const keyPath = '/webhook_verification_key/get'

let edge: Edge
let relay: RecordingProxy
let item: Linked

beforeAll(async () => {
  relay = await startRecordingProxy(null)
  edge = await startEdge({
    webhookUrl: `${relay.url}${webhookPath}`,
    variables: { RATE_LIMITS: JSON.stringify({ webhook_failed: failuresOfAddress }) },
  })
  relay.target = edge.url
  item = await edge.linkAndSync('owner')
  relay.target = null
})
afterAll(async () => {
  await edge.stop()
  await relay.stop()
})

async function fired(): Promise<Delivery> {
  const [delivery] = await catchWebhooks(relay, 1, () => fireWebhook(edge, item))
  if (delivery === undefined) throw new Error('nothing was delivered')
  return delivery
}

const deliver = async ({ body, headers }: Delivery, call: Call, address: string): Promise<number> =>
  (await call('POST', webhookPath, { body, headers: { ...headers, 'cf-connecting-ip': address } })).status

/** The delivery with a key id that does not exist. */
const withJunkKid = (delivery: Delivery): Delivery =>
  withJwt(
    delivery,
    ([, claims, signature]) => `${encode({ ...headerOf(delivery), kid: randomUUID() })}.${claims}.${signature}`,
  )

/** The statuses of this many deliveries with invented key ids, in their order. */
async function flood(call: Call, count: number, addressOf: (index: number) => string): Promise<number[]> {
  const delivery = await fired()
  const statuses: number[] = []
  for (let index = 0; index < count; index += 1)
    statuses.push(await deliver(withJunkKid(delivery), call, addressOf(index)))
  return statuses
}

async function freshWorker(variables: Record<string, string> = {}): Promise<Call> {
  const { url } = await edge.startAnother(variables)
  return edge.callTo(url)
}

async function keyRequests(): Promise<number> {
  return (await edge.bank.calls()).filter(({ endpoint }) => endpoint === keyPath).length
}

const networks = (index: number): string => `198.18.${index % 256}.9`

test('a flood of webhooks from one address is refused, then limited, logs no error and costs two key requests', async () => {
  const call = await freshWorker()
  const [requests, lines] = [await keyRequests(), edge.lines().length]
  const statuses = await flood(call, 200, () => '203.0.113.5')
  expect(statuses).toEqual([
    ...Array<number>(mostOfNetwork).fill(401),
    ...Array<number>(failuresOfAddress - mostOfNetwork).fill(503),
    ...Array<number>(200 - failuresOfAddress).fill(429),
  ])
  expect(await keyRequests()).toBe(requests + mostOfNetwork)
  const written = edge.lines().slice(lines)
  expect(written.filter((line) => line.includes('"status":429')).length).toBe(200 - failuresOfAddress)
  expect(written.filter((line) => line.includes('"level":"error"'))).toEqual([])
})

test('a genuine webhook is taken at once by a fresh Worker that has seen nothing but made-up key ids of many networks', async () => {
  const call = await freshWorker()
  const requests = await keyRequests()
  const statuses = await flood(call, 40, networks)
  expect(statuses.filter((status) => status === 401)).toHaveLength(mostKeyRequests)
  for (let delivery = 0; delivery < 5; delivery += 1) {
    expect(await deliver(await fired(), call, '203.0.113.77')).toBe(200)
    await flood(call, 3, networks)
  }
  expect(await keyRequests()).toBe(requests + mostKeyRequests)
})

describe.runIf(runsLongProofs())('a webhook with a key that no isolate knows', () => {
  test('is accepted from any other network while one network floods', async () => {
    const call = await freshWorker()
    await edge.bank.webhooks({ rotate_key: true })
    await flood(call, 30, (index) => `203.0.113.${index}`)
    expect(await deliver(await fired(), call, '192.0.2.1')).toBe(200)
  })

  test("is accepted from Plaid's networks while many networks flood, and then from everywhere", async () => {
    const [call, other] = [await freshWorker(), await freshWorker()]
    await edge.bank.webhooks({ rotate_key: true })
    for (const worker of [call, other]) await flood(worker, 20, networks)
    expect(await deliver(await fired(), call, '192.0.2.1')).toBe(503)
    expect(await deliver(await fired(), call, '52.21.26.131')).toBe(200)
    // The other isolate has cached the shared keys, and reads them again after five seconds.
    await vi.waitFor(async () => expect(await deliver(await fired(), other, '192.0.2.1')).toBe(200), {
      timeout: 15_000,
      interval: 500,
    })
  })
})

const envelopeItem = z.looseObject({ type: z.string().optional(), message: z.unknown().optional() })

test.runIf(runsLongProofs())('Sentry gets one event a minute during any flood', async () => {
  const sink = await startRecordingProxy(null, '{}')
  try {
    const call = await freshWorker({
      SENTRY_DSN: `${sink.url.replace('://', '://key@')}/1`,
      SENTRY_TRACES_SAMPLE_RATE: '0',
    })
    const statuses = await flood(call, 120, (index) => `198.19.${index % 40}.1`)
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(100)
    await vi.waitFor(() => expect(sink.exchanges.length).toBeGreaterThan(0))
    const sent = sink.exchanges.flatMap(({ body }) =>
      body.split('\n').flatMap((line) => (line === '' ? [] : [envelopeItem.parse(JSON.parse(line))])),
    )
    expect(sent.filter(({ type }) => type === 'event')).toHaveLength(1)
    expect(JSON.stringify(sent)).toContain('webhooks_unverified')
  } finally {
    await sink.stop()
  }
})

describe('a genuine delivery that is sent again and again', () => {
  const times = 600
  const repeat = async (delivery: Delivery, call: Call, count: number): Promise<Set<number>> => {
    const statuses = new Set<number>()
    for (let sent = 0; sent < count; sent += 30) {
      const copies = Array.from({ length: 30 }, () => deliver(delivery, call, '203.0.113.50'))
      for (const status of await Promise.all(copies)) statuses.add(status)
    }
    return statuses
  }
  const eventCount = async () => Number((await edge.sql('select count(*) as n from webhook_events'))[0]?.['n'])

  test('is 200 each time, one row, and one transaction in an isolate', async () => {
    const database = await startRecordingProxy(edge.database.endpoint)
    try {
      const call = await freshWorker({ DATABASE_ENDPOINT: new URL('/sql', database.url).href })
      await deliver(await fired(), call, '203.0.113.51')
      const [delivery, before] = [await fired(), await eventCount()]
      const calls = database.exchanges.length
      expect(await repeat(delivery, call, times)).toEqual(new Set([200]))
      expect(await eventCount()).toBe(before + 1)
      const recorded = database.exchanges.slice(calls).filter(({ body }) => body.includes('insert into webhook_events'))
      expect(recorded).toHaveLength(1)
    } finally {
      await database.stop()
    }
  })
})
