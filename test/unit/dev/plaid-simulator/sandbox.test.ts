// The sandbox endpoints for items, the streams in a history, and institutions.
import {
  CountryCode,
  Products,
  RecurringTransactionFrequency,
  SandboxItemFireWebhookRequestWebhookCodeEnum as Fireable,
  TransactionStreamStatus,
} from 'plaid'
import { describe, expect, test } from 'vitest'
import { openDesk, openReceiver, readUpdate } from './bank-desk.ts'

const today = new Date().toISOString().slice(0, 10)
const tea = { date_transacted: today, date_posted: today, amount: 3.1, description: 'TEA' }

describe('/sandbox/transactions/create', () => {
  test('adds transactions at the bank of user_transactions_dynamic, and announces them', async () => {
    const receiver = await openReceiver()
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link({ username: 'user_transactions_dynamic', webhook: receiver.url })
    await desk.control(`/items/${item_id}/bank`, { history: 'historical', silent: true })
    const { cursor } = await readUpdate(desk, access_token)
    expect((await desk.post('/sandbox/transactions/create', { access_token, transactions: [tea] })).status).toBe(200)
    const { pages } = await readUpdate(desk, access_token, cursor)
    expect(pages[0]?.added).toMatchObject([{ name: 'TEA', date: today, pending: false }])
    expect((await receiver.arrived(2)).map(({ body }) => body['webhook_code'])).toEqual([
      'SYNC_UPDATES_AVAILABLE',
      'DEFAULT_UPDATE',
    ])
  })

  test.for<[string, string, object[]]>([
    ['another user', 'user_good', [tea]],
    ['more than ten', 'user_transactions_dynamic', Array.from({ length: 11 }, () => tea)],
    ['none', 'user_transactions_dynamic', []],
    ['a day too long ago', 'user_transactions_dynamic', [{ ...tea, date_transacted: '2020-01-01' }]],
    ['a day to come', 'user_transactions_dynamic', [{ ...tea, date_posted: '2999-01-01' }]],
  ])('refuses %s', async ([, username, transactions]) => {
    const desk = await openDesk()
    const { access_token } = await desk.link({ username })
    const { body } = await desk.post('/sandbox/transactions/create', { access_token, transactions })
    expect(body['error_code']).toBe('INVALID_FIELD')
  })
})

describe('/sandbox/item/fire_webhook', () => {
  test('sends the webhook and changes nothing', async () => {
    const receiver = await openReceiver()
    const desk = await openDesk()
    const { access_token } = await desk.link({ webhook: receiver.url })
    await desk.plaid.sandboxItemFireWebhook({ access_token, webhook_code: Fireable.UserPermissionRevoked })
    expect((await receiver.arrived(1))[0]?.body['webhook_code']).toBe('USER_PERMISSION_REVOKED')
    expect((await desk.post('/item/get', { access_token })).status).toBe(200)
  })

  test('refuses without a URL, and for a product that the item does not have', async () => {
    const desk = await openDesk()
    const fire = async (item: { access_token: string }, more: object) =>
      (await desk.post('/sandbox/item/fire_webhook', { ...item, webhook_code: 'DEFAULT_UPDATE', ...more })).body[
        'error_code'
      ]
    const { access_token } = await desk.link()
    expect(await fire({ access_token }, {})).toBe('SANDBOX_WEBHOOK_INVALID')
    const withWebhook = await desk.link({ webhook: 'http://127.0.0.1:9/hook' })
    expect(await fire({ access_token: withWebhook.access_token }, { webhook_type: 'LIABILITIES' })).toBe(
      'SANDBOX_PRODUCT_NOT_ENABLED',
    )
  })
})

test('the salary and the bills are found as streams, the groceries are not', async () => {
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link({ daysRequested: 730 })
  const early = await desk.post('/transactions/recurring/get', { access_token })
  expect(early.body['error_code']).toBe('PRODUCT_NOT_READY')
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  const { data } = await desk.plaid.transactionsRecurringGet({ access_token })
  expect(data.inflow_streams.some(({ frequency }) => frequency === RecurringTransactionFrequency.SemiMonthly)).toBe(
    true,
  )
  expect(
    data.outflow_streams.filter(({ frequency }) => frequency === RecurringTransactionFrequency.Monthly).length,
  ).toBeGreaterThan(3)
  for (const stream of [...data.inflow_streams, ...data.outflow_streams]) {
    // A stream that has just begun or ended early has two transactions, and so has a yearly one.
    const { status, frequency } = stream
    const isSure = status === TransactionStreamStatus.Mature && frequency !== RecurringTransactionFrequency.Annually
    expect(stream.transaction_ids.length).toBeGreaterThanOrEqual(isSure ? 3 : 2)
    expect(stream.personal_finance_category?.detailed).not.toBe('FOOD_AND_DRINK_GROCERIES')
  }
})

test('institutions are listed by page, found by name and product, and in their country only', async () => {
  const desk = await openDesk()
  const country_codes = [CountryCode.Us]
  const { data: all } = await desk.plaid.institutionsGet({ count: 500, offset: 0, country_codes })
  const { data: rest } = await desk.plaid.institutionsGet({ count: 500, offset: 2, country_codes })
  expect(rest.institutions).toEqual(all.institutions.slice(2))
  const { data: found } = await desk.plaid.institutionsSearch({
    query: 'bank',
    country_codes,
    products: [Products.Investments],
  })
  expect(found.institutions.map(({ name }) => name)).toEqual(['First Platypus Bank', 'Tartan Bank', 'Houndstooth Bank'])
  const { data: abroad } = await desk.plaid.institutionsGet({ count: 5, offset: 0, country_codes: [CountryCode.Gb] })
  expect(abroad).toMatchObject({ institutions: [], total: 0 })
})
