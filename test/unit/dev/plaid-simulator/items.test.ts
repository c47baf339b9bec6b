// The life of an item: linked, broken, repaired, changed, withdrawn, removed.
import { Products } from 'plaid'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { applied, type BankDesk, openDesk, openReceiver, readUpdate, sorted, truth } from './bank-desk.ts'

async function errorCode(desk: BankDesk, path: string, access_token: string): Promise<unknown> {
  return (await desk.post(path, { access_token })).body['error_code']
}

describe('a login that breaks', () => {
  test('stops the data, appears on the item, and is announced', async () => {
    const receiver = await openReceiver()
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link({ webhook: receiver.url })
    await desk.control(`/items/${item_id}/bank`, { login_required: true })
    for (const path of ['/accounts/get', '/transactions/sync', '/accounts/balance/get']) {
      expect(await errorCode(desk, path, access_token)).toBe('ITEM_LOGIN_REQUIRED')
    }
    const { data } = await desk.plaid.itemGet({ access_token })
    expect(data.item.error).toMatchObject({ error_type: 'ITEM_ERROR', error_code: 'ITEM_LOGIN_REQUIRED' })
    const [webhook] = await receiver.arrived(1)
    expect(webhook?.body).toMatchObject({
      webhook_code: 'ERROR',
      item_id,
      error: { error_code: 'ITEM_LOGIN_REQUIRED' },
    })
  })

  test('hides what happens at the bank until it is repaired, and then shows it', async () => {
    const receiver = await openReceiver()
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link({ webhook: receiver.url })
    await desk.control(`/items/${item_id}/bank`, { history: 'historical', silent: true })
    const before = await readUpdate(desk, access_token)
    await desk.control(`/items/${item_id}/bank`, { login_required: true, silent: true })
    await desk.control(`/items/${item_id}/bank`, { add: 2, remove: 1, silent: true })
    expect(receiver.received).toEqual([])
    const { body } = await desk.control(`/items/${item_id}/bank`, { login_repaired: true })
    const codes = z.array(z.looseObject({ webhook_code: z.string() })).parse(body['webhooks'])
    expect(codes.map(({ webhook_code }) => webhook_code)).toEqual([
      'SYNC_UPDATES_AVAILABLE',
      'DEFAULT_UPDATE',
      'TRANSACTIONS_REMOVED',
      'LOGIN_REPAIRED',
    ])
    const after = await readUpdate(desk, access_token, before.cursor)
    const held = applied(applied(new Map(), before.pages), after.pages)
    expect(sorted(held)).toEqual(sorted(await truth(desk, item_id)))
  })

  test('may be any of Plaid’s item errors', async () => {
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link()
    await desk.control(`/items/${item_id}/bank`, { login_required: { error_code: 'ITEM_LOCKED' } })
    expect(await errorCode(desk, '/accounts/get', access_token)).toBe('ITEM_LOCKED')
  })
})

test('consent that will end is announced with its deadline; an older webhook lacks it', async () => {
  const receiver = await openReceiver()
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link({ webhook: receiver.url })
  const consent_expiration_time = '2027-01-02T03:04:05Z'
  await desk.control(`/items/${item_id}/bank`, { pending_expiration: { consent_expiration_time } })
  await desk.control(`/items/${item_id}/bank`, {
    pending_disconnect: { reason: 'INSTITUTION_TOKEN_EXPIRATION', disconnect_time: null },
  })
  const [expiration, disconnect] = await receiver.arrived(2)
  expect(expiration?.body).toMatchObject({ webhook_code: 'PENDING_EXPIRATION', consent_expiration_time })
  expect(Object.keys(disconnect?.body ?? {})).not.toContain('disconnect_time')
  expect((await desk.plaid.itemGet({ access_token })).data.item.consent_expiration_time).toBe(consent_expiration_time)
})

