// The console's files over HTTP: which requests get a page, the headers of pages and of hashed files, the switch that removes
// the pages, and who gets a session of the demo user.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { startBundle } from '../support/bundle.ts'
import { demoUser, startConsole } from '../support/console-page.ts'
import { type Answer, type Call, type Edge, startEdge } from '../support/edge.ts'
import { sendExactly } from '../support/raw-request.ts'

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' }
const itemPage = z.object({ data: z.array(z.unknown()) })
const session = z.object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() })

let edge: Edge
beforeAll(async () => {
  edge = await startConsole()
})
afterAll(() => edge.stop())

/** As a browser does: Node's `fetch` always says `sec-fetch-mode: cors`. */
const navigate = (path: string, url = edge.url): Promise<Answer> =>
  sendExactly({ url, method: 'GET', path, headers: browser })
const isPage = ({ status, text }: Answer): boolean => status === 200 && text.startsWith('<!doctype html>')
const codeOf = (answer: Answer): string => z.object({ code: z.string() }).parse(answer.json()).code

describe('a page', () => {
  test.each(['/', '/banks', '/accounts/some-id', '/connect/return?x=1', '/no/such/page'])(
    'is what a browser gets that navigates to %s',
    async (path) => {
      const answer = await navigate(path)
      expect(isPage(answer)).toBe(true)
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(answer.headers.get('cache-control')).toBe('no-store')
    },
  )

  test.each([
    ['an unknown path of the API', '/api/v1/nothing', browser],
    ['an unknown path of /console', '/console/nothing', browser],
    ['a file that was never built', '/assets/index-none.js', browser],
    ['the file of the page by its name, for a script', '/index.html', {}],
    ['a request that accepts no HTML', '/banks', { accept: 'application/json' }],
    ['a script that accepts HTML', '/banks', { ...browser, 'sec-fetch-mode': 'cors' }],
    ['the file of headers', '/_headers', {}],
  ] as const)('is not what %s gets: the response is the 404 of the API', async (_, path, headers) => {
    const answer = await sendExactly({ url: edge.url, method: 'GET', path, headers })
    expect([answer.status, codeOf(answer), answer.headers.get('cache-control')]).toEqual([404, 'not_found', 'no-store'])
  })

  test('hides no route of the API: /ready and the privacy policy respond to a browser as before', async () => {
    expect((await navigate('/ready')).json()).toMatchObject({ status: 'ready' })
    expect(codeOf(await navigate('/privacy'))).toBe('not_found')
    const post = await sendExactly({ url: edge.url, method: 'POST', path: '/banks', headers: browser })
    expect(post.status).toBe(404)
  })

  test('may load nothing but the files and the responses of the page’s origin, and nothing inline', async () => {
    const { headers, text } = await navigate('/')
    const policy = Object.fromEntries(
      (headers.get('content-security-policy') ?? '').split('; ').map((rule) => {
        const [name = '', ...values] = rule.split(' ')
        return [name, values.join(' ')]
      }),
    )
    expect(policy).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self'",
      'font-src': "'self'",
      'connect-src': "'self'",
      'form-action': "'self'",
      'frame-ancestors': "'none'",
      'base-uri': "'none'",
    })
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/)
    expect([...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url)).not.toContainEqual(
      expect.stringMatching(/^(?:https?:|\/\/)/),
    )
  })

  test('has every other header of the API', async () => {
    const [page, api] = [await navigate('/'), await edge.call('GET', '/health')]
    const names = [...api.headers.keys()].filter((name) =>
      /^(?:x-(?!request-id)|referrer|permissions|cross-origin)/.test(name),
    )
    const valuesOf = ({ headers }: Answer) => names.map((name) => [name, headers.get(name)])
    expect(names.length).toBeGreaterThan(6)
    expect(valuesOf(page)).toEqual(valuesOf(api))
  })
})

describe('a hashed file', () => {
  test('is served without the Worker, with its own headers, and is kept by caches', async () => {
    const { text } = await navigate('/')
    const files = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, url = '']) => url)
    expect(files.map((file) => file.split('.').at(-1))).toEqual(expect.arrayContaining(['js', 'css', 'svg']))
    for (const file of files) {
      const { status, headers } = await edge.call('GET', file)
      expect([file, status, headers.get('x-request-id')]).toEqual([file, 200, null])
      expect(Object.fromEntries(headers)).toMatchObject({
        'cache-control': 'public, max-age=31536000, immutable',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      })
      expect(headers.get('strict-transport-security')).toBe(null)
    }
  })
})

