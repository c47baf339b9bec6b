// The control's trades, cancelled investment transactions and payments of liabilities.
import { Products } from 'plaid'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { type BankDesk, openDesk, openReceiver } from './bank-desk.ts'

const products = [Products.Transactions, Products.Investments, Products.Liabilities]
const asText = z.custom<{ rawJSON: string }>((value) => JSON.isRawJSON(value)).transform(({ rawJSON }) => rawJSON)
const truthSchema = z.object({
  accounts: z.array(z.object({ account_id: z.string(), type: z.string(), balances: z.object({ current: asText }) })),
  holdings: z.array(z.object({ account_id: z.string(), security_id: z.string(), quantity: asText })),
  investment_transactions: z.array(
    z.object({ investment_transaction_id: z.string(), name: z.string(), amount: asText, type: z.string() }),
  ),
  liabilities: z.object({
    credit: z.array(
      z.object({ account_id: z.string(), last_payment_amount: asText, last_payment_date: z.string().nullable() }),
    ),
  }),
})
const asRaw = (count: number): unknown => JSON.rawJSON(String(count))
const codes = (body: Record<string, unknown>) =>
  z
    .array(z.object({ webhook_type: z.string() }))
    .parse(body['webhooks'])
    .map(({ webhook_type: type }) => type)

const today = new Date().toISOString().slice(0, 10)

/** A custom user with a position of 3.5 units at 20.10, a card, a second brokerage account, and a current account. */
async function openPortfolio() {
  const desk = await openDesk()
  const brokerage = {
    type: 'investment',
    subtype: 'brokerage',
    starting_balance: 100,
    holdings: [{ institution_price: 20.1, quantity: 3.5, security: { ticker_symbol: 'ACME' } }],
  }
  const card = { type: 'credit', subtype: 'credit card', liability: { type: 'credit', last_payment_amount: 5 } }
  const other = {
    ...brokerage,
    holdings: [{ institution_price: 7, quantity: 2, security: { ticker_symbol: 'OTHER' } }],
  }
  const current = {
    type: 'depository',
    subtype: 'checking',
    starting_balance: 50,
    transactions: [{ date_transacted: today, date_posted: today, amount: 8, currency: 'USD', description: 'Lunch' }],
  }
  const receiver = await openReceiver()
  const link = async () =>
    await desk.link({
      products,
      webhook: receiver.url,
      institution: 'ins_109508',
      username: 'user_custom',
      password: JSON.stringify({ override_accounts: [brokerage, card, other, current] }),
    })
  const { item_id } = await link()
  const everything = async () => (await desk.control(`/truth?item_id=${item_id}`)).text
  const truth = async () => truthSchema.parse((await desk.control(`/truth?item_id=${item_id}`)).body)
  const [held, otherHeld] = (await truth()).holdings
  if (held === undefined || otherHeld === undefined) throw new Error('no position')
  const change = (wanted: object): ReturnType<BankDesk['control']> => desk.control(`/items/${item_id}/bank`, wanted)
  const place = { account_id: held.account_id, security_id: held.security_id }
  return { desk, link, receiver, everything, truth, change, place, otherPlace: otherHeld }
}

test('a trade changes the position, its value in the account, and the investment transactions', async () => {
  const { truth, change, place } = await openPortfolio()
  const bought = await change({ trade: [{ ...place, quantity: 1.25, price: 30, fees: 0.1, name: 'more' }] })
  expect(codes(bought.body)).toEqual(['HOLDINGS', 'INVESTMENTS_TRANSACTIONS'])
  const after = await truth()
  expect(after.holdings.map(({ quantity }) => Number(quantity))).toEqual([4.75, 2])
  expect(Number(after.accounts[0]?.balances.current)).toBe(100 + 1.25 * 20.1)
  expect(after.investment_transactions).toMatchObject([{ name: 'more', type: 'buy', amount: '37.6' }])
  expect((await change({ trade: [{ ...place, quantity: -5, price: 30 }] })).status).toBe(409)
  await change({ trade: [{ ...place, quantity: -4.75, price: 30 }] })
  expect((await truth()).holdings.map(({ quantity }) => Number(quantity))).toEqual([2])
  await change({ trade: [{ ...place, quantity: 3, price: 30 }] })
  expect((await truth()).holdings.map(({ quantity }) => Number(quantity))).toEqual([2, 3])
})

test('a cancelled investment transaction disappears, and a payment changes what is owed', async () => {
  const { truth, change, place } = await openPortfolio()
  const { body } = await change({ trade: [{ ...place, quantity: 1, price: 30 }] })
  const cancelled = await change({ cancel_trade: body['trades'] })
  expect(codes(cancelled.body)).toEqual(['INVESTMENTS_TRANSACTIONS'])
  expect((await truth()).investment_transactions).toEqual([])
  const card = (await truth()).liabilities.credit[0]?.account_id
  const paid = await change({
    liability_payment: [{ account_id: card, last_payment_amount: 12.34, last_payment_date: '2026-01-02' }],
  })
  expect(codes(paid.body)).toEqual(['LIABILITIES'])
  expect((await truth()).liabilities.credit).toEqual([
    { account_id: card, last_payment_amount: '12.34', last_payment_date: '2026-01-02' },
  ])
})

