// The routes of the metrics, without a database: who may read them, what they return, and what each request counts.
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { routes } from '../../../src/http/app.ts'
import { createMetrics } from '../../../src/monitoring/metrics/collector.ts'
import type { Services } from '../../../src/context.ts'
import type { MetricsStore, Point, Total } from '../../../src/monitoring/metrics/types.ts'
import { parseExposition } from '../../support/prometheus.ts'
import { pathOf, problemOf, serveApp, servicesOf, tokenFor } from './serve-app.ts'

const key = new TextEncoder().encode('a-secret-key-of-the-unit-tests-0123456789')
const path = '/api/v1/admin/metrics'

async function headersOf(claims: Record<string, string>): Promise<Record<string, string>> {
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('wealthnavigator-edge')
    .setSubject('prometheus')
    .setExpirationTime('5 minutes')
    .sign(key)
  return { authorization: `Bearer ${token}` }
}
const admin = { role: 'admin' }
const scraper = { ...admin, scope: 'metrics' }

const totals: Total[] = [
  {
    name: 'wn_cron_runs_total',
    labels: { job: 'sweep', outcome: 'ok' },
    sum: 7,
    count: 7,
    max: 1,
    last: 1,
    updatedMs: Date.now(),
  },
  {
    name: 'wn_cron_last_success_timestamp_seconds',
    labels: { job: 'sweep' },
    sum: 9,
    count: 1,
    max: 9,
    last: 1_900_000_000,
    updatedMs: Date.now(),
  },
]

type Store = NonNullable<Services['metricsStore']>
const storeOf = (given: Partial<Store> = {}): Store => ({
  readAlarms: () => Promise.reject(new Error('not in this test')),
  saveAlarms: () => Promise.reject(new Error('not in this test')),
  add: () => Promise.resolve(),
  read: () => Promise.resolve([]),
  totals: ({ names } = {}) => Promise.resolve(totals.filter(({ name }) => names?.includes(name) ?? true)),
  ...given,
})
const serve = (metricsStore: Store | null = storeOf()) => serveApp(() => ({ ...servicesOf(), metricsStore }))

describe('the metrics', () => {
  it('are Prometheus text for a token of an administrator, while the database does not respond', async () => {
    for (const claims of [admin, scraper]) {
      const response = await serve().ask(path, { headers: await headersOf(claims) })
      expect([response.status, response.headers.get('content-type')]).toEqual([
        200,
        'text/plain; version=0.0.4; charset=utf-8',
      ])
      expect(parseExposition(await response.text()).map(({ name }) => name)).toEqual([
        'wn_cron_runs_total',
        'wn_cron_last_success_timestamp_seconds',
      ])
    }
    const other = await serve().ask('/api/v1/admin/items', { headers: await headersOf(admin) })
    expect(await problemOf(other)).toMatchObject({ status: 503 })
  })

  it('show when each cron last succeeded', async () => {
    const response = await serve().ask('/api/v1/admin/crons', { headers: await headersOf(scraper) })
    expect(await response.json()).toEqual({
      data: [{ job: 'sweep', last_success_at: '2030-03-17T17:46:40.000Z', succeeded: 7, failed: 0 }],
    })
  })

  it('are refused to a user', async () => {
    for (const headers of [
      { authorization: `Bearer ${await tokenFor('alice')}` },
      await headersOf({ scope: 'metrics' }),
    ])
      expect(await problemOf(await serve().ask(path, { headers }))).toMatchObject({ status: 403, code: 'forbidden' })
  })

  it('are 503 where they cannot be read', async () => {
    const failing = storeOf({ totals: () => Promise.reject(new Error('no answer')) })
    for (const store of [null, failing]) {
      const response = await serve(store).ask(path, { headers: await headersOf(scraper) })
      expect(await problemOf(response)).toMatchObject({ status: 503, code: 'unavailable' })
    }
  })
})

describe('a token for the metrics', () => {
  const closed = routes.filter(({ access }) => access !== 'public')
  const allowed = ['adminGetMetrics', 'adminListCrons']
  it.each(closed.map((route) => [route.id, route] as const))(
    'opens the metrics and nothing else: %s',
    async (id, route) => {
      for (const scope of ['metrics', 'metrics read', 'write metrics']) {
        const headers = { ...(await headersOf({ ...admin, scope })), 'content-type': 'application/json' }
        const response = await serve().ask(pathOf(route.path), { method: route.method, headers })
        expect([scope, response.status === 403]).toEqual([scope, !allowed.includes(id)])
      }
    },
  )
})

describe('a request', () => {
  function counting(add: MetricsStore['add']) {
    const metrics = createMetrics({ store: { add }, wait: () => Promise.resolve(), newId: () => crypto.randomUUID() })
    return { metrics, served: serveApp(() => ({ ...servicesOf(), metrics })) }
  }

  it('is measured by method, pattern of its route and class of status, with no part of its path', async () => {
    const points: Point[] = []
    const { metrics, served } = counting((added) => Promise.resolve(void points.push(...added)))
    await served.ask('/health')
    await served.ask('/health')
    await served.ask('/api/v1/accounts/canary-in-the-path?q=canary')
    await served.ask('/canary')
    // Methods without a route share a label: a client could fill the store with all of them.
    for (const method of ['CANARY', 'DELETE', 'PUT', 'OPTIONS']) await served.ask('/api/v1/accounts', { method })
    await metrics.flush()
    const requests = points.filter(({ name }) => name === 'wn_http_request_duration_seconds')
    const counts = new Map<string, number>()
    for (const { labels, count } of requests) {
      const series = Object.values(labels).join(' ')
      counts.set(series, (counts.get(series) ?? 0) + count)
    }
    expect(Object.fromEntries(counts)).toEqual({
      'GET /health 2xx': 2,
      'GET /api/v1/accounts/{id} 4xx': 1,
      'GET none 4xx': 1,
      'other /api/v1/accounts 4xx': 3,
      'other /api/v1/accounts 2xx': 1,
    })
    expect(JSON.stringify(points)).not.toMatch(/canary/i)
  })

  it('succeeds while the store fails or does not respond', async () => {
    for (const add of [() => Promise.reject(new Error('no answer')), () => new Promise<void>(() => {})]) {
      const { served } = counting(add)
      for (let count = 0; count < 5; count += 1) expect((await served.ask('/health')).status).toBe(200)
    }
  })
})
