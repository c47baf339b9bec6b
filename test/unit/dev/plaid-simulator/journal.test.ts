// A simulator that restarts continues where the last one stopped, even after a kill.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Products } from 'plaid'
import { expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { startSimulator } from '../../../../src/dev/plaid-simulator/server.ts'
import { applied, type BankDesk, credentials, openDesk, openReceiver, readUpdate, sorted, truth } from './bank-desk.ts'
import { atLogin, goodLogin, linkTokenFor, linkVisitor, offered } from './link-visitor.ts'

function journal(): string {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'journal.jsonl')
}

/** Makes every kind of change to a simulator. */
async function live(desk: BankDesk, webhook: string) {
  const { access_token, item_id } = await desk.link({
    institution: 'ins_109508',
    webhook,
    products: [Products.Transactions],
  })
  await desk.post('/transactions/sync', { access_token })
  const bank = (change: object | string) => desk.control(`/items/${item_id}/bank`, change)
  await bank({ history: 'initial' })
  await bank('{"add": [{"transaction_id": "hard", "amount": 0.000000000000000001}]}')
  await bank({ history: 'historical' })
  await desk.control('/faults', { endpoint: '/transactions/sync', mutate_during_pagination: true })
  const { pages, cursor } = await readUpdate(desk, access_token, '', 50)
  await bank({ add: 3, modify: 2, remove: 1, post_pending: true })
  await desk.control('/clock', { advance_ms: 3 * 86_400_000 })
  await desk.post('/item/public_token/exchange', { public_token: 'junk' })
  const { data } = await desk.plaid.itemAccessTokenInvalidate({ access_token })
  return { access_token: data.new_access_token, item_id, held: applied(new Map(), pages), cursor }
}

test('items, tokens, cursors and every transaction are as they were before a restart, and nothing is sent twice', async () => {
  const receiver = await openReceiver()
  const journalFile = journal()
  const before = await openDesk({ journalFile })
  const { access_token, item_id, held, cursor } = await live(before, receiver.url)
  const itemNow = async (desk: BankDesk) => {
    const { created_at: _momentOfTheCall, ...item } = (await desk.plaid.itemGet({ access_token })).data.item
    return item
  }
  const [expected, item] = [(await before.control('/truth')).text, await itemNow(before)]
  await before.simulator.stop()
  const sent = receiver.received.length

  const after = await openDesk({ journalFile })
  expect((await after.control('/truth')).text).toBe(expected)
  expect(await itemNow(after)).toEqual(item)
  const { pages } = await readUpdate(after, access_token, cursor)
  expect(sorted(applied(held, pages))).toEqual(sorted(await truth(after, item_id)))
  expect(receiver.received.length).toBe(sent)
  const next = await after.link()
  expect(next.item_id).not.toBe(item_id)
})

test('a session on the pages of Link that was open can be finished, and the shared accounts are as they were', async () => {
  const journalFile = journal()
  const before = await openDesk({ journalFile })
  const [linked, open] = [await linkTokenFor(before), await linkTokenFor(before)]
  const visitor = linkVisitor(before)
  await atLogin(visitor, linked.url)
  const { all } = offered((await visitor.submit('login', goodLogin)).text)
  await visitor.submit('accounts', { account: all.slice(0, 2) })
  await atLogin(visitor, open.url)
  const sessions = async (desk: BankDesk) => {
    const tokens = [linked.token, open.token]
    const answers = await Promise.all(tokens.map((link_token) => desk.plaid.linkTokenGet({ link_token })))
    const list = answers.flatMap(({ data }) => data.link_sessions ?? [])
    return list.map(({ link_session_id, finished_at, results }) => ({
      link_session_id,
      isFinished: finished_at != null,
      results,
    }))
  }
  const expected = await sessions(before)
  await before.simulator.stop()

  const after = await openDesk({ journalFile })
  expect(await sessions(after)).toEqual(expected)
  const later = linkVisitor(after)
  await atLogin(later, `/hl/${open.token}`)
  const { all: offeredLater } = offered((await later.submit('login', goodLogin)).text)
  await later.submit('accounts', { account: offeredLater })
  const ended = await sessions(after)
  expect(ended.map(({ link_session_id }) => link_session_id)).toEqual(
    expected.map(({ link_session_id }) => link_session_id),
  )
  expect(ended.map(({ results }) => results?.item_add_results[0]?.accounts?.length)).toEqual([2, all.length])
})