describe('access that ends', () => {
  test('is announced once when the user revokes it, and the item is not found from then on', async () => {
    const receiver = await openReceiver()
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link({ webhook: receiver.url })
    await desk.control(`/items/${item_id}/bank`, { revoke: true })
    const [webhook] = await receiver.arrived(1)
    expect(webhook?.body).toMatchObject({ webhook_code: 'USER_PERMISSION_REVOKED', item_id })
    expect(await errorCode(desk, '/item/get', access_token)).toBe('ITEM_NOT_FOUND')
  })

  test('removes the transactions of one account and is announced without an error', async () => {
    const receiver = await openReceiver()
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link({ webhook: receiver.url })
    await desk.control(`/items/${item_id}/bank`, { history: 'historical', silent: true })
    const first = (await desk.plaid.accountsGet({ access_token })).data.accounts[0]?.account_id ?? ''
    await desk.control(`/items/${item_id}/bank`, { revoke: { account_id: first } })
    const { data } = await desk.plaid.accountsGet({ access_token })
    expect(data.accounts.some(({ account_id }) => account_id === first)).toBe(false)
    expect((await desk.control(`/truth?item_id=${item_id}`)).text).not.toContain(first)
    await expect.poll(() => receiver.codes(), { timeout: 10_000 }).toContain('USER_ACCOUNT_REVOKED')
    const webhook = receiver.received.find(({ body }) => body['webhook_code'] === 'USER_ACCOUNT_REVOKED')
    expect(webhook?.body).toMatchObject({ account_id: first })
    expect(webhook?.body).not.toHaveProperty('error')
  })

  test('is final by /item/remove: the item is not found, and nothing is announced afterwards', async () => {
    const receiver = await openReceiver()
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link({ webhook: receiver.url })
    await desk.plaid.itemRemove({ access_token })
    for (const path of ['/item/get', '/item/remove', '/accounts/get', '/transactions/sync']) {
      expect(await errorCode(desk, path, access_token)).toBe('ITEM_NOT_FOUND')
    }
    const { body } = await desk.control(`/items/${item_id}/bank`, { add: 1, login_required: true })
    expect(body['webhooks']).toEqual([])
  })

  test('ends the old token immediately by rotation', async () => {
    const desk = await openDesk()
    const { access_token } = await desk.link()
    const { data } = await desk.plaid.itemAccessTokenInvalidate({ access_token })
    expect(await errorCode(desk, '/item/get', access_token)).toBe('INVALID_ACCESS_TOKEN')
    expect(await errorCode(desk, '/item/get', data.new_access_token)).toBeUndefined()
  })
})

describe('accounts', () => {
  test('one that closes is gone from /accounts/get, and its transactions stay', async () => {
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link()
    await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
    const before = sorted(await truth(desk, item_id))
    const { body } = await desk.control(`/items/${item_id}/bank`, { close_account: true })
    const [closed] = z.array(z.string()).parse(body['accounts'])
    const { data } = await desk.plaid.accountsGet({ access_token })
    expect(data.accounts.some(({ account_id }) => account_id === closed)).toBe(false)
    expect(sorted(await truth(desk, item_id))).toEqual(before)
    expect(before.some(([, row]) => row.includes(closed ?? 'none'))).toBe(true)
    const refused = await desk.post('/accounts/get', { access_token, options: { account_ids: [closed] } })
    expect(refused.body['error_code']).toBe('INVALID_ACCOUNT_ID')
  })

  test('a new one is announced, and seen once the user shares it in update mode', async () => {
    const receiver = await openReceiver()
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link({ webhook: receiver.url })
    const count = async () => (await desk.plaid.accountsGet({ access_token })).data.accounts.length
    const before = await count()
    await desk.control(`/items/${item_id}/bank`, { new_account: { name: 'Holiday' } })
    expect((await receiver.arrived(1))[0]?.body['webhook_code']).toBe('NEW_ACCOUNTS_AVAILABLE')
    expect(await count()).toBe(before)
    const update = { access_token, update: { account_selection_enabled: true } }
    const token = await desk.post('/link/token/create', { ...linkFields, ...update })
    const finished = await desk.control('/link', { link_token: token.body['link_token'] })
    expect(finished.body).toMatchObject({ public_token: null, item_id, public_tokens: [] })
    expect(await count()).toBe(before + 1)
  })
})

