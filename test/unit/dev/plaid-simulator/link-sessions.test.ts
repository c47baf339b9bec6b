// Sessions of hosted and multi-item Link: what the user does in them, the webhooks, and what /link/token/get returns
// afterwards.
import { CountryCode, Products } from 'plaid'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { type BankDesk, openDesk, openReceiver } from './bank-desk.ts'
import type { Receiver } from './receiver.ts'

const fields = {
  client_name: 'Test',
  language: 'en',
  country_codes: [CountryCode.Us],
  user: { client_user_id: 'somebody' },
}
const finished = z.object({
  public_token: z.string().nullable(),
  item_id: z.string().nullable(),
  public_tokens: z.array(z.string()),
  item_ids: z.array(z.string()),
  link_session_id: z.string(),
  status: z.enum(['SUCCESS', 'EXITED']).nullable(),
})

async function tokenFor(desk: BankDesk, receiver: Receiver, more: object): Promise<string> {
  const products = 'access_token' in more ? {} : { products: [Products.Transactions] }
  const { data } = await desk.plaid.linkTokenCreate({ ...fields, ...products, webhook: receiver.url, ...more })
  return data.link_token
}

async function go(desk: BankDesk, link_token: string, more: object = {}) {
  return finished.parse((await desk.control('/link', { link_token, ...more })).body)
}

async function sessionsOf(desk: BankDesk, link_token: string) {
  const { data } = await desk.plaid.linkTokenGet({ link_token })
  const sessions = data.link_sessions ?? []
  return sessions.map(({ results, finished_at, exit }) => ({
    public_tokens: results?.item_add_results.map(({ public_token }) => public_token) ?? null,
    finished: finished_at !== null,
    left: exit !== undefined,
  }))
}

test('a hosted session that links announces its result and its end, and is listed with its public token before and after the exchange', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const link_token = await tokenFor(desk, receiver, { hosted_link: {} })
  expect(await sessionsOf(desk, link_token)).toEqual([])
  const { public_token, link_session_id, status } = await go(desk, link_token)
  expect(status).toBe('SUCCESS')
  const [added, ended] = await receiver.arrived(2)
  const common = { webhook_type: 'LINK', link_token, link_session_id, environment: 'sandbox' }
  expect(added?.body).toEqual({ ...common, webhook_code: 'ITEM_ADD_RESULT', public_token })
  expect(ended?.body).toEqual({
    ...common,
    webhook_code: 'SESSION_FINISHED',
    status: 'SUCCESS',
    public_tokens: [public_token],
  })
  const listed = [{ public_tokens: [public_token], finished: true, left: false }]
  expect(await sessionsOf(desk, link_token)).toEqual(listed)
  await desk.plaid.itemPublicTokenExchange({ public_token: public_token ?? '' })
  expect(await sessionsOf(desk, link_token)).toEqual(listed)
})

test('a session that its user leaves is announced, links nothing, and the link token can be used again', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const link_token = await tokenFor(desk, receiver, { hosted_link: {} })
  const left = await go(desk, link_token, { exit: true })
  expect(left).toMatchObject({ public_token: null, item_id: null, public_tokens: [], status: 'EXITED' })
  const [ended] = await receiver.arrived(1)
  expect(ended?.body).toMatchObject({ webhook_code: 'SESSION_FINISHED', status: 'EXITED', public_tokens: [] })
  expect((await desk.control('/truth')).body).toEqual({ items: [] })
  const { public_token, link_session_id } = await go(desk, link_token)
  expect(link_session_id).not.toBe(left.link_session_id)
  expect(await sessionsOf(desk, link_token)).toEqual([
    { public_tokens: null, finished: true, left: true },
    { public_tokens: [public_token], finished: true, left: false },
  ])
})

test('a session whose page its user closes is reported by its events alone, and stays open with the bank that was linked', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const opened = await tokenFor(desk, receiver, { hosted_link: {} })
  expect(await go(desk, opened, { abandon: 'opened' })).toMatchObject({ public_token: null, status: null })
  const linked = await tokenFor(desk, receiver, { hosted_link: {} })
  const { public_token, status } = await go(desk, linked, { abandon: 'linked' })
  expect(status).toBe(null)
  await receiver.arrived(3)
  expect(receiver.codes()).toEqual(['EVENTS', 'ITEM_ADD_RESULT', 'EVENTS'])
  expect(await sessionsOf(desk, opened)).toEqual([{ public_tokens: [], finished: false, left: false }])
  expect(await sessionsOf(desk, linked)).toEqual([{ public_tokens: [public_token], finished: false, left: false }])
  expect((await desk.plaid.itemPublicTokenExchange({ public_token: public_token ?? '' })).status).toBe(200)
})

test('a session that is neither hosted nor multi-item is listed, and not announced', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const link_token = await tokenFor(desk, receiver, {})
  const { public_token } = await go(desk, link_token)
  expect(await sessionsOf(desk, link_token)).toEqual([{ public_tokens: [public_token], finished: true, left: false }])
  expect((await desk.control('/webhooks')).body['deliveries']).toEqual([])
})

