// Items of the same login share one bank. A new item sees what the bank has now, under new ids.
import { AccountSubtype, Products } from 'plaid'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { applied, type BankDesk, type Linked, openDesk, openReceiver, readUpdate, sorted, truth } from './bank-desk.ts'

const everything = [Products.Transactions, Products.Investments, Products.Liabilities]
const row = z.record(z.string(), z.unknown())
const truthShape = z.looseObject({
  accounts: z.array(row),
  transactions: z.array(row),
  holdings: z.array(row),
  investment_transactions: z.array(row),
  liabilities: z.record(z.string(), z.array(row)),
})
type Truth = z.infer<typeof truthShape>

async function truthOf(desk: BankDesk, itemId: string): Promise<Truth> {
  return truthShape.parse((await desk.control(`/truth?item_id=${itemId}`)).body)
}

const idFields = new Set([
  'account_id',
  'transaction_id',
  'pending_transaction_id',
  'investment_transaction_id',
  'cancel_transaction_id',
])

type Kind = 'accounts' | 'transactions' | 'holdings' | 'investment_transactions' | 'liabilities'
const kinds: Kind[] = ['accounts', 'transactions', 'holdings', 'investment_transactions', 'liabilities']

/** The rows without their ids, as JSON text. The same bank under other ids gives the same text. */
function nameless(rows: Partial<Pick<Truth, Kind>>): string {
  const { accounts, transactions, holdings, investment_transactions, liabilities } = rows
  const chosen = { accounts, transactions, holdings, investment_transactions, liabilities }
  return JSON.stringify(chosen, (key, value: unknown) => (idFields.has(key) && value !== null ? 'an id' : value))
}

function differing(left: Truth, right: Truth): Kind[] {
  return kinds.filter((kind) => nameless({ [kind]: left[kind] }) !== nameless({ [kind]: right[kind] }))
}

function idsIn(given: Truth): string[] {
  const ids: string[] = []
  JSON.stringify(given, (key, value: unknown) => {
    if (idFields.has(key) && typeof value === 'string') ids.push(value)
    return value
  })
  return ids
}

const bank = (desk: BankDesk, item: Linked, change: object | string) =>
  desk.control(`/items/${item.item_id}/bank`, change)

/** Makes every kind of change at a bank. */
async function busyLife(desk: BankDesk, item: Linked): Promise<void> {
  await bank(desk, item, '{"add": [{"transaction_id": "hard-1", "amount": 1234567890123456.10, "pending": true}]}')
  await bank(desk, item, { add: 5, modify: 4, remove: 3, post_pending: true, new_account: { shared: true } })
  await bank(desk, item, { close_account: true, new_account: { name: 'Later', subtype: 'checking' } })
  await desk.control('/clock', { advance_ms: 45 * 86_400_000 })
}

test.for([
  ['removed', (desk: BankDesk, item: Linked) => desk.plaid.itemRemove({ access_token: item.access_token })],
  ['revoked', (desk: BankDesk, item: Linked) => bank(desk, item, { revoke: true })],
  ['alive', () => Promise.resolve()],
] as const)('an item linked again while the first is %s has everything, under new ids', async ([, end]) => {
  const desk = await openDesk()
  const wanted = { institution: 'ins_109508', products: everything, daysRequested: 730 }
  const first = await desk.link(wanted)
  await busyLife(desk, first)
  const before = await truthOf(desk, first.item_id)
  await end(desk, first)
  const second = await desk.link(wanted)
  const now = await truthOf(desk, second.item_id)
  const oldest = String(now.transactions[0]?.['date'])
  const expected = { ...before, transactions: before.transactions.filter(({ date }) => String(date) >= oldest) }
  const shared = { ...now, accounts: now.accounts.filter(({ name }) => name !== 'Later') }
  expect(differing(shared, expected)).toEqual([])
  expect(now.transactions.length).toBeGreaterThan(600)
  expect(now.accounts.length).toBe(shared.accounts.length + 1)
  const known = new Set(idsIn(before))
  expect(idsIn(now).filter((id) => known.has(id))).toEqual([])
  const securities = (given: Truth) => given.holdings.map(({ security_id }) => security_id)
  expect(securities(now)).toEqual(securities(before))

  await bank(desk, second, { history: 'historical' })
  const { pages } = await readUpdate(desk, second.access_token)
  expect(sorted(applied(new Map(), pages))).toEqual(sorted(await truth(desk, second.item_id)))
  const holdings = await desk.plaid.investmentsHoldingsGet({ access_token: second.access_token })
  expect(holdings.data.holdings.length).toBe(now.holdings.length)
})

