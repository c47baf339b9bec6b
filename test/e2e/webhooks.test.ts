// Webhooks over HTTP. A verified one is recorded once and brings the data up to date. Any other gets the same 401,
// changes nothing, and only the log names the reason. The deliveries are the simulator's own, caught before the Worker
// gets them.
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  catchWebhooks,
  type Delivery,
  deliveryOf,
  encode,
  fireWebhook,
  headerOf,
  refusalReasons,
  relayHeaders,
  relaySecret,
  withJwt,
} from '../support/deliveries.ts'
import { type Call, type Edge, type Linked, startEdge, webhookPath } from '../support/edge.ts'
import { fingerprint } from '../support/tables.ts'
import { startRecordingProxy, type RecordingProxy } from '../support/recording-proxy.ts'
import { expectTransactionsEqual } from '../support/truth.ts'

const keyPath = '/webhook_verification_key/get'

let edge: Edge
let relay: RecordingProxy
let item: Linked

beforeAll(async () => {
  relay = await startRecordingProxy(null)
  edge = await startEdge({
    webhookUrl: `${relay.url}${webhookPath}`,
    simulator: { webhookRetryBaseMs: 300 },
  })
  relay.target = edge.url
  item = await edge.linkAndSync('user')
})
afterAll(async () => {
  await edge.stop()
  await relay.stop()
})
beforeEach(async () => {
  relay.target = edge.url
  await edge.bank.webhooks({ tamper: null })
  await edge.settled()
})

async function fired(): Promise<Delivery> {
  const [delivery] = await catchWebhooks(relay, 1, () => fireWebhook(edge, item))
  if (delivery === undefined) throw new Error('nothing was delivered')
  return delivery
}

const deliver = ({ body, headers }: Delivery, call: Call = edge.call) => call('POST', webhookPath, { body, headers })

const signed = (body: string, seconds?: number, secret?: string): Delivery => ({
  body,
  headers: relayHeaders(body, seconds, secret),
})

const news = (members: object = {}) =>
  JSON.stringify({
    webhook_type: 'TRANSACTIONS',
    webhook_code: 'SYNC_UPDATES_AVAILABLE',
    item_id: item.plaidItemId,
    ...members,
  })

async function eventCount(): Promise<number> {
  return Number((await edge.sql('select count(*) as n from webhook_events'))[0]?.['n'])
}

async function dirtySeq(): Promise<string | null | undefined> {
  const rows = await edge.sql(`select dirty_seq from item_products where product = 'transactions' and item_id = $1`, [
    item.id,
  ])
  return rows[0]?.['dirty_seq']
}

/** A digest of every table, and how many calls Plaid got other than key requests. */
async function standing(): Promise<Record<string, string>> {
  return {
    ...(await fingerprint(edge.sql)),
    calls: String(edge.plaid.exchanges.filter(({ path }) => path !== keyPath).length),
  }
}