test('sessions are listed for some time after their end and no longer, and open ones always', async () => {
  const desk = await openDesk({ linkSessionLifeMs: -1 })
  const receiver = await openReceiver()
  const link_token = await tokenFor(desk, receiver, { hosted_link: {}, enable_multi_item_link: true })
  await go(desk, link_token, { finish: false })
  expect((await sessionsOf(desk, link_token)).length).toBe(1)
  await go(desk, link_token, { exit: true })
  expect(await sessionsOf(desk, link_token)).toEqual([])
})

test('a multi-item session adds items at several banks and ends once, with all of them', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const link_token = await tokenFor(desk, receiver, { enable_multi_item_link: true })
  const first = await go(desk, link_token, { items: 2, finish: false })
  expect(first.status).toBe(null)
  const second = await go(desk, link_token, { institution_id: 'ins_115616', products: ['investments'], finish: false })
  const last = await go(desk, link_token, { items: [{ institution_id: 'ins_109508', username: 'other' }] })
  expect(last.status).toBe('SUCCESS')
  const all = [first, second, last]
  expect(new Set(all.map(({ link_session_id }) => link_session_id)).size).toBe(1)
  const tokens = all.flatMap(({ public_tokens }) => public_tokens)
  const items = all.flatMap(({ item_ids }) => item_ids)
  expect([tokens.length, new Set(items).size]).toEqual([4, 4])
  const received = await receiver.arrived(5)
  const added = received.slice(0, 4).map(({ body }) => body['public_token'])
  expect([receiver.codes(), added]).toEqual([
    ['ITEM_ADD_RESULT', 'ITEM_ADD_RESULT', 'ITEM_ADD_RESULT', 'ITEM_ADD_RESULT', 'SESSION_FINISHED'],
    tokens,
  ])
  expect(received[4]?.body['public_tokens']).toEqual(tokens)
  expect(await sessionsOf(desk, link_token)).toEqual([{ public_tokens: tokens, finished: true, left: false }])
  for (const public_token of tokens) await desk.plaid.itemPublicTokenExchange({ public_token })
})

test('a user who leaves a multi-item session after adding an item has succeeded', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const link_token = await tokenFor(desk, receiver, { enable_multi_item_link: true })
  const { public_tokens } = await go(desk, link_token, { finish: false })
  expect((await go(desk, link_token, { exit: true })).status).toBe('SUCCESS')
  const [, ended] = await receiver.arrived(2)
  expect(ended?.body).toMatchObject({ status: 'SUCCESS', public_tokens })
})

test('several items need a link token for several', async () => {
  const desk = await openDesk()
  const link_token = await tokenFor(desk, await openReceiver(), { hosted_link: {} })
  for (const more of [{ items: 2 }, { finish: false }]) {
    expect((await desk.control('/link', { link_token, ...more })).status).toBe(400)
  }
  expect((await desk.control('/truth')).body).toEqual({ items: [] })
})

test('a hosted update repairs the item and ends without public tokens; left, it repairs nothing', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const { access_token, item_id } = await desk.link()
  await desk.control(`/items/${item_id}/bank`, { login_required: true })
  const code = async () => (await desk.post('/accounts/get', { access_token })).body['error_code']
  const link_token = await tokenFor(desk, receiver, { access_token, hosted_link: {} })
  expect(await go(desk, link_token, { exit: true })).toMatchObject({ item_id: null, status: 'EXITED' })
  expect(await code()).toBe('ITEM_LOGIN_REQUIRED')
  expect(await go(desk, link_token)).toMatchObject({ public_token: null, item_id, status: 'SUCCESS' })
  expect(await code()).toBeUndefined()
  const received = await receiver.arrived(2)
  expect(received.map(({ body }) => [body['webhook_code'], body['status'], body['public_tokens']])).toEqual([
    ['SESSION_FINISHED', 'EXITED', []],
    ['SESSION_FINISHED', 'SUCCESS', []],
  ])
})

test('a hosted link token lives as long as its page', async () => {
  const desk = await openDesk()
  const hosted_link = { url_lifetime_seconds: 604_800 }
  const { data } = await desk.plaid.linkTokenCreate({ ...fields, products: [Products.Transactions], hosted_link })
  expect(Math.round((Date.parse(data.expiration) - Date.now()) / 60_000)).toBe(604_800 / 60)
})

test('a link token whose fields exclude one another is refused', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const uri = 'https://app.example.com/oauth'
  const clashing = [
    { redirect_uri: uri, android_package_name: 'com.example.app' },
    { redirect_uri: `${uri}?state=1` },
    { optional_products: [Products.Transactions] },
    { required_if_supported_products: [Products.Liabilities], optional_products: [Products.Liabilities] },
    { required_if_supported_products: [Products.Liabilities], additional_consented_products: [Products.Liabilities] },
  ]
  for (const clash of clashing) await expect(tokenFor(desk, receiver, clash)).rejects.toThrow('400')
  await expect(tokenFor(desk, receiver, { redirect_uri: uri })).resolves.toMatch(/^link-/)
})
