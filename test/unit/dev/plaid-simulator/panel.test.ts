// The Bank panel's forms: each does at the bank what it says, and says what happened or why nothing did.
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Products } from 'plaid'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { type BankDesk, openDesk, openReceiver } from './bank-desk.ts'
import { panelOf } from './panel-visitor.ts'

const truth = z.object({
  status: z.string(),
  accounts: z.array(z.object({ account_id: z.string(), name: z.string() })),
  transactions: z.array(z.looseObject({ transaction_id: z.string(), name: z.string(), pending: z.boolean() })),
})

async function openBank(options: Parameters<BankDesk['link']>[0] = {}) {
  const desk = await openDesk()
  const { item_id: id, access_token } = await desk.link(options)
  await desk.control(`/items/${id}/bank`, { history: 'historical' })
  const page = `/items/${id}`
  const panel = panelOf(desk)
  const read = async () => truth.parse((await desk.control(`/truth?item_id=${id}`)).body)
  const named = async (name: string) => (await read()).transactions.find((row) => row.name === name)
  const press = (action: string, fields?: Record<string, string>) => panel.submit(page, action, fields)
  return { desk, id, access_token, page, panel, read, named, press }
}

test('a person finds the bank that was linked, and an unknown one is explained', async () => {
  const desk = await openDesk()
  const panel = panelOf(desk)
  expect((await panel.open()).text).toContain('No bank is linked yet')
  const { item_id } = await desk.link()
  const { text } = await panel.open()
  expect(text).toContain('First Gingham Credit Union')
  expect(text).toContain(`href="/panel/items/${item_id}"`)
  const unknown = await panel.open('/items/none')
  expect([unknown.status, unknown.text.includes('There is no such bank')]).toEqual([404, true])
})

test('a transaction is added with every digit, changed, posted and removed, each with its webhook', async () => {
  const receiver = await openReceiver()
  const { named, press } = await openBank({ webhook: receiver.url })
  const coffee = { account_id: '', name: 'Coffee', amount: '1234567890123456.10', direction: 'out', pending: 'on' }
  expect(await press('add', coffee)).toBe('“Coffee” is at the bank. Webhook: TRANSACTIONS DEFAULT_UPDATE.')
  const before = await named('Coffee')
  expect([JSON.stringify(before?.['amount']), before?.pending]).toEqual(['1234567890123456.10', true])
  expect(await press('post', { transaction_id: before?.transaction_id ?? '' })).toMatch(
    /^1 pending transaction has posted under a new id\./,
  )
  const posted = await named('Coffee')
  expect([posted?.pending, posted?.['pending_transaction_id']]).toEqual([false, before?.transaction_id])
  const transaction_id = posted?.transaction_id ?? ''
  const date = new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10)
  await press('modify', { transaction_id, name: 'Salary', amount: '7', direction: 'in', date })
  const salary = await named('Salary')
  expect([salary?.transaction_id, JSON.stringify(salary?.['amount']), salary?.['date']]).toEqual([
    transaction_id,
    '-7',
    date,
  ])
  expect(await press('remove', { transaction_id })).toMatch(/^The bank has removed the transaction\. Webhook/)
  expect(await named('Salary')).toBeUndefined()
})

test('everything that is pending posts with one button, which then is gone', async () => {
  const { panel, page, press, read } = await openBank()
  await press('add', { name: 'Tea', amount: '3', direction: 'out', pending: 'on' })
  await press('post-all')
  expect((await read()).transactions.filter(({ pending }) => pending)).toEqual([])
  expect((await panel.open(page)).text).not.toContain('post-all')
})

test('the login breaks with the chosen error and is repaired, and each state offers the other', async () => {
  const { panel, page, press, read } = await openBank()
  expect(await press('break', { error_code: 'ITEM_LOCKED' })).toMatch(/^The login fails with ITEM_LOCKED\./)
  expect((await read()).status).toBe('login_required')
  const broken = (await panel.open(page)).text
  expect([broken.includes(`${page}/break`), broken.includes('The login fails: ITEM_LOCKED')]).toEqual([false, true])
  expect(await press('repair')).toMatch(/^The login works again\./)
  expect((await read()).status).toBe('good')
})