const linkFields = { client_name: 'Test', language: 'en', country_codes: ['US'], user: { client_user_id: 'somebody' } }

describe('Link', () => {
  test('makes an item with the webhook, products and days of its token, and remembers the public token', async () => {
    const desk = await openDesk()
    const webhook = 'http://127.0.0.1:9/hook'
    const fields = { ...linkFields, products: ['transactions'], webhook, transactions: { days_requested: 300 } }
    const token = await desk.post('/link/token/create', fields)
    const { link_token } = token.body
    const finished = await desk.control('/link', { link_token, institution_id: 'ins_109511' })
    const exchanged = await desk.post('/item/public_token/exchange', { public_token: finished.body['public_token'] })
    const access_token = String(exchanged.body['access_token'])
    const { data } = await desk.plaid.itemGet({ access_token })
    expect(data.item).toMatchObject({ webhook, products: ['transactions'], institution_id: 'ins_109511' })
    const rows = [...(await truth(desk, data.item.item_id)).values()]
    const oldest = rows.map((row) => String(JSON.parse(row).date)).toSorted()[0] ?? ''
    const age = (Date.now() - Date.parse(oldest)) / 86_400_000
    expect(age > 280 && age < 302).toBe(true)
    const { body } = await desk.post('/link/token/get', { link_token })
    expect(JSON.stringify(body['link_sessions'])).toContain(String(finished.body['public_token']))
  })

  test('adds the products that were wanted where supported, and leaves out the others', async () => {
    const desk = await openDesk()
    const fields = {
      ...linkFields,
      products: ['transactions'],
      required_if_supported_products: ['investments', 'auth'],
    }
    const { body } = await desk.post('/link/token/create', fields)
    const finished = await desk.control('/link', { link_token: body['link_token'], institution_id: 'ins_109509' })
    const exchanged = await desk.post('/item/public_token/exchange', { public_token: finished.body['public_token'] })
    const { data } = await desk.plaid.itemGet({ access_token: String(exchanged.body['access_token']) })
    expect(data.item.products).toEqual(['transactions', 'auth'])
  })

  test('repairs the item in update mode and keeps its token', async () => {
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link()
    await desk.control(`/items/${item_id}/bank`, { login_required: true })
    const token = await desk.post('/link/token/create', { ...linkFields, access_token })
    await desk.control('/link', { link_token: token.body['link_token'] })
    expect(await errorCode(desk, '/accounts/get', access_token)).toBeUndefined()
  })

  test('refuses what the institution does not have', async () => {
    const desk = await openDesk()
    const token = await desk.post('/link/token/create', { ...linkFields, products: ['investments'] })
    const refused = await desk.control('/link', { link_token: token.body['link_token'], institution_id: 'ins_109509' })
    expect(refused).toMatchObject({ status: 400, text: expect.stringContaining('PRODUCTS_NOT_SUPPORTED') })
  })
})

