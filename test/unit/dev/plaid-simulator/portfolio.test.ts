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
const codes = (body: Record<string, unknown>) =>
  z
    .array(z.object({ webhook_type: z.string() }))
    .parse(body['webhooks'])
    .map(({ webhook_type: type }) => type)

/** A custom user with a position of 3.5 units at 20.10, and a card. */
async function openPortfolio() {
  const desk = await openDesk()
  const brokerage = {
    type: 'investment',
    subtype: 'brokerage',
    starting_balance: 100,
    holdings: [{ institution_price: 20.1, quantity: 3.5, security: { ticker_symbol: 'ACME' } }],
  }
  const card = { type: 'credit', subtype: 'credit card', liability: { type: 'credit', last_payment_amount: 5 } }
  const { item_id } = await desk.link({
    products,
    webhook: (await openReceiver()).url,
    institution: 'ins_109508',
    username: 'user_custom',
    password: JSON.stringify({ override_accounts: [brokerage, card] }),
  })
  const truth = async () => truthSchema.parse((await desk.control(`/truth?item_id=${item_id}`)).body)
  const [held] = (await truth()).holdings
  if (held === undefined) throw new Error('no position')
  const change = (wanted: object): ReturnType<BankDesk['control']> => desk.control(`/items/${item_id}/bank`, wanted)
  return { truth, change, place: { account_id: held.account_id, security_id: held.security_id } }
}

test('a trade changes the position, its value in the account, and the investment transactions', async () => {
  const { truth, change, place } = await openPortfolio()
  const bought = await change({ trade: [{ ...place, quantity: 1.25, price: 30, fees: 0.1, name: 'more' }] })
  expect(codes(bought.body)).toEqual(['HOLDINGS', 'INVESTMENTS_TRANSACTIONS'])
  const after = await truth()
  expect(after.holdings.map(({ quantity }) => Number(quantity))).toEqual([4.75])
  expect(Number(after.accounts[0]?.balances.current)).toBe(100 + 1.25 * 20.1)
  expect(after.investment_transactions).toMatchObject([{ name: 'more', type: 'buy', amount: '37.6' }])
  expect((await change({ trade: [{ ...place, quantity: -5, price: 30 }] })).status).toBe(409)
  await change({ trade: [{ ...place, quantity: -4.75, price: 30 }] })
  expect((await truth()).holdings).toEqual([])
  await change({ trade: [{ ...place, quantity: 2, price: 30 }] })
  expect((await truth()).holdings.map(({ quantity }) => Number(quantity))).toEqual([2])
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

test('an unknown id is refused before anything changes', async () => {
  const { truth, change, place } = await openPortfolio()
  const before = await truth()
  const trade = { ...place, quantity: 1, price: 30 }
  for (const wanted of [
    { trade: [trade, { ...trade, security_id: 'none' }] },
    { trade: [trade, { ...trade, account_id: 'none' }] },
    { trade: [trade], cancel_trade: ['none'] },
    { trade: [trade], liability_payment: [{ account_id: place.account_id, last_payment_amount: 1 }] },
  ])
    expect((await change(wanted)).status).toBe(404)
  expect(await truth()).toEqual(before)
})
