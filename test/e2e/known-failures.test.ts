// Failures of other integrations of Plaid, as far as they show over HTTP. A test title begins with the failure's name
// in test/unit/known-failures.test.ts; test/worker/known-failures-sync.test.ts and known-failures-data.test.ts have the others.
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { type Call, type Edge, expectStatus, type Linked, startEdge, webhookPath } from '../support/edge.ts'
import { connectStack, type Delivery } from '../support/stack.ts'
import { relayHeaders, relaySecret } from '../support/deliveries.ts'

/** Twice as long as Plaid waits for a webhook's response, for a busy machine; far below the 90 s of a call that hangs. */
const inTimeMs = 20_000

let edge: Edge
let item: Linked
let receiver: { url: string; take(): Promise<Delivery[]> }

beforeAll(async () => {
  receiver = await connectStack(inject('control')).openReceiver()
  const variables = { PLAID_WEBHOOK_VERIFICATION_KEY: relaySecret }
  edge = await startEdge({ webhookUrl: receiver.url, variables })
  item = await edge.link('user')
})
afterAll(() => edge.stop())

/** The webhook that `act` causes, before it reaches the Worker. */
async function caught(text: string, act: () => Promise<unknown>): Promise<Delivery> {
  await act()
  return await vi.waitFor(
    async () => {
      const found = (await receiver.take()).find(({ body }) => body.includes(text))
      if (found === undefined) throw new Error('no webhook came')
      return found
    },
    { timeout: 20_000 },
  )
}

const deliver = async ({ body, plaidVerification }: Delivery, call: Call = edge.call) =>
  await call('POST', webhookPath, { body, headers: { 'plaid-verification': plaidVerification ?? '' } })

/** Sends a webhook of a type that Plaid does not have. */
async function relay(members: object): Promise<number> {
  const body = JSON.stringify({ item_id: item.plaidItemId, ...members })
  return (await edge.call('POST', webhookPath, { body, headers: relayHeaders(body) })).status
}

async function codes(): Promise<string[]> {
  const rows = await edge.sql('select webhook_code from webhook_events order by received_at')
  return rows.map((row) => String(row['webhook_code']))
}

test('unknown webhook types answered 400 until Plaid stopped sending: they are kept, and answered 200', async () => {
  const access_token = edge.accessToken(item.plaidItemId)
  const unhandled = await caught('WEBHOOK_UPDATE_ACKNOWLEDGED', () =>
    edge.bank.plaid('/item/webhook/update', { access_token, webhook: receiver.url }),
  )
  expectStatus(await deliver(unhandled), 200)
  const unknown = [
    { webhook_type: 'FUTURE_PRODUCT', webhook_code: 'NEWS' },
    { webhook_type: 'ITEM', webhook_code: 'SOMETHING_NEW', error: 'of another kind' },
    { webhook_type: 'constructor', webhook_code: 'toString' },
  ]
  for (const members of unknown) expect(await relay(members)).toBe(200)
  expect(await codes()).toEqual(['WEBHOOK_UPDATE_ACKNOWLEDGED', ...unknown.map((members) => members.webhook_code)])
})

test('the JWT path hanging instead of answering: without a key there is a 503 in time, and the retry is taken', async () => {
  // A key that no isolate has requested yet, and an isolate that already runs.
  await edge.bank.webhooks({ rotate_key: true })
  const { url } = await edge.startAnother({})
  expectStatus(await edge.callTo(url)('GET', '/ready'), 200)
  const delivery = await caught('NEW_ACCOUNTS_AVAILABLE', () =>
    edge.bank.plaid('/sandbox/item/fire_webhook', {
      access_token: edge.accessToken(item.plaidItemId),
      webhook_code: 'NEW_ACCOUNTS_AVAILABLE',
    }),
  )
  await edge.bank.fault({ endpoint: '/webhook_verification_key/get', times: 1000, latency_ms: 600_000 })
  const before = await codes()
  const startedMs = performance.now()
  const answer = await deliver(delivery, edge.callTo(url))
  expect(performance.now() - startedMs).toBeLessThan(inTimeMs)
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '30'])
  expect(await codes()).toEqual(before)
  await edge.healBank()
  expectStatus(await deliver(delivery, edge.callTo(url)), 200)
  expect(await codes()).toEqual([...before, 'NEW_ACCOUNTS_AVAILABLE'])
})

test('tokens in query strings: one that a client sends there opens nothing, and Plaid is sent none', async () => {
  const bearer = edge.token('user')
  expectStatus(await edge.callTo(edge.url, bearer)('GET', '/api/v1/accounts'), 200)
  for (const name of ['access_token', 'token', 'authorization'])
    expectStatus(await edge.call('GET', `/api/v1/accounts?${name}=${bearer}`), 401)
  const paths = edge.plaid.exchanges.map(({ path }) => path)
  expect(paths).toContain('/item/public_token/exchange')
  expect(paths.filter((path) => /[?#]|-sandbox-/.test(path))).toEqual([])
})