test('the end of the consent and of the connection are announced, and a revocation asks for a tick', async () => {
  const receiver = await openReceiver()
  const { press, panel, page, read } = await openBank({ webhook: receiver.url })
  expect(await press('expire')).toContain('PENDING_EXPIRATION')
  expect(await press('disconnect')).toContain('PENDING_DISCONNECT')
  expect(await press('revoke')).toBe('Tick the box to confirm. Nothing has changed.')
  expect((await read()).status).toBe('good')
  expect(await press('revoke', { sure: 'on' })).toContain('USER_PERMISSION_REVOKED')
  expect((await read()).status).toBe('revoked')
  expect((await panel.open(page)).text).toContain('It gives no data')
})

test('accounts are opened, shared or not, withdrawn and closed', async () => {
  const { press, read } = await openBank()
  const names = async () => (await read()).accounts.map(({ name }) => name)
  const idOf = async (name: string) =>
    (await read()).accounts.find((account) => account.name === name)?.account_id ?? ''
  expect(await press('open', { kind: 'savings', name: 'Later' })).toContain('“Later” is open, and is not shared yet.')
  expect(await names()).not.toContain('Later')
  await press('open', { kind: 'credit card', name: 'Now', shared: 'on' })
  expect(await names()).toContain('Now')
  await press('withdraw', { account_id: await idOf('Now') })
  expect(await names()).not.toContain('Now')
  const [first = ''] = await names()
  const id = await idOf(first)
  await press('close', { account_id: id })
  expect(await names()).not.toContain(first)
  expect(await press('close', { account_id: id })).toBe('Nothing has changed. The item has no such open account.')
})

test.each([
  ['an amount that is no number', { amount: '12,50' }, 'The amount must be a number above zero, such as 12.50.'],
  ['an amount of zero', { amount: '0.00' }, 'The amount must be a number above zero, such as 12.50.'],
  ['no name', { name: ' ' }, 'The name must have 1 to 200 characters.'],
  ['a date that is none', { date: 'soon' }, 'The date must be a day, such as 2026-01-31.'],
  ['a day that no calendar has', { date: '2026-02-30' }, 'Nothing has changed. Invalid'],
  ['another direction', { direction: 'up' }, 'The direction must be chosen from the list.'],
  ['an account that is not there', { account_id: 'none' }, 'Nothing has changed. The item has no open account none.'],
] as const)('a form with %s changes nothing and says why', async (_, wrong, words) => {
  const { press, read } = await openBank()
  const before = await read()
  const said = await press('add', { name: 'Coffee', amount: '1', direction: 'out', ...wrong })
  expect(said).toContain(words)
  expect(await read()).toEqual(before)
})

test('webhooks are lost, doubled, reordered and delayed as ordered, and are delivered normally again', async () => {
  const { desk, panel } = await openBank()
  const send = (action: string, fields?: Record<string, string>) => panel.submit('/webhooks', action, fields)
  const faults = async () => (await desk.control('/webhooks', {})).body
  expect(await send('disturb', { fault: 'drop', count: '3' })).toBe('The next 3 webhooks will never arrive.')
  await send('disturb', { fault: 'duplicate', count: '1' })
  await send('disturb', { fault: 'reorder', count: '2' })
  await send('delay', { seconds: '5' })
  await send('tamper', { tamper: 'signature' })
  expect(JSON.parse(JSON.stringify(await faults()))).toMatchObject({
    drop: 3,
    duplicate: 1,
    reorder: 2,
    delay_ms: 5000,
    tamper: 'signature',
  })
  expect(await send('disturb', { fault: 'reorder', count: '1' })).toContain('from 2 to 10000')
  expect(await send('rotate')).toContain('new key')
  await send('normal')
  expect(JSON.parse(JSON.stringify(await faults()))).toMatchObject({
    drop: 0,
    duplicate: 0,
    reorder: 0,
    delay_ms: 0,
    tamper: null,
  })
})

test('the page of webhooks shows what became of each', async () => {
  const receiver = await openReceiver()
  const { press, panel } = await openBank({ webhook: receiver.url })
  await panel.submit('/webhooks', 'disturb', { fault: 'drop', count: '1' })
  await press('break', { error_code: 'ITEM_LOGIN_REQUIRED' })
  await press('repair')
  await expect.poll(async () => (await panel.open('/webhooks')).text).toMatch(/LOGIN_REPAIRED[^]*?Delivered/)
  expect((await panel.open('/webhooks')).text).toMatch(/ITEM\s+ERROR[^]*?Lost on purpose/)
})

