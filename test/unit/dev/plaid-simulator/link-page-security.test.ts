// What another site can do with Link's pages, and what the pages allow the browser.
import { expect, test } from 'vitest'
import { openDesk } from './bank-desk.ts'
import { atLogin, goodLogin, linkTokenFor, linkVisitor } from './link-visitor.ts'

const policyOf = (headers: Headers): string[] => (headers.get('content-security-policy') ?? '').split('; ')

test('a hosted page runs no script, loads from its own origin alone, and cannot be framed', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { url } = await linkTokenFor(desk, { hosted_link: { completion_redirect_uri: 'https://app.example.com/done' } })
  const { headers, text } = await atLogin(visitor, url)
  expect(policyOf(headers)).toEqual([
    "default-src 'none'",
    "style-src 'self'",
    "form-action 'self' https://app.example.com",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ])
  expect(text).not.toMatch(/<script|<style| style=| on[a-z]+=|https?:\/\//)
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('referrer-policy')).toBe('same-origin')
  expect(headers.get('set-cookie')).toBe(null)
})

test('every page says that it is a simulator', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { url } = await linkTokenFor(desk)
  const notice = 'No real bank and no real money'
  const texts = [(await atLogin(visitor, url)).text, (await visitor.submit('login', goodLogin)).text]
  const oauth = await linkTokenFor(desk)
  texts.push((await atLogin(visitor, oauth.url, 'ins_127287')).text, (await visitor.submit('oauth')).text)
  texts.push((await visitor.open(`${url}?leave`)).text, (await visitor.submit('exit')).text)
  texts.push((await visitor.open('/hl/none')).text)
  expect(texts.map((text) => text.includes(notice))).toEqual(texts.map(() => true))
})

test('a form that a page of another origin sends is refused and changes nothing', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { token, url } = await linkTokenFor(desk)
  await visitor.open(url)
  for (const origin of ['http://localhost:3000', 'https://evil.example.com', 'null']) {
    const forged = await fetch(`${url}/exit`, { method: 'POST', headers: { origin }, redirect: 'manual' })
    expect(forged.status).toBe(403)
  }
  const sessions = (await desk.plaid.linkTokenGet({ link_token: token })).data.link_sessions ?? []
  expect(sessions.map(({ finished_at }) => finished_at)).toEqual([null])
})

test('a page of another origin cannot read a page of Link', async () => {
  const desk = await openDesk()
  const { url } = await linkTokenFor(desk)
  const answer = await fetch(url, { headers: { origin: 'http://localhost:3000' } })
  expect(answer.headers.get('access-control-allow-origin')).toBe(null)
})

test('only an origin of this machine can frame Link, and the page allows and addresses exactly that one', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { token } = await linkTokenFor(desk, { hosted_link: undefined })
  const path = `/hl/${token}/embed?origin=`
  for (const origin of ['https://app.example.com', 'http://localhost:3000/page', 'null', '*', '']) {
    expect((await visitor.open(path + encodeURIComponent(origin))).status).toBe(400)
  }
  const origin = 'http://localhost:3000'
  const { headers, text } = await visitor.open(path + encodeURIComponent(origin))
  expect(policyOf(headers)).toEqual(
    expect.arrayContaining(["script-src 'self'", `frame-ancestors ${origin}`, "default-src 'none'"]),
  )
  expect(text).toContain(`<meta name="plaid-simulator-parent" content="${origin}"`)
})

test('a URL that a browser would run is no place to return to', async () => {
  const desk = await openDesk()
  for (const scheme of ['javascript', 'data']) {
    const completion_redirect_uri = `${scheme}:alert(1)`
    await expect(linkTokenFor(desk, { hosted_link: { completion_redirect_uri } })).rejects.toThrow('400')
  }
})
