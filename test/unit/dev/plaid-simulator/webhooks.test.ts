// Webhooks as a receiver gets them: signed, in order, retried, and with every fault that a control can cause.
import { createHash } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { type BankDesk, openDesk, openReceiver } from './bank-desk.ts'
import type { Received } from './receiver.ts'

const delivery = z.looseObject({
  item_id: z.string().nullable(),
  state: z.string(),
  body: z.looseObject({ webhook_code: z.string() }),
  attempts: z.array(z.looseObject({ at: z.string(), status: z.unknown() })),
})

async function deliveries(desk: BankDesk) {
  return z.array(delivery).parse((await desk.control('/webhooks')).body['deliveries'])
}

/** An item whose controls send exactly one webhook each: PENDING_DISCONNECT with this reason. */
async function openLine(options: Parameters<typeof openDesk>[0] = {}) {
  const receiver = await openReceiver()
  const desk = await openDesk(options)
  const { item_id, access_token } = await desk.link({ webhook: receiver.url })
  const send = (reason: string) => desk.control(`/items/${item_id}/bank`, { pending_disconnect: { reason } })
  return { receiver, desk, item_id, access_token, send }
}

/**
 * Verifies a webhook as Plaid's documentation says. Rejects when the signature, the key or the body's hash is wrong.
 */
async function verify(desk: BankDesk, { jwt, text }: Received): Promise<void> {
  const { kid = '' } = decodeProtectedHeader(jwt ?? '')
  const { data } = await desk.plaid.webhookVerificationKeyGet({ key_id: kid })
  expect(data.key.expired_at).toBeNull()
  const key = await importJWK({ kty: data.key.kty, crv: data.key.crv, x: data.key.x, y: data.key.y }, 'ES256')
  const { payload } = await jwtVerify(jwt ?? '', key, { algorithms: ['ES256'], maxTokenAge: '5 min' })
  expect(payload['request_body_sha256']).toBe(createHash('sha256').update(text).digest('hex'))
}

const reasons = (received: readonly Received[]) => received.map(({ body }) => body['reason'])

test('the JWT verifies against the key that its kid names, and the body is indented by two', async () => {
  const { receiver, desk, send } = await openLine()
  await send('A')
  const [received] = await receiver.arrived(1)
  if (received === undefined) throw new Error('nothing came')
  await verify(desk, received)
  expect(received.text).toBe(JSON.stringify(received.body, null, 2))
  expect(Object.keys(decodeProtectedHeader(received.jwt ?? ''))).toEqual(['alg', 'kid', 'typ'])
  expect(Object.keys(decodeJwt(received.jwt ?? ''))).toEqual(['iat', 'request_body_sha256'])
})

test('additional members are in the header, the claims and the key while the control is set', async () => {
  const { receiver, desk, send } = await openLine()
  const extras = { extra_header: { cty: 'json' }, extra_claims: { iss: 'plaid' }, extra_key: { key_ops: ['verify'] } }
  await desk.control('/webhooks', extras)
  await send('A')
  const [first] = await receiver.arrived(1)
  if (first === undefined) throw new Error('nothing came')
  await verify(desk, first)
  const { kid = '', ...header } = decodeProtectedHeader(first.jwt ?? '')
  expect(header).toEqual({ alg: 'ES256', typ: 'JWT', cty: 'json' })
  expect(decodeJwt(first.jwt ?? '')).toMatchObject({ iss: 'plaid' })
  expect((await desk.post('/webhook_verification_key/get', { key_id: kid })).body['key']).toMatchObject({
    kty: 'EC',
    key_ops: ['verify'],
  })
  await desk.control('/webhooks', { extra_header: {}, extra_claims: {}, extra_key: {} })
  await send('B')
  const [, second] = await receiver.arrived(2)
  expect(Object.keys(decodeProtectedHeader(second?.jwt ?? ''))).toEqual(['alg', 'kid', 'typ'])
  expect(Object.keys(decodeJwt(second?.jwt ?? ''))).toEqual(['iat', 'request_body_sha256'])
})

