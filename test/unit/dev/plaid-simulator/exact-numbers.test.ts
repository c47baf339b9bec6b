// The simulator keeps every digit of every number.
import { AccountSubtype, Products } from 'plaid'
import { expect, test } from 'vitest'
import { openDesk } from './bank-desk.ts'

const hard = ['1234567890123456.10', '0.000000000000000001', '-0.10', '99999999999999999999.999', '12.500', '0']

test.for(hard)('%s added by a control comes out of the sync and of the truth digit for digit', async (amount) => {
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link()
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  await desk.control(
    `/items/${item_id}/bank`,
    `{"add": [{"transaction_id": "hard", "amount": ${amount}, "name": "HARD"}]}`,
  )
  const written = new RegExp(`"transaction_id":"hard"[^}]*"amount":${amount.replace('.', '\\.')},`)
  expect((await desk.post('/transactions/sync', { access_token, count: 500 })).text).toMatch(written)
  expect((await desk.control(`/truth?item_id=${item_id}`)).text).toMatch(written)
})

test('a custom user’s amounts and quantities keep every digit', async () => {
  const desk = await openDesk()
  const password = `{"override_accounts": [{"type": "depository", "subtype": "checking", "transactions": [
    {"date_transacted": "2026-01-02", "date_posted": "2026-01-04", "amount": 1234567890123456.10, "description": "BIG", "currency": "USD"},
    {"date_transacted": "2026-01-02", "date_posted": "2026-01-04", "amount": 0.000000000000000001, "description": "SMALL", "currency": "USD"}]}]}`
  const { access_token, item_id } = await desk.link({ username: 'user_custom', password, daysRequested: 730 })
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  const { text } = await desk.post('/transactions/sync', { access_token })
  expect(text).toContain('"amount":1234567890123456.10,')
  expect(text).toContain('"amount":0.000000000000000001,')
})

test('balances move by the exact amount of a posting', async () => {
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link({ products: [Products.Transactions] })
  const { data } = await desk.plaid.accountsGet({ access_token })
  const account = data.accounts.find(({ subtype }) => subtype === AccountSubtype.Checking)
  const current = String(account?.balances.current)
  const add = `{"add": [{"account_id": "${account?.account_id ?? ''}", "amount": 0.000000000000000001}]}`
  await desk.control(`/items/${item_id}/bank`, add)
  const { text } = await desk.post('/accounts/get', { access_token })
  const cents = BigInt(
    current.replace('.', '').padEnd(current.indexOf('.') < 0 ? current.length + 2 : current.indexOf('.') + 2, '0'),
  )
  const whole = cents * 10n ** 16n - 1n
  expect(text).toContain(`"current":${whole.toString().replace(/(\d{18})$/, '.$1')}`)
})