test('logins, users, sessions and streams are as they were before a restart', async () => {
  const journalFile = journal()
  const before = await openDesk({ journalFile })
  const { user_id } = (await before.plaid.userCreate({ client_user_id: 'one' })).data
  const fields = { client_name: 'Test', language: 'en', country_codes: ['US'], products: ['transactions'], user_id }
  const { link_token } = (await before.post('/link/token/create', { ...fields, enable_multi_item_link: true })).body
  const first = await before.control('/link', { link_token, items: 2, finish: false })
  const open = await before.control('/link', { link_token, finish: false, institution_id: 'ins_109509' })
  const tokens = [first, open].flatMap(({ body }) => z.array(z.string()).parse(body['public_tokens']))
  const items: { access_token: string; item_id: string }[] = []
  for (const public_token of tokens.slice(0, 2)) {
    items.push((await before.plaid.itemPublicTokenExchange({ public_token })).data)
  }
  const chase = { institution: 'ins_56' }
  items.push(await before.link(chase), await before.link(chase))
  for (const { item_id } of items) await before.control(`/items/${item_id}/bank`, { history: 'historical' })
  // A read is not in the journal, so it must not affect later ids.
  const { data } = await before.plaid.accountsGet({ access_token: items[0]?.access_token ?? '' })
  const bank = (change: object) => before.control(`/items/${items[0]?.item_id ?? ''}/bank`, change)
  await bank({ add: 2, revoke_account: data.accounts[1]?.account_id, new_account: true })
  await before.post('/transactions/recurring/get', { access_token: items[0]?.access_token ?? '' })
  await before.control('/clock', { advance_ms: 33 * 86_400_000 })
  await before.plaid.userItemsRemove({ user_id, item_ids: [items[1]?.item_id ?? ''] })
  await before.link({ institution: 'ins_109508' })
  const known = async (desk: BankDesk) => {
    const { link_sessions = [] } = (await desk.plaid.linkTokenGet({ link_token: String(link_token) })).data
    return {
      items: (await desk.plaid.userItemsGet({ user_id })).data.items,
      sessions: link_sessions.map(({ started_at: _momentOfTheCall, ...session }) => session),
    }
  }
  const [expected, held] = [await known(before), (await before.control('/truth')).text]
  await before.simulator.stop()

  const after = await openDesk({ journalFile })
  expect((await after.control('/truth')).text === held).toBe(true)
  expect(await known(after)).toEqual(expected)
  const ended = await after.control('/link', { link_token, exit: true })
  expect(ended.body).toMatchObject({ link_session_id: open.body['link_session_id'], status: 'SUCCESS' })
  expect((await after.plaid.userCreate({ client_user_id: 'one' })).data.user_id).toBe(user_id)
})

test('half a line, left by a kill, never happened', async () => {
  const journalFile = journal()
  const before = await openDesk({ journalFile })
  const { item_id } = await before.link()
  await before.simulator.stop()
  appendFileSync(journalFile, '{"at":1,"event":{"op":"bank","item')
  for (let start = 0; start < 2; start += 1) {
    const after = await openDesk({ journalFile })
    expect((await after.control(`/truth?item_id=${item_id}`)).status).toBe(200)
    await after.control(`/items/${item_id}/bank`, { add: 1 })
    await after.simulator.stop()
  }
})

test('a reset forgets, and keeps its seed', async () => {
  const journalFile = journal()
  const before = await openDesk({ journalFile })
  await before.link()
  await before.control('/reset', { seed: 'other' })
  await before.simulator.stop()
  const after = await openDesk({ journalFile })
  expect((await after.control('/truth')).body).toEqual({ items: [] })
  expect(readFileSync(journalFile, 'utf8')).toBe('{"seed":"other","history_days":730}\n')
})

test('history that had not come when the simulator ended comes after the start', async () => {
  const journalFile = journal()
  const before = await openDesk({ journalFile })
  const { access_token } = await before.link()
  await before.simulator.stop()
  const after = await openDesk({ journalFile, historyDelayMs: { initial: 1, historical: 2 } })
  await expect
    .poll(async () => (await after.plaid.transactionsSync({ access_token })).data.transactions_update_status, {
      timeout: 10_000,
    })
    .toBe('HISTORICAL_UPDATE_COMPLETE')
})

test('history that came by itself has come, and a cursor after it has nothing new', async () => {
  const journalFile = journal()
  const before = await openDesk({ journalFile, historyDelayMs: { initial: 1, historical: 2 } })
  const { access_token } = await before.link()
  const status = async (desk: BankDesk) =>
    (await desk.plaid.transactionsSync({ access_token })).data.transactions_update_status
  await expect.poll(() => status(before), { timeout: 10_000 }).toBe('HISTORICAL_UPDATE_COMPLETE')
  const { cursor } = await readUpdate(before, access_token)
  await before.simulator.stop()
  const after = await openDesk({ journalFile })
  expect(await status(after)).toBe('HISTORICAL_UPDATE_COMPLETE')
  const { pages } = await readUpdate(after, access_token, cursor)
  expect(pages.flatMap(({ added, modified, removed }) => [...added, ...modified, ...removed])).toEqual([])
})

test('banks keep the length of their history, also if the next start asks for another', async () => {
  const journalFile = journal()
  const before = await openDesk({ journalFile, historyDays: 40 })
  const { access_token, item_id } = await before.link({ daysRequested: 730 })
  await before.post('/transactions/sync', { access_token })
  await before.control(`/items/${item_id}/bank`, { history: 'historical' })
  const dated = z.object({ date: z.string() })
  const days = async (desk: BankDesk) =>
    [...(await truth(desk, item_id)).values()].map((row) => dated.parse(JSON.parse(row)).date).toSorted()
  const [first = '', ...others] = await days(before)
  const oldest = new Date(Date.now() - 41 * 86_400_000).toISOString().slice(0, 10)
  expect(first > oldest).toBe(true)
  await before.simulator.stop()
  const after = await openDesk({ journalFile })
  expect(await days(after)).toEqual([first, ...others])
})

test('a file that is something else is left alone, with a clear error', async () => {
  const journalFile = journal()
  writeFileSync(journalFile, 'precious\n')
  await expect(startSimulator({ port: 0, ...credentials, journalFile })).rejects.toThrow('not a journal')
  expect(readFileSync(journalFile, 'utf8')).toBe('precious\n')
})
