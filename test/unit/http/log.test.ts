import { describe, expect, it } from 'vitest'
import type { ReportTags } from '../../../src/monitoring/sentry.ts'
import type { Services } from '../../../src/services.ts'
import { asUser, developmentVariables, openDoor, pathOf, servicesOf, tokenFor } from './door.ts'

const id = pathOf('{id}')

describe('the log of a request', () => {
  it('is one event that names the route and not the path', async () => {
    const door = openDoor()
    const headers = { ...(await asUser()), 'x-request-id': id }
    await door.ask('/api/v1/accounts/nothing-like-a-uuid?q=canary', { headers })
    expect(door.lines).toHaveLength(1)
    const { time: _, duration_ms: durationMs, ...event } = door.lines[0] ?? {}
    expect(durationMs).toBeGreaterThanOrEqual(0)
    expect(event).toEqual({
      level: 'info',
      event: 'http_request',
      request_id: id,
      method: 'GET',
      route: '/api/v1/accounts/{id}',
      status: 400,
      actor: 'user',
      code: 'validation_failed',
    })
  })

  it('names no path that does not exist, and no method that nobody has', async () => {
    const door = openDoor()
    await door.ask('/canary', { method: 'CANARY' })
    expect(door.lines[0]).toMatchObject({ route: 'none', method: 'other', status: 404 })
    expect(JSON.stringify(door.lines)).not.toMatch(/canary/i)
  })

  it('holds no token and nothing of a body', async () => {
    const door = openDoor()
    const token = await tokenFor('alice')
    const body = JSON.stringify({ public_token: 'public-sandbox-canary', extra: 'canary' })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    await door.ask('/api/v1/plaid/item/public_token/exchange', { method: 'POST', headers, body })
    const log = JSON.stringify(door.lines)
    expect(log).not.toContain(token)
    expect(log).not.toContain('canary')
    expect(log).not.toContain('alice')
  })
})

describe('an error report', () => {
  /** Services with Sentry on, whose reporter writes down what it is given instead of sending it. */
  function reporting(change: Partial<Services> = {}) {
    const captured: { error: unknown; tags: ReportTags }[] = []
    const operations: { name: string; ok: boolean }[] = []
    const services = servicesOf({ ...developmentVariables, SENTRY_DSN: 'http://key@127.0.0.1:9/1' })
    const reporter: Services['reporter'] = () => ({
      captureError: (error, tags = {}) => captured.push({ error, tags }),
      captureMessage: () => {},
      captureOperation: ({ name, ok }) => operations.push({ name, ok }),
      captureCheckIn: () => {},
    })
    return { captured, operations, door: openDoor(() => ({ ...services, reporter, ...change })) }
  }

  it('is made of what an operator should hear of', async () => {
    const { captured, operations, door } = reporting()
    await door.ask('/api/v1/accounts', { headers: { ...(await asUser()), 'x-request-id': id } })
    expect(captured).toMatchObject([
      { error: { code: 'unavailable' }, tags: { route: '/api/v1/accounts', request_id: id } },
    ])
    expect(operations).toEqual([{ name: 'GET /api/v1/accounts', ok: false }])
  })

  it.each(['/api/v1/accounts', '/nowhere', '/health'])('is not made of %s', async (path) => {
    const { captured, operations, door } = reporting()
    await door.ask(path)
    expect(captured).toEqual([])
    expect(operations).toMatchObject([{ ok: true }])
  })
})
