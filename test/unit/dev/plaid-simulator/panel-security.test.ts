// What a page of another site can do with the Bank panel and with the simulator's controls: nothing.
import { expect, test } from 'vitest'
import { sendExactly } from '../../../support/raw-request.ts'
import { openDesk } from './bank-desk.ts'
import { panelOf } from './panel-visitor.ts'

test('the panel’s pages run no script, load from their own origin, cannot be framed, and say that they are a simulator', async () => {
  const desk = await openDesk()
  const { item_id } = await desk.link()
  const panel = panelOf(desk)
  for (const path of ['', `/items/${item_id}`, '/items/none', '/webhooks', '/failures', '/clock']) {
    const { text, headers } = await panel.open(path)
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
    expect(text).not.toMatch(/<script|<style| style=| on[a-z]+=|(?:href|src|action)="(?:https?:|\/\/)/)
    expect(text).toContain('No real bank and no real money')
    expect([headers.get('cache-control'), headers.get('referrer-policy')]).toEqual(['no-store', 'same-origin'])
  }
})

const strangers = [
  ['another site', { origin: 'https://evil.example.com', 'sec-fetch-site': 'cross-site' }],
  ['another port of this machine', { origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-site' }],
  ['localhost, which is another site than 127.0.0.1', { origin: 'http://localhost:3000' }],
  ['a sandboxed frame', { origin: 'null' }],
  ['a page that hides its origin', {}],
  ['a page that the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
] as const

test.each(strangers)('a form that %s sends is refused and changes nothing', async (who, headers) => {
  const desk = await openDesk()
  const { item_id } = await desk.link()
  const ownOrigin = who.startsWith('a page that the browser') ? { origin: desk.simulator.url } : {}
  const before = await desk.control('/truth')
  for (const path of [`items/${item_id}/break`, 'clock/reset', 'webhooks/normal', 'failures/fail']) {
    const answer = await fetch(`${desk.simulator.url}/panel/${path}`, {
      method: 'POST',
      headers: { ...ownOrigin, ...headers },
      body: new URLSearchParams({ sure: 'on', error_code: 'ITEM_LOGIN_REQUIRED' }),
    })
    expect([path, answer.status]).toEqual([path, 403])
  }
  expect((await desk.control('/truth')).text).toBe(before.text)
  expect((await panelOf(desk).open()).text).not.toContain('What you did here')
})

test('no page reads the panel across origins', async () => {
  const desk = await openDesk()
  const answer = await fetch(`${desk.simulator.url}/panel`, { headers: { origin: 'http://localhost:3000' } })
  expect(answer.headers.get('access-control-allow-origin')).toBe(null)
})

const foreign = [
  ['another site', { origin: 'https://evil.example.com' }],
  ['a sandboxed frame', { origin: 'null' }],
  ['another site without an origin', { 'sec-fetch-site': 'cross-site' }],
] as const

test.each(foreign)('a control is closed to a page of %s, also without a preflight', async (_, headers) => {
  const desk = await openDesk()
  await desk.link()
  const before = await desk.control('/truth')
  for (const path of ['/simulator/reset', '/simulator/clock', '/sandbox/public_token/create']) {
    const body = '{"advance_ms":86400000}'
    const answer = await fetch(`${desk.simulator.url}${path}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'text/plain' },
      body,
    })
    expect([path, answer.status]).toEqual([path, 403])
  }
  expect((await desk.control('/truth')).text).toBe(before.text)
})

test.each(['rebound.example.com', 'localhost.example.com', '127.0.0.1.example.com', '', 'a b'])(
  'a page whose host name %j was pointed to this machine reads and changes nothing',
  async (name) => {
    const desk = await openDesk()
    const { item_id } = await desk.link()
    const host = `${name}:${desk.simulator.port}`
    const own = { host, origin: `http://${host}` }
    const ask = async (method: string, path: string) =>
      (await sendExactly({ url: desk.simulator.url, method, path, headers: method === 'GET' ? { host } : own })).status
    const statuses = [
      await ask('GET', '/panel'),
      await ask('GET', '/simulator/truth'),
      await ask('POST', `/panel/items/${item_id}/break`),
      await ask('POST', '/simulator/reset'),
    ]
    expect(statuses.every((status) => status === 403 || status === 400)).toBe(true)
    expect((await desk.control('/truth')).text).toContain('"status":"good"')
  },
)

test.each(['localhost', '[::1]', '192.168.7.7', 'simulator', 'host.docker.internal', 'app.localhost'])(
  'the host name %s, which no public name server gives out, reaches the panel and its forms',
  async (name) => {
    const desk = await openDesk()
    const { item_id } = await desk.link()
    const host = `${name}:${desk.simulator.port}`
    const { url } = desk.simulator
    const headers = { host, origin: `http://${host}`, 'content-type': 'application/x-www-form-urlencoded' }
    expect((await sendExactly({ url, method: 'GET', path: '/panel', headers: { host } })).status).toBe(200)
    const path = `/panel/items/${item_id}/repair`
    expect((await sendExactly({ url, method: 'POST', path, headers })).status).toBe(303)
  },
)

test('the panel refuses a form that is far too large', async () => {
  const desk = await openDesk()
  const { item_id } = await desk.link()
  const answer = await fetch(`${desk.simulator.url}/panel/items/${item_id}/add`, {
    method: 'POST',
    headers: { origin: desk.simulator.url },
    body: new URLSearchParams({ name: 'a'.repeat(100_000) }),
  })
  expect(answer.status).toBe(413)
})
