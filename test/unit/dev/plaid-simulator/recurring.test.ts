// Recurring streams follow the bank, their webhooks begin with the first request for them, and their numbers are exact.
import { expect, test } from 'vitest'
import * as z from 'zod'
import { addDays } from '../../../../src/dev/plaid-simulator/bank/calendar.ts'
import { type BankDesk, type Linked, openDesk, openReceiver, truth } from './bank-desk.ts'

const money = z.looseObject({ amount: z.custom<{ rawJSON: string }>() })
const stream = z.looseObject({
  stream_id: z.string(),
  account_id: z.string(),
  description: z.string(),
  last_date: z.string(),
  transaction_ids: z.array(z.string()),
  average_amount: money,
  last_amount: money,
  is_active: z.boolean(),
  status: z.string(),
  frequency: z.string(),
})
const streams = z.looseObject({ inflow_streams: z.array(stream), outflow_streams: z.array(stream) })
type Stream = z.infer<typeof stream>

const today = new Date().toISOString().slice(0, 10)
const ago = (days: number): string => addDays(today, -days)

async function streamsOf(desk: BankDesk, { access_token }: Linked) {
  return streams.parse((await desk.post('/transactions/recurring/get', { access_token })).body)
}

async function named(desk: BankDesk, item: Linked, name: string): Promise<Stream | undefined> {
  const { inflow_streams, outflow_streams } = await streamsOf(desk, item)
  return [...inflow_streams, ...outflow_streams].find(({ description }) => description === name)
}

/** The body of a control that adds these transactions, as JSON text so that no digit is lost. */
function add(rows: { name: string; amount: string; date: string }[]): string {
  const texts = rows.map(
    ({ name, amount, date }) => `{"name": "${name}", "amount": ${amount}, "date": "${date}", "account_id": "@"}`,
  )
  return `{"add": [${texts.join(', ')}]}`
}

/** An item with its whole history, and a function that adds transactions to its first account. */
async function opened(webhook?: string) {
  const desk = await openDesk()
  const item = await desk.link({ daysRequested: 730, ...(webhook !== undefined && { webhook }) })
  await desk.control(`/items/${item.item_id}/bank`, { history: 'historical', silent: true })
  const { data } = await desk.plaid.accountsGet({ access_token: item.access_token })
  const accountId = data.accounts[0]?.account_id ?? ''
  const bank = (change: object | string) =>
    desk.control(
      `/items/${item.item_id}/bank`,
      typeof change === 'string' ? change.replaceAll('"@"', `"${accountId}"`) : change,
    )
  return { desk, item, bank, accountId }
}

test('a stream appears early, ripens, grows and ends with what happens at the bank', async () => {
  const { desk, item, bank } = await opened()
  expect(await named(desk, item, 'GYM')).toBeUndefined()
  const first = await bank(add([{ name: 'GYM', amount: '20.00', date: ago(60) }]))
  await bank(add([{ name: 'GYM', amount: '20.00', date: ago(30) }]))
  expect(await named(desk, item, 'GYM')).toMatchObject({
    status: 'EARLY_DETECTION',
    is_active: true,
    last_date: ago(30),
    frequency: 'MONTHLY',
  })
  await bank(add([{ name: 'GYM', amount: '21.01', date: today }]))
  const ripe = await named(desk, item, 'GYM')
  expect(ripe).toMatchObject({ status: 'MATURE', is_active: true, last_date: today })
  expect(ripe?.average_amount.amount.rawJSON).toBe('20.34')
  expect(ripe?.last_amount.amount.rawJSON).toBe('21.01')
  const held = await truth(desk, item.item_id)
  expect(ripe?.transaction_ids.map((id) => held.has(id))).toEqual([true, true, true])
  const [gone] = z.array(z.string()).parse(first.body['added'])
  await bank({ remove: [gone] })
  // Two transactions of different amounts are not a stream yet.
  expect(await named(desk, item, 'GYM')).toBeUndefined()
  await bank(add([{ name: 'GYM', amount: '20.00', date: ago(60) }]))
  await desk.control('/clock', { advance_ms: 60 * 86_400_000 })
  expect(await named(desk, item, 'GYM')).toMatchObject({ status: 'MATURE', is_active: false })
})