test('webhooks of one item come in the order in which things happened', async () => {
  const { receiver, send } = await openLine()
  const sent = Array.from({ length: 12 }, (_, index) => `R${index}`)
  for (const reason of sent) await send(reason)
  expect(reasons(await receiver.arrived(12))).toEqual(sent)
})

describe('a receiver that refuses', () => {
  test('is asked again, each time with a fresh signature, until it takes it', async () => {
    const { receiver, desk, send } = await openLine()
    receiver.answers.push({ status: 500 }, { status: 401 }, { status: 204 })
    await send('A')
    const received = await receiver.arrived(4)
    for (const each of received) await verify(desk, each)
    expect(new Set(received.map(({ jwt }) => jwt)).size).toBe(4)
    await expect.poll(async () => (await deliveries(desk))[0]?.state, { timeout: 10_000 }).toBe('delivered')
    expect((await deliveries(desk))[0]?.attempts.length).toBe(4)
  })

  test('waits four times longer at each retry', async () => {
    const { receiver, desk, send } = await openLine({ webhookRetryBaseMs: 60 })
    receiver.answers.push({ status: 500 }, { status: 500 })
    await send('A')
    await receiver.arrived(3)
    await expect.poll(async () => (await deliveries(desk))[0]?.attempts.length, { timeout: 10_000 }).toBe(3)
    const times = (await deliveries(desk))[0]?.attempts.map(({ at }) => Date.parse(at)) ?? []
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(58)
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(238)
  })

  test('chooses the delay itself with 429', async () => {
    const { receiver, desk, send } = await openLine()
    receiver.answers.push({ status: 429, headers: { 'retry-after': '1' } })
    await send('A')
    await receiver.arrived(2)
    await expect.poll(async () => (await deliveries(desk))[0]?.attempts.length, { timeout: 10_000 }).toBe(2)
    const times = (await deliveries(desk))[0]?.attempts.map(({ at }) => Date.parse(at)) ?? []
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990)
  })

  test('does not hold up what comes behind', async () => {
    const { receiver, send } = await openLine({ webhookRetryBaseMs: 60_000 })
    receiver.answers.push({ status: 500 })
    await send('A')
    await send('B')
    expect(reasons(await receiver.arrived(2))).toEqual(['A', 'B'])
  })

  test('is given up after the last retry of the day', async () => {
    const { receiver, desk, send } = await openLine({ webhookRetryBaseMs: 0.01 })
    receiver.answers.push(...Array.from({ length: 20 }, () => ({ status: 500 })))
    await send('A')
    await expect.poll(async () => (await deliveries(desk))[0]?.state, { timeout: 10_000 }).toBe('failed')
    // 1 + 6: after 30 s ×4 at each retry, the seventh would be past 24 hours.
    expect(receiver.received.length).toBe(7)
  })

  test('is not asked again once it refused nearly everything', async () => {
    const { receiver, desk, send } = await openLine({ webhookRetryBaseMs: 60_000 })
    receiver.answers.push(...Array.from({ length: 40 }, () => ({ status: 400 })))
    for (let count = 0; count < 12; count += 1) await send(`R${count}`)
    await receiver.arrived(12)
    await expect.poll(async () => (await deliveries(desk)).at(-1)?.state, { timeout: 10_000 }).toBe('failed')
    expect((await deliveries(desk))[0]?.state).toBe('retrying')
  })
})