test('endpoints fail and responses change as ordered, until the orders are removed', async () => {
  const { desk, panel, access_token } = await openBank({ products: [Products.Transactions] })
  const send = (action: string, fields?: Record<string, string>) => panel.submit('/failures', action, fields)
  const order = { failure: 'limit', endpoint: '/item/get', times: '2' }
  expect(await send('fail', order)).toBe('Failure for the next 2 calls of /item/get: Error 429, RATE_LIMIT.')
  expect((await desk.post('/item/get', { access_token })).body['error_code']).toBe('RATE_LIMIT')
  await send('no-failures')
  expect((await desk.post('/item/get', { access_token })).status).toBe(200)
  const alter = { endpoint: '/accounts/get', path: 'accounts[0].name', change: 'value', value: '"Odd"', times: '' }
  expect(await send('alter', alter)).toContain('change at accounts[0].name')
  const accounts = async () =>
    z
      .array(z.looseObject({ name: z.unknown() }))
      .parse((await desk.post('/accounts/get', { access_token })).body['accounts'])
  expect((await accounts())[0]?.name).toBe('Odd')
  await send('no-changes')
  expect((await accounts())[0]?.name).not.toBe('Odd')
  expect(await send('alter', { ...alter, value: 'Odd' })).toBe(
    'The value must be JSON. Text needs quotes, such as "abc".',
  )
  expect(await send('alter', { ...alter, path: '[0]' })).toBe('Nothing has changed. Path: must begin with a name.')
})

test('the clock moves by days, and emptying the simulator asks for a tick', async () => {
  const { desk, panel } = await openBank()
  const said = await panel.submit('/clock', 'advance', { days: '7' })
  const [, from = '', to = ''] = /was (\S+) and is now (\S+)\. 1 bank moved on/.exec(said) ?? []
  expect(Date.parse(to) - Date.parse(from)).toBe(7 * 86_400_000)
  expect(await panel.submit('/clock', 'advance', { days: '0' })).toContain('from 1 to 366')
  expect(await panel.submit('/clock', 'reset')).toContain('Tick the box')
  expect((await desk.control('/truth')).text).not.toBe('{"items":[]}')
  expect(await panel.submit('/clock', 'reset', { sure: 'on' })).toContain('every bank is gone')
  expect((await desk.control('/truth')).text).toBe('{"items":[]}')
})

test('each page keeps what was done, with the request that a program would send and its response', async () => {
  const { panel, page, press, id } = await openBank()
  await press('break', { error_code: 'ITEM_LOGIN_REQUIRED' })
  const { text } = await panel.open(page)
  expect(text).toContain(`POST /simulator/items/${id}/bank`)
  expect(text).toContain('{&quot;login_required&quot;:{&quot;error_code&quot;:&quot;ITEM_LOGIN_REQUIRED&quot;}}')
  expect(text).toContain('200 {')
  for (let count = 0; count < 25; count += 1) await press('expire')
  const kept = (await panel.open(page)).text.split('Request and response</summary>').length - 1
  expect(kept).toBe(20)
})

test('what the panel changed at a bank survives a restart of the simulator', async () => {
  const journalFile = join(await mkdtemp(join(tmpdir(), 'plaid-simulator-panel-')), 'journal.jsonl')
  const desk = await openDesk({ journalFile })
  const { item_id } = await desk.link()
  await panelOf(desk).submit(`/items/${item_id}`, 'break', { error_code: 'ITEM_LOCKED' })
  await desk.simulator.stop()
  const again = await openDesk({ journalFile })
  expect((await panelOf(again).open(`/items/${item_id}`)).text).toContain('The login fails: ITEM_LOCKED')
})

test('a name from a bank is text on the page, also where they contain HTML', async () => {
  const { panel, page, press } = await openBank()
  await press('add', { name: '<script>alert(1)</script>', amount: '1', direction: 'out' })
  const { text } = await panel.open(page)
  expect(text).toContain('&lt;script&gt;alert(1)')
  expect(text).not.toContain('<script')
})