describe('products', () => {
  test('are refused where the institution has none, and where the item has no account for them', async () => {
    const desk = await openDesk()
    const { access_token } = await desk.link({ institution: 'ins_109509' })
    expect(await errorCode(desk, '/investments/holdings/get', access_token)).toBe('PRODUCTS_NOT_SUPPORTED')
    const password = '{"override_accounts": [{"type": "depository", "subtype": "checking"}]}'
    const custom = await desk.link({ institution: 'ins_109508', username: 'user_custom', password })
    expect(await errorCode(desk, '/investments/holdings/get', custom.access_token)).toBe('NO_INVESTMENT_ACCOUNTS')
    expect(await errorCode(desk, '/liabilities/get', custom.access_token)).toBe('NO_LIABILITY_ACCOUNTS')
  })

  test('are billed from their first use on', async () => {
    const desk = await openDesk()
    const { access_token } = await desk.link({ institution: 'ins_109508' })
    await desk.plaid.liabilitiesGet({ access_token })
    const { data } = await desk.plaid.itemGet({ access_token })
    expect(data.item.billed_products).toEqual([Products.Transactions, Products.Liabilities])
  })

  test('investment transactions are paged by offset, newest first, each once', async () => {
    const desk = await openDesk()
    const { access_token } = await desk.link({ institution: 'ins_115616', products: [Products.Investments] })
    const window = { start_date: '2000-01-01', end_date: '2100-01-01' }
    const read = async (offset: number, count: number) =>
      (await desk.plaid.investmentsTransactionsGet({ access_token, ...window, options: { offset, count } })).data
    const all = await read(0, 500)
    const pages = [await read(0, 7), await read(7, 7), await read(14, 500)]
    const ids = pages.flatMap((page) => page.investment_transactions.map((row) => row.investment_transaction_id))
    expect(ids).toEqual(all.investment_transactions.map((row) => row.investment_transaction_id))
    expect([new Set(ids).size, all.total_investment_transactions]).toEqual([ids.length, ids.length])
    const dates = all.investment_transactions.map(({ date }) => date)
    expect(dates).toEqual(dates.toSorted().toReversed())
  })

  test('the first investment transactions are announced when they are ready, if requested asynchronously', async () => {
    const receiver = await openReceiver()
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link({ institution: 'ins_109508', webhook: receiver.url })
    const ask = { access_token, start_date: '2000-01-01', end_date: '2100-01-01', options: { async_update: true } }
    const early = await desk.post('/investments/transactions/get', ask)
    expect(early.body['error_code']).toBe('PRODUCT_NOT_READY')
    await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
    await expect
      .poll(() => receiver.received.map(({ body }) => body['webhook_type']), { timeout: 10_000 })
      .toContain('INVESTMENTS_TRANSACTIONS')
    expect((await desk.post('/investments/transactions/get', ask)).status).toBe(200)
  })
})

describe('changes on order', () => {
  test('are answered by id, and posting pairs the new id with the old', async () => {
    const desk = await openDesk()
    const { item_id } = await desk.link()
    await desk.control(`/items/${item_id}/bank`, { add: [{ transaction_id: 'hold', pending: true, amount: 20 }] })
    const { body } = await desk.control(`/items/${item_id}/bank`, {
      post_pending: { transaction_ids: ['hold'], amount: 23.5, name: 'DINNER' },
    })
    const [pair] = z
      .array(z.strictObject({ pending_transaction_id: z.string(), transaction_id: z.string() }))
      .parse(body['posted'])
    expect(pair?.pending_transaction_id).toBe('hold')
    const rows = await truth(desk, item_id)
    expect(rows.has('hold')).toBe(false)
    expect(JSON.parse(rows.get(pair?.transaction_id ?? '') ?? '{}')).toMatchObject({
      pending: false,
      pending_transaction_id: 'hold',
      amount: 23.5,
      name: 'DINNER',
    })
  })

  test('an unofficial currency takes the official one’s place', async () => {
    const desk = await openDesk()
    const { item_id } = await desk.link()
    await desk.control(`/items/${item_id}/bank`, {
      add: [{ transaction_id: 'coin', amount: 1, unofficial_currency_code: 'DOGE' }],
    })
    const row: unknown = JSON.parse((await truth(desk, item_id)).get('coin') ?? '{}')
    expect(row).toMatchObject({ iso_currency_code: null, unofficial_currency_code: 'DOGE' })
  })

  test('are all refused when one of them is misspelt or names an unknown id', async () => {
    const desk = await openDesk()
    const { item_id } = await desk.link()
    const before = await desk.control(`/truth?item_id=${item_id}`)
    for (const bad of [{ add: 1, ad: 2 }, { add: [{ amout: 5 }] }, { modify: 1, remove: ['unknown'] }, { add: -1 }]) {
      expect((await desk.control(`/items/${item_id}/bank`, bad)).status).toBeGreaterThanOrEqual(400)
    }
    expect((await desk.control(`/truth?item_id=${item_id}`)).text).toBe(before.text)
    expect((await desk.control('/items/unknown/bank', {})).status).toBe(404)
  })
})