describe('a webhook of Plaid', () => {
  test('leads to the current state', async () => {
    const before = await eventCount()
    await edge.bank.change(item.plaidItemId, { add: 3, modify: 2, remove: 1 })
    await edge.settled()
    await expectTransactionsEqual(edge, 'user', item.plaidItemId)
    expect(await eventCount()).toBeGreaterThan(before)
  })

  test('gets 200 with an empty object', async () => {
    const { status, text } = await deliver(await fired())
    expect([status, text]).toEqual([200, '{}'])
  })

  test('gets 200 when it is repeated, with one event and one dirty mark', async () => {
    const delivery = await fired()
    const before = await eventCount()
    expect((await deliver(delivery)).status).toBe(200)
    const [events, mark] = [await eventCount(), await dirtySeq()]
    expect(events).toBe(before + 1)
    await edge.settled()
    const settledAt = await standing()
    expect((await deliver(delivery)).status).toBe(200)
    expect([await eventCount(), await dirtySeq()]).toEqual([events, mark])
    await edge.settled()
    expect(await standing()).toEqual(settledAt)
  })

  test('gets 200 for an unknown item, and is counted without a row', async () => {
    const publicToken = await edge.bank.publicToken({ webhook: `${relay.url}${webhookPath}` })
    const { access_token: token } = await edge.bank.plaid('/item/public_token/exchange', { public_token: publicToken })
    const deliveries = await catchWebhooks(relay, 3, async () => {
      for (const webhook_code of ['NEW_ACCOUNTS_AVAILABLE', 'SYNC_UPDATES_AVAILABLE', 'NEW_ACCOUNTS_AVAILABLE'])
        await fireWebhook(edge, item, { access_token: token, webhook_code })
    })
    const before = await eventCount()
    for (const delivery of deliveries) expect((await deliver(delivery)).status).toBe(200)
    expect(await eventCount()).toBe(before)
    expect(await edge.sql('select webhook_type, count from unmatched_webhooks order by 1')).toEqual([
      { webhook_type: 'ITEM', count: expect.stringMatching(/^[12]$/) },
      { webhook_type: 'TRANSACTIONS', count: '1' },
    ])
  })

  test('gets 200 a hundred times concurrently, each stored once, and leads to the current state', async () => {
    await edge.bank.webhooks({ drop: true })
    await edge.bank.change(item.plaidItemId, { add: 20 })
    await edge.bank.webhooks({ drop: false })
    const deliveries = await catchWebhooks(relay, 50, () =>
      Promise.all(Array.from({ length: 50 }, () => fireWebhook(edge, item))),
    )
    const before = await eventCount()
    const answers = await Promise.all([...deliveries, ...deliveries].map((delivery) => deliver(delivery)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200))
    expect(await eventCount()).toBe(before + 50)
    await edge.settled()
    await expectTransactionsEqual(edge, 'user', item.plaidItemId)
  })
})

/** The effect of a delivery: its response, what changed in the database, and the reasons in the log. */
async function outcomeOf(delivery: Delivery, call: Call = edge.call): Promise<object> {
  const [before, lines] = [await standing(), edge.lines().length]
  const answer = await call('POST', webhookPath, { body: delivery.body, headers: delivery.headers })
  await vi.waitFor(() => expect(refusalReasons(edge, lines)).not.toEqual([]))
  const after = await standing()
  return {
    status: answer.status,
    text: answer.text.replace(String(answer.headers.get('x-request-id')), 'its request id'),
    reasons: refusalReasons(edge, lines),
    changed: Object.keys(after).filter((name) => after[name] !== before[name]),
  }
}

/** The outcome of a refused webhook: the same body for all, nothing changed, the reason only in the log. */
const refusal = (reason: string) => ({
  status: 401,
  text: JSON.stringify({
    type: '/problems/webhook_refused',
    title: 'Unauthorized',
    status: 401,
    detail: 'The webhook was refused.',
    instance: 'urn:uuid:its request id',
    code: 'webhook_refused',
  }),
  reasons: [reason],
  changed: [],
})

/** Deliveries that the simulator breaks, each with the reason in the log. */
const tamperings = {
  missing: 'missing_header',
  alg_none: 'wrong_alg',
  alg_hs256: 'wrong_alg',
  alg_rs256: 'wrong_alg',
  kid_unknown: 'unknown_kid',
  signature: 'bad_signature',
  iat_old: 'too_old',
  iat_future: 'from_future',
  body: 'body_mismatch',
  hash: 'body_mismatch',
  junk: 'malformed_jwt',
}