test('a stream with two transactions only becomes tombstoned', async () => {
  const { desk, item, bank } = await opened()
  await bank(
    add([
      { name: 'TRIAL', amount: '5.00', date: ago(120) },
      { name: 'TRIAL', amount: '5.00', date: ago(90) },
    ]),
  )
  expect(await named(desk, item, 'TRIAL')).toMatchObject({ status: 'TOMBSTONED', is_active: false })
})

test('money in and money out are apart, and no digit of an amount is lost', async () => {
  const { desk, item, bank } = await opened()
  const rows = (name: string, amount: string) => [0, 7, 14].map((days) => ({ name, amount, date: ago(days) }))
  await bank(add([...rows('DIVIDEND', '-1234567890123456.10'), ...rows('DUST', '0.000000000000000001')]))
  const { inflow_streams, outflow_streams } = await streamsOf(desk, item)
  const streamNamed = (list: Stream[], name: string) => list.find(({ description }) => description === name)
  const [inflow, outflow] = [streamNamed(inflow_streams, 'DIVIDEND'), streamNamed(outflow_streams, 'DUST')]
  const texts = [inflow, outflow].flatMap((each) => [
    each?.last_amount.amount.rawJSON,
    each?.average_amount.amount.rawJSON,
  ])
  const [big, small] = ['-1234567890123456.10', '0.000000000000000001']
  expect(texts).toEqual([big, big, small, small])
  expect(inflow?.frequency).toBe('WEEKLY')
})

test('changes of streams are announced with their accounts once streams were requested, and other changes are not', async () => {
  const receiver = await openReceiver()
  const { desk, item, bank, accountId } = await opened(receiver.url)
  const updates = () =>
    receiver.received.map(({ body }) => body).filter((body) => body['webhook_code'] === 'RECURRING_TRANSACTIONS_UPDATE')
  const three = add([0, 30, 60].map((days) => ({ name: 'GYM', amount: '20.00', date: ago(days) })))
  const unasked = await bank(three)
  expect(JSON.stringify(unasked.body['webhooks'])).not.toContain('RECURRING')
  await streamsOf(desk, item)
  const single = await bank(add([{ name: 'ONCE', amount: '3.21', date: today }]))
  expect(JSON.stringify(single.body['webhooks'])).not.toContain('RECURRING')
  await bank(add([{ name: 'GYM', amount: '20.00', date: ago(90) }]))
  await expect.poll(() => updates().length, { timeout: 10_000 }).toBe(1)
  expect(updates()[0]).toMatchObject({ item_id: item.item_id, account_ids: [accountId] })
  await desk.control('/clock', { advance_ms: 40 * 86_400_000 })
  await expect.poll(() => updates().length, { timeout: 10_000 }).toBe(2)
  await bank({ close_account: accountId })
  await expect.poll(() => updates().length, { timeout: 10_000 }).toBe(3)
})

test('a client that requested streams before the history gets a webhook when it has arrived', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const { access_token, item_id } = await desk.link({ daysRequested: 730, webhook: receiver.url })
  const early = await desk.post('/transactions/recurring/get', { access_token })
  expect(early.body['error_code']).toBe('PRODUCT_NOT_READY')
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  await expect.poll(() => receiver.codes(), { timeout: 10_000 }).toContain('RECURRING_TRANSACTIONS_UPDATE')
})

test('the truth has the streams that the endpoint gives', async () => {
  const { desk, item, bank } = await opened()
  await bank({ add: 3, remove: 2, post_pending: true })
  await desk.control('/clock', { advance_ms: 70 * 86_400_000 })
  const given = await desk.post('/transactions/recurring/get', { access_token: item.access_token })
  const { inflow_streams, outflow_streams } = given.body
  const { body } = await desk.control(`/truth?item_id=${item.item_id}`)
  expect(JSON.stringify(body['recurring_streams'])).toBe(JSON.stringify({ inflow_streams, outflow_streams }))
  expect(streams.parse(given.body).inflow_streams.length).toBeGreaterThan(0)
})