const unknown = 'none'

test('a refused change changes nothing', async () => {
  const { everything, change, place, otherPlace } = await openPortfolio()
  const before = await everything()
  const trade = { ...place, quantity: 1, price: 30 }
  const notHeld = { account_id: place.account_id, security_id: otherPlace.security_id, price: 30 }
  const refused: readonly [status: number, wanted: object][] = [
    [404, { trade: [trade, { ...trade, security_id: unknown }] }],
    [404, { trade: [trade, { ...trade, account_id: unknown }] }],
    [404, { cancel_trade: [unknown] }],
    [404, { liability_payment: [{ account_id: place.account_id, last_payment_amount: 1 }] }],
    [409, { trade: [{ ...notHeld, quantity: -1 }] }],
    // The second trade sells more than the first one leaves.
    [
      409,
      {
        trade: [
          { ...trade, quantity: -3 },
          { ...trade, quantity: -3 },
        ],
      },
    ],
    [409, { trade: [trade, { ...trade, quantity: -5 }] }],
    [
      409,
      {
        trade: [
          { ...notHeld, quantity: 2 },
          { ...notHeld, quantity: -1 },
          { ...notHeld, quantity: -1.5 },
        ],
      },
    ],
    [404, { modify: [{ transaction_id: unknown }] }],
    [404, { remove: [unknown] }],
    [404, { post_pending: { transaction_ids: [unknown] } }],
    [404, { add: [{}, { account_id: unknown }] }],
    [409, { add: [{ transaction_id: 'twice' }, { transaction_id: 'twice' }] }],
    [404, { move: [{ from: unknown, to: 'cash', amount: 1 }] }],
    [404, { close_account: unknown }],
    [404, { revoke_account: unknown }],
    [404, { close_account: place.account_id, revoke_account: place.account_id }],
  ]
  for (const [status, wanted] of refused) {
    const rest = { remove: 1, add: 1, new_account: { shared: true }, ...wanted }
    expect([(await change(rest)).status, wanted]).toEqual([status, wanted])
    expect([await everything(), wanted]).toEqual([before, wanted])
  }
})

test('a change that needs its own earlier parts is not refused', async () => {
  const { truth, change, place, otherPlace } = await openPortfolio()
  const buy = { account_id: place.account_id, security_id: otherPlace.security_id, quantity: 2, price: 30 }
  expect((await change({ trade: [buy, { ...buy, quantity: -2 }] })).status).toBe(200)
  expect((await truth()).holdings).toHaveLength(2)
  expect((await change({ add: [{ transaction_id: 'again' }] })).status).toBe(200)
  expect((await change({ remove: ['again'], add: [{ transaction_id: 'again' }] })).status).toBe(200)
  expect((await change({ trade: [buy], close_account: place.account_id })).status).toBe(200)
})

test('a webhook counts each position once, as new or as updated', async () => {
  const { change, place, otherPlace } = await openPortfolio()
  const bought = { account_id: place.account_id, security_id: otherPlace.security_id, quantity: 1, price: 30 }
  const { body } = await change({ trade: [bought, { ...place, quantity: -3.5, price: 30 }, bought] })
  expect(body['webhooks']).toMatchObject([
    { webhook_type: 'HOLDINGS', new_holdings: asRaw(1), updated_holdings: asRaw(1) },
    { webhook_type: 'INVESTMENTS_TRANSACTIONS', new_investments_transactions: asRaw(3) },
  ])
})

test('an item without the account hears nothing of its trades and cancellations', async () => {
  const { desk, link, receiver, change, place, otherPlace } = await openPortfolio()
  const second = await link()
  const seen = await desk.post('/accounts/get', { access_token: second.access_token })
  const [hidden] = z.array(z.object({ account_id: z.string() })).parse(seen.body['accounts'])
  await desk.control(`/items/${second.item_id}/bank`, { revoke_account: hidden?.account_id, silent: true })
  const lastUpdate = async () => {
    const { body } = await desk.post('/item/get', { access_token: second.access_token })
    return z.object({ investments: z.unknown() }).parse(body['status']).investments
  }
  const read = await lastUpdate()
  await desk.control('/clock', { advance_ms: 1000 })
  const { body } = await change({ trade: [{ ...place, quantity: 1, price: 30 }] })
  await change({ cancel_trade: body['trades'] })
  expect(await lastUpdate()).toEqual(read)
  // Both items share this account. Webhooks of an item arrive in order: those of the first trade would come before.
  await change({ trade: [{ ...otherPlace, quantity: 1, price: 7 }] })
  expect(await lastUpdate()).not.toEqual(read)
  const sent = await receiver.arrived(7)
  expect(sent.filter((one) => one.body['item_id'] === second.item_id).map((one) => one.body)).toMatchObject([
    { webhook_type: 'HOLDINGS', new_holdings: 0, updated_holdings: 1 },
    {
      webhook_type: 'INVESTMENTS_TRANSACTIONS',
      new_investments_transactions: 1,
      cancelled_investments_transactions: 0,
    },
  ])
})