/** Forgeries of a real delivery, each with the reason in the log. */
const forgeries: readonly (readonly [string, string, (delivery: Delivery) => Delivery | Promise<Delivery>])[] = [
  ['no signature at all', 'missing_header', ({ body }) => ({ body, headers: {} })],
  ['an empty header', 'malformed_jwt', ({ body }) => ({ body, headers: { 'plaid-verification': '' } })],
  ['one space more in the body', 'body_mismatch', ({ body, headers }) => ({ body: `${body} `, headers })],
  [
    'the same JSON in other bytes',
    'body_mismatch',
    ({ body, headers }) => ({ body: JSON.stringify(JSON.parse(body)), headers }),
  ],
  ['an empty body', 'body_mismatch', ({ headers }) => ({ body: '', headers })],
  ['a body of 1,048,577 bytes', 'body_too_large', ({ headers }) => ({ body: 'x'.repeat(1_048_577), headers })],
  ['a body of 2 MB', 'body_too_large', ({ headers }) => ({ body: 'x'.repeat(2_097_152), headers })],
  [
    'a header of 5,000 characters',
    'header_too_large',
    ({ body }) => ({ body, headers: { 'plaid-verification': 'x'.repeat(5000) } }),
  ],
  ['junk', 'malformed_jwt', ({ body }) => ({ body, headers: { 'plaid-verification': '{}' } })],
  ['two parts', 'malformed_jwt', (given) => withJwt(given, ([header, claims]) => `${header}.${claims}`)],
  ['no signature part', 'bad_signature', (given) => withJwt(given, ([header, claims]) => `${header}.${claims}.`)],
  [
    'a signature of zeros',
    'bad_signature',
    (given) => withJwt(given, ([header, claims]) => `${header}.${claims}.${Buffer.alloc(64).toString('base64url')}`),
  ],
  [
    'claims of its own',
    'bad_signature',
    (given) =>
      withJwt(
        given,
        ([header, , signature]) =>
          `${header}.${encode({ iat: Math.floor(Date.now() / 1000), request_body_sha256: '0'.repeat(64) })}.${signature}`,
      ),
  ],
  [
    'alg none and no signature',
    'wrong_alg',
    (given) => withJwt(given, ([, claims]) => `${encode({ ...headerOf(given), alg: 'none' })}.${claims}.`),
  ],
  [
    'HS256 with the public key as its secret',
    'wrong_alg',
    async (given) => {
      const { key } = await edge.bank.plaid(keyPath, { key_id: headerOf(given)['kid'] })
      return withJwt(given, ([, claims]) => {
        const input = `${encode({ ...headerOf(given), alg: 'HS256' })}.${claims}`
        return `${input}.${createHmac('sha256', JSON.stringify(key)).update(input).digest('base64url')}`
      })
    },
  ],
  [
    'a key of its own in the header',
    'malformed_jwt',
    (given) =>
      withJwt(
        given,
        ([, claims, signature]) => `${encode({ ...headerOf(given), jwk: { kty: 'EC' } })}.${claims}.${signature}`,
      ),
  ],
  [
    'a place for keys in the header',
    'malformed_jwt',
    (given) =>
      withJwt(
        given,
        ([, claims, signature]) => `${encode({ ...headerOf(given), jku: 'https://evil.test' })}.${claims}.${signature}`,
      ),
  ],
  [
    'a kid that is a path',
    'malformed_kid',
    (given) =>
      withJwt(
        given,
        ([, claims, signature]) => `${encode({ ...headerOf(given), kid: '../../etc/passwd' })}.${claims}.${signature}`,
      ),
  ],
  [
    'another typ',
    'wrong_typ',
    (given) =>
      withJwt(
        given,
        ([, claims, signature]) => `${encode({ ...headerOf(given), typ: 'at+jwt' })}.${claims}.${signature}`,
      ),
  ],
  [
    'both signatures',
    'two_headers',
    (given) => ({ ...given, headers: { ...given.headers, ...signed(given.body).headers } }),
  ],
  ["the relay's signature where there is no relay", 'hmac_disabled', ({ body }) => signed(body)],
]

describe('what does not verify is one and the same 401, and changes nothing', () => {
  test.each(Object.entries(tamperings))(
    'a delivery that the bank signed and something broke: %s',
    async (tamper, reason) => {
      await edge.bank.webhooks({ tamper })
      expect(await outcomeOf(await fired())).toEqual(refusal(reason))
    },
  )

  test.each(forgeries)('a real delivery with %s', async (_what, reason, forge) => {
    expect(await outcomeOf(await forge(await fired()))).toEqual(refusal(reason))
  })

  test("the header of one delivery over another's body", async () => {
    const [first, second] = await catchWebhooks(relay, 2, async () => {
      await fireWebhook(edge, item)
      await fireWebhook(edge, item, { webhook_code: 'NEW_ACCOUNTS_AVAILABLE' })
    })
    if (first === undefined || second === undefined) throw new Error('two were fired')
    const mixed = { body: first.body, headers: second.headers }
    expect(await outcomeOf(mixed)).toEqual(refusal('body_mismatch'))
  })
})