test('what the bank does while nothing is linked is there after the relink', async () => {
  const desk = await openDesk()
  const first = await desk.link()
  await desk.plaid.itemRemove({ access_token: first.access_token })
  const newest = async (item: Linked) => (await truthOf(desk, item.item_id)).transactions.at(-1)?.['date']
  const before = String(await newest(first))
  await desk.control('/clock', { advance_ms: 20 * 86_400_000 })
  const second = await desk.link()
  expect(String(await newest(second)) > before).toBe(true)
})

test('other logins have other banks: by institution, user name and custom password', async () => {
  const desk = await openDesk()
  const custom = (amount: string) =>
    `{"override_accounts": [{"type": "depository", "subtype": "checking", "starting_balance": ${amount}}]}`
  const items = [
    await desk.link(),
    await desk.link({ username: 'somebody' }),
    await desk.link({ institution: 'ins_109510' }),
    await desk.link({ username: 'user_custom', password: custom('1') }),
    await desk.link({ username: 'user_custom', password: custom('2') }),
  ]
  const texts = await Promise.all(items.map(async ({ item_id }) => nameless(await truthOf(desk, item_id))))
  expect(new Set(texts).size).toBe(items.length)
  for (const item of items.slice(1)) await bank(desk, item, { add: 1 })
  expect(nameless(await truthOf(desk, items[0]?.item_id ?? ''))).toBe(texts[0])
  const again = await desk.link({ username: 'user_custom', password: ` ${custom('2')} ` })
  expect(nameless(await truthOf(desk, again.item_id))).toBe(nameless(await truthOf(desk, items[4]?.item_id ?? '')))
})

test('a change through one of two live items appears in both, each announced by its webhooks', async () => {
  const desk = await openDesk()
  const [here, there] = [await openReceiver(), await openReceiver()]
  const first = await desk.link({ webhook: here.url })
  const second = await desk.link({ webhook: there.url })
  for (const item of [first, second]) {
    await desk.post('/transactions/sync', { access_token: item.access_token })
    await bank(desk, item, { history: 'historical' })
  }
  const cursors = new Map<Linked, { cursor: string; held: Map<string, string> }>()
  for (const item of [first, second]) {
    const { pages, cursor } = await readUpdate(desk, item.access_token)
    cursors.set(item, { cursor, held: applied(new Map(), pages) })
  }
  await here.arrived(2)
  await there.arrived(2)
  const sent = there.received.length
  const changed = await bank(desk, first, { add: 3, modify: 2, remove: 2, post_pending: true, new_account: true })
  await expect.poll(() => there.codes().slice(sent), { timeout: 10_000 }).toContain('NEW_ACCOUNTS_AVAILABLE')
  expect(there.codes().slice(sent)).toEqual(
    expect.arrayContaining(['SYNC_UPDATES_AVAILABLE', 'DEFAULT_UPDATE', 'TRANSACTIONS_REMOVED']),
  )
  expect(new Set(there.received.map(({ body }) => body['item_id']))).toEqual(new Set([second.item_id]))
  expect(new Set(here.received.map(({ body }) => body['item_id']))).toEqual(new Set([first.item_id]))
  for (const item of [first, second]) {
    const start = cursors.get(item) ?? { cursor: '', held: new Map<string, string>() }
    const { pages } = await readUpdate(desk, item.access_token, start.cursor)
    expect(sorted(applied(start.held, pages))).toEqual(sorted(await truth(desk, item.item_id)))
  }
  const [own, other] = [await truth(desk, first.item_id), await truth(desk, second.item_id)]
  const added = z.array(z.string()).parse(changed.body['added'])
  expect(added.map((id) => [own.has(id), other.has(id)])).toEqual(added.map(() => [true, false]))
  expect(other.size).toBe(own.size)
})

test('a silent change is not announced, and visible to all items', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const first = await desk.link()
  const second = await desk.link({ webhook: receiver.url })
  await bank(desk, second, { history: 'historical', silent: true })
  const { cursor } = await readUpdate(desk, second.access_token)
  await bank(desk, first, { add: 2, silent: true })
  const { pages } = await readUpdate(desk, second.access_token, cursor)
  expect(pages.flatMap(({ added }) => added).length).toBe(2)
  expect((await desk.control('/webhooks')).body['deliveries']).toEqual([])
})