describe('the settings', () => {
  const bankUrl = async (url: string): Promise<unknown> =>
    z.object({ bank_url: z.unknown() }).parse((await edge.callTo(url)('GET', '/console/settings')).json()).bank_url

  test('name the page of the simulated bank in development, and none without the variable', async () => {
    expect(await bankUrl(edge.url)).toBe(`${edge.simulator.url}/panel`)
    expect((await fetch(`${edge.simulator.url}/panel`)).headers.get('content-type')).toContain('text/html')
    expect(await bankUrl((await edge.startAnother({})).url)).toBe(null)
  })

  test('stop a deployed environment that names one', async () => {
    const variables = { ...edge.variables, ENVIRONMENT: 'staging', CONSOLE_BANK_URL: 'http://127.0.0.1:8788/panel' }
    const worker = await startBundle({ bindings: variables })
    try {
      const answer = await edge.callTo(worker.url)('GET', '/console/settings')
      expect([answer.status, codeOf(answer)]).toEqual([500, 'misconfigured'])
      expect(worker.logs().join('\n')).toContain('CONSOLE_BANK_URL is for local use only')
    } finally {
      await worker.dispose()
    }
  })
})

describe('CONSOLE=off', () => {
  test('removes the pages, the settings and the demo session, and leaves the API', async () => {
    const worker = await edge.startAnother({ CONSOLE: 'off' })
    const off = edge.callTo(worker.url)
    for (const path of ['/', '/banks', '/console/settings']) expect((await navigate(path, worker.url)).status).toBe(404)
    const headers = { origin: edge.url }
    expect(codeOf(await off('POST', '/console/demo', { headers }))).toBe('not_found')
    expect((await off('GET', '/ready')).status).toBe(200)
  })

  test('is also the state of a Worker that was deployed without the files', async () => {
    const bare = await startEdge()
    try {
      expect((await navigate('/', bare.url)).status).toBe(404)
    } finally {
      await bare.stop()
    }
  })
})

describe('the demo session', () => {
  const ask = (headers: Record<string, string>, call: Call = edge.call): Promise<Answer> =>
    call('POST', '/console/demo', { headers })

  test('is a token of the demo user for the console’s own page, and the token has no administrator’s rights', async () => {
    const answer = await ask({ origin: edge.url, 'sec-fetch-site': 'same-origin' })
    const { access_token: token } = session.parse(answer.json())
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const demo = edge.callTo(edge.url, token)
    expect(itemPage.parse((await demo('GET', '/api/v1/plaid/items')).json()).data).toEqual([])
    await edge.link(demoUser)
    expect(itemPage.parse((await demo('GET', '/api/v1/plaid/items')).json()).data).toHaveLength(1)
    expect((await demo('GET', '/api/v1/admin/items')).status).toBe(403)
  })

  test.each([
    ['a request without a page', {}],
    ['a page of another port', { origin: 'http://127.0.0.1:3000' }],
    ['a page of another machine', { origin: 'https://evil.test' }],
    ['a page without an origin', { origin: 'null' }],
    ['a page of the same host that a browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
  ] as const)('is refused to %s', async (_, given) => {
    const headers = 'sec-fetch-site' in given ? { origin: edge.url, ...given } : given
    expect(codeOf(await ask(headers))).toBe('forbidden')
  })

  test('is refused to a page whose host name was pointed to this machine', async () => {
    const { port } = new URL(edge.url)
    const origin = `http://rebound.test:${port}`
    const headers = { host: `rebound.test:${port}`, origin }
    const { status } = await sendExactly({ url: edge.url, method: 'POST', path: '/console/demo', headers })
    expect(status).toBe(403)
  })

  test('does not exist without the variable', async () => {
    const another = await edge.startAnother({ CONSOLE_DEMO_USER: '' })
    const call = edge.callTo(another.url)
    expect(codeOf(await ask({ origin: another.url }, call))).toBe('not_found')
  })

  test('stops a deployed environment that has the variable', async () => {
    const worker = await startBundle({ bindings: { ...edge.variables, ENVIRONMENT: 'staging' } })
    try {
      const answer = await edge.callTo(worker.url)('GET', '/ready')
      expect([answer.status, codeOf(answer)]).toEqual([500, 'misconfigured'])
      expect(worker.logs().join('\n')).toContain('CONSOLE_DEMO_USER is for local use only')
    } finally {
      await worker.dispose()
    }
  })
})

describe('the routes of a sign-in with an identity provider', () => {
  const routes = [
    ['GET', '/console/sign-in'],
    ['GET', '/console/callback?code=x&state=y'],
    ['POST', '/console/session'],
    ['POST', '/console/session/end'],
  ] as const

  test('do not exist with built-in accounts', async () => {
    for (const [method, path] of routes) {
      const answer = await edge.call(method, path, { headers: { origin: edge.url } })
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 404, 'not_found'])
    }
  })
})
