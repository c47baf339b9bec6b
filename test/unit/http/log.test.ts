import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { routes } from '../../../src/http/app.ts'
import { log as logRequests } from '../../../src/http/middleware/log.ts'
import type { HttpEnvironment } from '../../../src/http/request-state.ts'
import { createPseudonyms } from '../../../src/monitoring/pseudonyms.ts'
import type { ReportSubject, ReportTags } from '../../../src/monitoring/sentry.ts'
import type { Services } from '../../../src/context.ts'
import { asUser, developmentVariables, serveApp, pathOf, servicesOf, tokenFor } from './serve-app.ts'

const id = pathOf('{id}')
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const names = createPseudonyms(new TextEncoder().encode(developmentVariables.SECRET_KEY))

describe('the log line of a request', () => {
  it('is one event that names the route and not the path', async () => {
    const served = serveApp()
    const headers = { ...(await asUser()), 'x-request-id': id }
    await served.ask('/api/v1/accounts/nothing-like-a-uuid?q=canary', { headers })
    expect(served.lines).toHaveLength(1)
    const { time: _, duration_ms: durationMs, ...event } = served.lines[0] ?? {}
    expect(durationMs).toBeGreaterThanOrEqual(0)
    expect(event).toEqual({
      level: 'info',
      event: 'http_request',
      request_id: expect.stringMatching(uuid),
      client_request_id: id,
      method: 'GET',
      route: '/api/v1/accounts/{id}',
      status: 400,
      actor: 'user',
      user: await names.user({ issuer: 'wealthnavigator-edge', subject: 'alice' }),
      role: 'user',
      network: await names.network('unknown', new Date()),
      code: 'validation_failed',
    })
  })

  it('names no unknown path and no unknown method', async () => {
    const served = serveApp()
    await served.ask('/canary', { method: 'CANARY' })
    expect(served.lines[0]).toMatchObject({ route: 'none', method: 'other', status: 404 })
    expect(JSON.stringify(served.lines)).not.toMatch(/canary/i)
  })

  it('contains no token and nothing of a body', async () => {
    const served = serveApp()
    const token = await tokenFor('alice')
    const body = JSON.stringify({ public_token: 'public-sandbox-canary', extra: 'canary' })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    await served.ask('/api/v1/plaid/item/public_token/exchange', { method: 'POST', headers, body })
    const log = JSON.stringify(served.lines)
    expect(log).not.toContain(token)
    expect(log).not.toContain('canary')
    expect(log).not.toContain('alice')
  })
})

describe('the identity in a log line', () => {
  const from = (address: string) => ({ headers: { 'cf-connecting-ip': address } })

  it('is a pseudonym of the /24 or the /48, one each day, and no address', async () => {
    const served = serveApp()
    const addresses = ['203.0.113.9', '203.0.113.77', '198.51.100.9', '2001:db8:77:1::5', '2001:db8:77:2::9']
    for (const address of addresses) await served.ask('/nowhere', from(address))
    const day = new Date()
    const networks = ['203.0.113.0/24', '203.0.113.0/24', '198.51.100.0/24', '2001:db8:77::/48', '2001:db8:77::/48']
    expect(served.lines.map(({ network }) => network)).toEqual(
      await Promise.all(networks.map((network) => names.network(network, day))),
    )
    expect(JSON.stringify(served.lines)).not.toMatch(/203\.0\.113|198\.51\.100|2001:db8/)
  })

  it('is the user and the role that an administrators’ route refused', async () => {
    const served = serveApp()
    await served.ask('/api/v1/admin/dead-letters/replay', { method: 'POST', headers: await asUser('mallory') })
    expect(served.lines).toMatchObject([
      {
        security_event: 'authorization_refused',
        user: await names.user({ issuer: 'wealthnavigator-edge', subject: 'mallory' }),
        role: 'user',
        status: 403,
        reason: 'role',
      },
    ])
    expect(JSON.stringify(served.lines)).not.toContain('mallory')
  })

  it('cannot be forged: the id that a client sends never becomes the request id', async () => {
    const served = serveApp()
    const first = await served.ask('/api/v1/accounts', from('203.0.113.9'))
    const victims = first.headers.get('x-request-id') ?? ''
    await served.ask('/api/v1/accounts', { headers: { 'cf-connecting-ip': '198.51.100.9', 'x-request-id': victims } })
    expect(served.lines.map((line) => line['request_id'] === victims)).toEqual([true, false])
    expect(served.lines[1]).toMatchObject({ client_request_id: victims })
  })
})