describe('an unavailable key endpoint', () => {
  test.each([
    ['answers an error', { error: 'INTERNAL_SERVER_ERROR' }],
    ['cuts connections', { drop: true }],
    ['answers nonsense', { error: { error_type: '', error_code: '' }, status: 418 }],
  ])('makes a webhook 503 with Retry-After when it %s, and its retry is accepted', async (_what, failing) => {
    const { url } = await edge.startAnother({})
    await edge.sql('delete from webhook_keys')
    await edge.bank.fault({ endpoint: keyPath, times: 1000, ...failing })
    const before = await standing()
    relay.target = url
    const seen = relay.exchanges.length
    await fireWebhook(edge, item)
    await vi.waitFor(() => expect(relay.exchanges[seen]?.status).toBe(503), { timeout: 20_000 })
    const direct = await deliver(
      deliveryOf(relay.exchanges[seen] ?? (await Promise.reject(new Error('none')))),
      edge.callTo(url),
    )
    expect([direct.status, direct.headers.get('retry-after')]).toEqual([503, '30'])
    expect(await standing()).toEqual(before)
    const rows = await eventCount()
    await edge.healBank()
    await vi.waitFor(() => expect(relay.exchanges.at(-1)?.status).toBe(200), { timeout: 30_000 })
    expect(await eventCount()).toBe(rows + 1)
  })
})

describe("the operator's own relay", () => {
  let call: Call
  beforeAll(async () => {
    const { url } = await edge.startAnother({ PLAID_WEBHOOK_VERIFICATION_KEY: relaySecret })
    call = edge.callTo(url)
  })

  test('delivers what it signs, once', async () => {
    const [before, mark] = [await eventCount(), Number(await dirtySeq())]
    const delivery = signed(news())
    for (let round = 0; round < 3; round += 1) expect((await deliver(delivery, call)).status).toBe(200)
    expect(await eventCount()).toBe(before + 1)
    expect(Number(await dirtySeq())).toBe(mark + 1)
  })

  test.each([
    ['an unknown type', { webhook_type: 'FUTURE_PRODUCT', webhook_code: 'NEWS' }],
    ['an unknown code', { webhook_type: 'ITEM', webhook_code: 'SOMETHING_NEW' }],
    ['an unknown item', { item_id: 'nobodys' }],
    ['no item', { item_id: null }],
    [
      'members of other types than expected',
      { webhook_type: 'ITEM', webhook_code: 'PENDING_DISCONNECT', reason: 7, disconnect_time: {}, item_id: 'nobodys' },
    ],
    ['a NUL in its text', { item_id: 'nobodys', reason: 'a\0b' }],
  ])('a webhook of %s is stored and 200', async (_what, members) => {
    const before = await eventCount()
    expect((await deliver(signed(news(members)), call)).status).toBe(200)
    expect(await eventCount()).toBe(before + 1)
  })

  test.each([
    ['another secret', 'hmac_bad_signature', () => signed(news(), undefined, 'another-secret-another-secret-another')],
    ['another body', 'hmac_bad_signature', () => ({ ...signed(news()), body: `${news()} ` })],
    ['an old time', 'too_old', () => signed(news(), Math.floor(Date.now() / 1000) - 301)],
    ['a time to come', 'from_future', () => signed(news(), Math.floor(Date.now() / 1000) + 310)],
    ['junk', 'hmac_malformed', () => ({ body: news(), headers: { 'x-webhook-signature': 'sha256=abc' } })],
    ['no time', 'hmac_malformed', () => ({ body: news(), headers: { 'x-webhook-signature': `v1=${'0'.repeat(64)}` } })],
    ['an empty header', 'hmac_malformed', () => ({ body: news(), headers: { 'x-webhook-signature': '' } })],
  ])('a webhook with %s is refused', async (_what, reason, make) => {
    expect(await outcomeOf(make(), call)).toEqual(refusal(reason))
  })

  test("may not stand in for Plaid's signature", async () => {
    const delivery = await fired()
    const both = { ...delivery, headers: { ...delivery.headers, ...signed(delivery.body).headers } }
    expect(await outcomeOf(both, call)).toEqual(refusal('two_headers'))
  })

  test.each(['', 'no json', '[]', 'null', '{"webhook_type":"ITEM"}', '"text"'])(
    'what is authentic and no webhook (%s) is recorded and 200',
    async (body) => {
      const before = await eventCount()
      expect((await deliver(signed(body), call)).status).toBe(200)
      expect(await eventCount()).toBe(before + 1)
    },
  )
})