describe('mischief', () => {
  test.for([
    'body',
    'signature',
    'missing',
    'alg_none',
    'alg_hs256',
    'alg_rs256',
    'kid_unknown',
    'hash',
    'junk',
    'iat_old',
    'iat_future',
  ])('tamper %s makes a webhook that does not verify, until it is switched off', async (tamper) => {
    const { receiver, desk, send } = await openLine()
    await desk.control('/webhooks', { tamper })
    await send('A')
    const [broken] = await receiver.arrived(1)
    if (broken === undefined) throw new Error('nothing came')
    const verifies = verify(desk, broken).then(
      () => true,
      () => false,
    )
    expect(await verifies).toBe(false)
    await desk.control('/webhooks', { tamper: false })
    await send('B')
    const [, good] = await receiver.arrived(2)
    if (good === undefined) throw new Error('nothing came')
    await verify(desk, good)
  })

  test('duplicate sends the next ones twice, drop not at all', async () => {
    const { receiver, desk, send } = await openLine()
    await desk.control('/webhooks', { duplicate: 1, drop: 1 })
    for (const reason of ['A', 'B', 'C']) await send(reason)
    expect(reasons(await receiver.arrived(3))).toEqual(['B', 'B', 'C'])
    expect((await deliveries(desk)).map(({ state }) => state)).toContain('dropped')
  })

  test('a dropped webhook was sent, as far as the item knows', async () => {
    const { desk, access_token, send } = await openLine()
    await desk.control('/webhooks', { drop: true })
    await send('A')
    const { data } = await desk.plaid.itemGet({ access_token })
    expect(data.status?.last_webhook?.code_sent).toBe('PENDING_DISCONNECT')
  })

  test('reorder turns the next two around', async () => {
    const { receiver, desk, send } = await openLine()
    await desk.control('/webhooks', { reorder: true })
    for (const reason of ['A', 'B', 'C']) await send(reason)
    expect(reasons(await receiver.arrived(3))).toEqual(['B', 'A', 'C'])
  })

  test('delay_ms holds webhooks back', async () => {
    const { receiver, desk, send } = await openLine()
    await desk.control('/webhooks', { delay_ms: 150 })
    const before = Date.now()
    await send('A')
    await receiver.arrived(1)
    expect(Date.now() - before).toBeGreaterThanOrEqual(149)
  })

  test('rotate_key signs with a new key and keeps the old one valid', async () => {
    const { receiver, desk, send } = await openLine()
    await send('A')
    await receiver.arrived(1)
    await desk.control('/webhooks', { rotate_key: true })
    await send('B')
    const received = await receiver.arrived(2)
    for (const each of received) await verify(desk, each)
    expect(new Set(received.map(({ jwt }) => decodeProtectedHeader(jwt ?? '').kid)).size).toBe(2)
  })

  test('expire_key serves the key as expired and continues to sign with it, until it is rotated', async () => {
    const { receiver, desk, send } = await openLine()
    await desk.control('/webhooks', { expire_key: true })
    await send('A')
    const [expired] = await receiver.arrived(1)
    const { kid = '' } = decodeProtectedHeader(expired?.jwt ?? '')
    const { data } = await desk.plaid.webhookVerificationKeyGet({ key_id: kid })
    expect(data.key.expired_at).toBeGreaterThan(1_700_000_000)
    await desk.control('/webhooks', { rotate_key: true })
    await send('B')
    const [, good] = await receiver.arrived(2)
    if (good === undefined) throw new Error('nothing came')
    await verify(desk, good)
  })
})

test('stop ends a delivery whose receiver hangs, and a retry that waits', async () => {
  const { receiver, desk, send } = await openLine({ webhookRetryBaseMs: 60_000 })
  receiver.answers.push({ status: 500 }, { status: 'never' })
  await send('A')
  await send('B')
  await receiver.arrived(2)
  const before = Date.now()
  await desk.simulator.stop()
  expect(Date.now() - before).toBeLessThan(2000)
  expect(reasons(receiver.received)).toEqual(['A', 'B'])
})

test('a receiver that does not respond in time gets the webhook again', async () => {
  const { receiver, desk, send } = await openLine({ webhookTimeoutMs: 150 })
  receiver.answers.push({ status: 'never' })
  await send('A')
  await receiver.arrived(2)
  await expect.poll(async () => (await deliveries(desk))[0]?.state, { timeout: 10_000 }).toBe('delivered')
  expect((await deliveries(desk))[0]?.attempts[0]).toMatchObject({ status: null, error: 'TimeoutError' })
})