describe('a security event', () => {
  it.each([
    ['a request without a token', 'authentication_refused', '/api/v1/accounts', {}],
    ['a webhook that nothing proves', 'webhook_refused', '/api/v1/plaid/webhook', { method: 'POST', body: '{}' }],
  ])('is logged: %s', async (_, event, path, init) => {
    const served = serveApp()
    await served.ask(path, init)
    expect(served.lines.at(-1)).toMatchObject({ event: 'http_request', security_event: event, status: 401 })
  })

  it('is a request over a limit', async () => {
    const services = servicesOf({ ...developmentVariables, RATE_LIMITS: '{"global":1}' })
    const served = serveApp(() => services)
    for (const path of ['/nowhere', '/nowhere']) await served.ask(path)
    expect(served.lines.map((line) => line['security_event'])).toEqual([undefined, 'rate_limit_refused'])
  })

  it('is every request about an account’s login, an item’s end or token, and every administrator’s', () => {
    const wanted = ['/api/v1/auth/', '/api/v1/admin/']
    const silent = routes.filter(
      ({ id: name, event, access, path }) =>
        event === undefined &&
        access !== 'admin' &&
        name !== 'listSessions' &&
        wanted.some((start) => path.startsWith(start)),
    )
    expect(silent.map(({ id: name }) => name)).toEqual([])
    const named = routes.filter(({ id: name }) => ['removeItem', 'rotateAccessToken'].includes(name))
    expect(named.map(({ event }) => event)).toEqual(['item_removal', 'token_rotation'])
  })
})

describe('an error report', () => {
  /** Services with Sentry whose reporter records reports instead of sending them. */
  function reporting(change: Partial<Services> = {}) {
    const captured: { error: unknown; tags: ReportTags; subject: ReportSubject }[] = []
    const operations: { name: string; ok: boolean }[] = []
    const services = servicesOf({
      ...developmentVariables,
      SENTRY_DSN: 'http://key@127.0.0.1:9/1',
      SENTRY_TRACES_SAMPLE_RATE: '1',
    })
    const reporter: Services['reporter'] = (_, subject = {}) => ({
      captureError: (error, tags = {}) => captured.push({ error, tags, subject }),
      captureMessage: () => {},
      isPaused: () => false,
      captureOperation: ({ name, ok }) => operations.push({ name, ok }),
      captureCheckIn: () => {},
    })
    return { captured, operations, served: serveApp(() => ({ ...services, reporter, ...change })) }
  }

  it('is sent for errors that an operator must see', async () => {
    const { captured, operations, served } = reporting()
    const answer = await served.ask('/ready')
    expect(captured).toMatchObject([
      {
        error: { code: 'unavailable' },
        tags: { route: '/ready' },
        subject: { requestId: answer.headers.get('x-request-id'), mayLinger: true },
      },
    ])
    expect(operations).toEqual([{ name: 'GET /ready', ok: false }])
  })

  it('leads to no user while it cannot be read whether the user allows it', async () => {
    const { captured, operations, served } = reporting()
    await served.ask('/api/v1/accounts', { headers: await asUser() })
    await expect
      .poll(() => captured)
      .toEqual([
        {
          error: expect.objectContaining({ code: 'unavailable' }),
          tags: { route: '/api/v1/accounts' },
          subject: { mayLinger: true },
        },
      ])
    expect(operations).toEqual([{ name: 'GET /api/v1/accounts', ok: false }])
  })

  it('asks the person whom the request signed in, too', async () => {
    const subjects: ReportSubject[] = []
    const services: Services = {
      ...servicesOf({
        ...developmentVariables,
        SENTRY_DSN: 'http://key@127.0.0.1:9/1',
        SENTRY_TRACES_SAMPLE_RATE: '1',
      }),
      reporter: (_, subject = {}) => ({
        captureError: () => {},
        captureMessage: () => {},
        isPaused: () => false,
        captureOperation: () => subjects.push(subject),
        captureCheckIn: () => {},
      }),
    }
    const app = new Hono<HttpEnvironment>()
    app.use(async (context, next) => {
      context.set('services', services)
      context.set('requestId', id)
      context.set('actor', { kind: 'anonymous' })
      context.set('notes', { accountId: 'the account that signed in' })
      context.set('route', '/api/v1/auth/login')
      await next()
    })
    app.use(logRequests({ sink: () => undefined }))
    app.get('/', (context) => context.text('signed in'))
    const executionCtx = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} }
    await app.request('/', {}, { services: () => services }, executionCtx)
    // There is no database here, so what the person allows is unknown.
    await expect.poll(() => subjects).toEqual([{ mayLinger: true }])
  })

  it('has a name from the code, also where the client made the method up', async () => {
    const { operations, served } = reporting()
    await served.ask('/nowhere', { method: 'CANARY' })
    expect(operations).toEqual([{ name: 'other none', ok: true }])
  })

  it.each(['/api/v1/accounts', '/nowhere', '/health'])('is not sent for %s', async (path) => {
    const { captured, operations, served } = reporting()
    await served.ask(path)
    expect(captured).toEqual([])
    expect(operations).toMatchObject([{ ok: true }])
  })
})