test('an account taken back is gone from its item alone, and is there again when linked anew', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const wanted = { institution: 'ins_109508', products: everything, webhook: receiver.url }
  const [first, second] = [await desk.link(wanted), await desk.link(wanted)]
  await bank(desk, first, { history: 'historical' })
  const accounts = (await desk.plaid.accountsGet({ access_token: first.access_token })).data.accounts
  for (const subtype of [AccountSubtype.Ira, AccountSubtype.Checking, AccountSubtype.CreditCard]) {
    const account_id = accounts.find((account) => account.subtype === subtype)?.account_id ?? ''
    const changed = await bank(desk, first, { revoke_account: account_id })
    expect(changed.body['accounts']).toEqual([account_id])
    const about = () => receiver.received.map(({ body }) => body).filter((body) => body['account_id'] === account_id)
    await expect.poll(() => about().length, { timeout: 10_000 }).toBe(1)
    const webhooks = about()
    expect(webhooks[0]).toMatchObject({ webhook_code: 'USER_ACCOUNT_REVOKED', item_id: first.item_id })
    expect('error' in (webhooks[0] ?? {})).toBe(false)
    const refused = await desk.post('/accounts/get', {
      access_token: first.access_token,
      options: { account_ids: [account_id] },
    })
    expect(refused.body['error_code']).toBe('INVALID_ACCOUNT_ID')
    for (const path of [
      '/accounts/get',
      '/investments/holdings/get',
      '/liabilities/get',
      '/identity/get',
      '/auth/get',
    ]) {
      expect((await desk.post(path, { access_token: first.access_token })).text).not.toContain(account_id)
    }
    expect((await desk.control(`/truth?item_id=${first.item_id}`)).text).not.toContain(account_id)
  }
  const { pages } = await readUpdate(desk, first.access_token)
  expect(sorted(applied(new Map(), pages))).toEqual(sorted(await truth(desk, first.item_id)))
  const count = async (item: Linked) => (await truthOf(desk, item.item_id)).accounts.length
  expect(await count(first)).toBe(accounts.length - 3)
  expect(await count(second)).toBe(accounts.length)
  expect(await count(await desk.link(wanted))).toBe(accounts.length)
  // The bank still adds transactions to an account that one item no longer sees.
  await desk.control('/clock', { advance_ms: 40 * 86_400_000 })
  const newest = await bank(desk, first, { revoke_account: true })
  expect(newest.body['accounts']).toEqual([expect.any(String)])
})

test('a change between two pages of a relinked item fails its next page, and the other item gets a webhook', async () => {
  const desk = await openDesk()
  const first = await desk.link()
  await desk.plaid.itemRemove({ access_token: first.access_token })
  const [second, third] = [await desk.link(), await desk.link()]
  for (const item of [second, third]) await bank(desk, item, { history: 'historical' })
  const { cursor } = await readUpdate(desk, third.access_token)
  const page = await desk.post('/transactions/sync', { access_token: second.access_token, count: 10 })
  await bank(desk, third, { add: 1 })
  const next = { access_token: second.access_token, count: 10, cursor: page.body['next_cursor'] }
  const code = 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION'
  expect((await desk.post('/transactions/sync', next)).body['error_code']).toBe(code)
  await desk.control('/faults', { endpoint: '/transactions/sync', mutate_during_pagination: true })
  const { pages } = await readUpdate(desk, second.access_token, '', 50)
  expect(sorted(applied(new Map(), pages))).toEqual(sorted(await truth(desk, second.item_id)))
  const update = await readUpdate(desk, third.access_token, cursor)
  expect(update.pages.flatMap(({ modified }) => modified).length).toBe(1)
})

test('an item that a second item ends needs a login again', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const chase = { institution: 'ins_56', webhook: receiver.url }
  const first = await desk.link(chase)
  await desk.link({ ...chase, username: 'somebody' })
  expect((await desk.post('/accounts/get', { access_token: first.access_token })).status).toBe(200)
  const second = await desk.link(chase)
  const dead = await desk.post('/accounts/get', { access_token: first.access_token })
  expect(dead.body['error_code']).toBe('ITEM_LOGIN_REQUIRED')
  expect((await desk.post('/accounts/get', { access_token: second.access_token })).status).toBe(200)
  const [webhook] = await receiver.arrived(1)
  expect(webhook?.body).toMatchObject({
    webhook_code: 'ERROR',
    item_id: first.item_id,
    error: { error_code: 'ITEM_LOGIN_REQUIRED' },
  })
  const elsewhere = [await desk.link(), await desk.link()]
  for (const { access_token } of elsewhere) {
    expect((await desk.post('/accounts/get', { access_token })).status).toBe(200)
  }
})

test('persistent ids stay over a relink, for depository accounts at banks that have them', async () => {
  const desk = await openDesk()
  const persistent = async (institution: string) => {
    const { access_token } = await desk.link({ institution })
    const { data } = await desk.plaid.accountsGet({ access_token })
    return data.accounts.map(({ type, persistent_account_id }) => [type, persistent_account_id])
  }
  const [first, second] = [await persistent('ins_56'), await persistent('ins_56')]
  expect(second).toEqual(first)
  expect(first.map(([type, id]) => (type === 'depository') === (id !== undefined))).toEqual(first.map(() => true))
  expect((await persistent('ins_109508')).every(([, id]) => id === undefined)).toBe(true)
})
