import { describe, expect, it } from 'vitest'
import { AppError, type ErrorCode, errorTable } from '../../../src/errors.ts'
import { problemResponse } from '../../../src/http/problem.ts'
import type { Services } from '../../../src/context.ts'
import { asUser, serveApp, problemOf, servicesOf } from './serve-app.ts'

const isCode = (text: string): text is ErrorCode => text in errorTable
const codes = Object.keys(errorTable).filter(isCode)
const requestId = '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11'

/** Services whose database throws when it is used. */
function failing(thrown: () => unknown): () => Services {
  const services = servicesOf()
  return () => ({
    ...services,
    get api(): Services['api'] {
      throw thrown()
    },
  })
}

describe('a problem response', () => {
  it('has the members of RFC 9457, the code and the request', async () => {
    const problem = await problemOf(problemResponse(new AppError('not_found', 'There is no such item.'), requestId))
    expect(problem).toEqual({
      type: '/problems/not_found',
      title: 'Not found',
      status: 404,
      detail: 'There is no such item.',
      instance: `urn:uuid:${requestId}`,
      code: 'not_found',
    })
  })

  it.each(codes)('has the status and title of its code: %s', async (code) => {
    const { status, title } = errorTable[code]
    const response = problemResponse(new AppError(code, 'Because.'), requestId)
    expect(await problemOf(response)).toMatchObject({ code, status, title })
    expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
  })

  it('keeps its members when an extension has their names', async () => {
    const error = new AppError('duplicate_item', 'Linked already.', { extensions: { status: 200, item_id: requestId } })
    expect(await problemOf(problemResponse(error, requestId))).toMatchObject({ status: 409, item_id: requestId })
  })

  it('says when to try again', () => {
    const response = problemResponse(new AppError('unavailable', 'Later.', { retryAfterSeconds: 1.2 }), requestId)
    expect(response.headers.get('retry-after')).toBe('2')
  })

  it('shows neither the reason nor the cause', async () => {
    const error = new AppError('internal', 'The database refused the operation.', {
      reason: 'canary-reason',
      cause: new Error('canary-cause'),
    })
    expect(await problemResponse(error, requestId).text()).not.toContain('canary')
  })
})

describe('an unknown failure', () => {
  it.each([
    ['an error', () => new TypeError('canary-message')],
    ['a string', () => 'canary-message'],
    ['nothing', () => undefined],
  ])('becomes a 500 that reveals nothing when %s is thrown', async (_name, thrown) => {
    const served = serveApp(failing(thrown))
    const response = await served.ask('/api/v1/accounts', { headers: await asUser() })
    const text = await response.clone().text()
    expect(text).not.toContain('canary')
    expect(await problemOf(response)).toMatchObject({ status: 500, code: 'internal' })
    expect(response.headers.get('x-frame-options')).toBe('DENY')
    expect(served.lines).toHaveLength(1)
    expect(served.lines[0]).toMatchObject({ level: 'error', event: 'http_request', status: 500 })
  })

  it('is in the log with its name', async () => {
    const served = serveApp(failing(() => new TypeError('canary-message')))
    await served.ask('/api/v1/accounts', { headers: await asUser() })
    expect(served.lines[0]).toMatchObject({ error: { name: 'TypeError', message: 'canary-message' } })
  })
})

describe('a path', () => {
  it.each(['/', '/api', '/api/v1', '/api/v1/nowhere', '/health/', '/api/v1/accounts/', '/%', '//health'])(
    'gets 404 when it does not exist: %s',
    async (path) => {
      expect(await problemOf(await serveApp().ask(path))).toMatchObject({ status: 404, code: 'not_found' })
    },
  )

  it('lists its methods for any other method, with and without a token', async () => {
    const served = serveApp()
    for (const headers of [{}, await asUser()]) {
      const response = await served.ask('/api/v1/plaid/items/1', { method: 'PUT', headers })
      expect(response.headers.get('allow')).toBe('GET, HEAD, DELETE, OPTIONS')
      expect(await problemOf(response)).toMatchObject({ status: 405, code: 'method_not_allowed' })
    }
  })

  it('lists its methods for OPTIONS', async () => {
    const response = await serveApp().ask('/api/v1/plaid/webhook', { method: 'OPTIONS' })
    expect([response.status, response.headers.get('allow')]).toEqual([204, 'POST, OPTIONS'])
  })

  it('handles HEAD like GET, without the body', async () => {
    const response = await serveApp().ask('/health', { method: 'HEAD' })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(await response.text()).toBe('')
  })
})

describe('a refused configuration', () => {
  const refused = () => {
    throw new AppError('misconfigured', 'The service is not configured correctly.', { reason: 'SECRET_KEY is missing' })
  }

  it.each(['/ready', '/openapi.json', '/api/v1/accounts', '/api/v1/plaid/webhook', '/nowhere'])(
    'is a 500 at %s that names no variable',
    async (path) => {
      const served = serveApp(refused)
      const response = await served.ask(path)
      expect(await response.clone().text()).not.toContain('SECRET_KEY')
      expect(await problemOf(response)).toMatchObject({ status: 500, code: 'misconfigured' })
      expect(response.headers.get('strict-transport-security')).not.toBeNull()
      expect(response.headers.get('x-frame-options')).toBe('DENY')
    },
  )

  it('names the variables in the log', async () => {
    const served = serveApp(refused)
    await served.ask('/ready')
    expect(served.lines[0]).toMatchObject({ level: 'error', code: 'misconfigured', reason: 'SECRET_KEY is missing' })
  })

  it('leaves the Worker alive', async () => {
    const response = await serveApp(refused).ask('/health')
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
  })

  it('is no different when the services cannot be made at all', async () => {
    const served = serveApp(() => {
      throw new TypeError('canary-message')
    })
    const response = await served.ask('/ready')
    expect(await response.clone().text()).not.toContain('canary')
    expect(await problemOf(response)).toMatchObject({ status: 500, code: 'internal' })
    expect(response.headers.get('x-frame-options')).toBe('DENY')
  })
})

describe('the readiness route', () => {
  it('names the version that Cloudflare gave, also where it is not ready', async () => {
    const version = '00000000-0000-4000-8000-000000000001'
    const named = serveApp(() => servicesOf(undefined, { CF_VERSION_METADATA: { id: version } }))
    expect(await problemOf(await named.ask('/ready'))).toMatchObject({ status: 503, version })
    expect(await problemOf(await serveApp().ask('/ready'))).not.toHaveProperty('version')
  })

  it('returns 503 without a database, and logs the reason', async () => {
    const served = serveApp()
    const problem = await problemOf(await served.ask('/ready'))
    expect(problem).toMatchObject({ status: 503, code: 'unavailable' })
    expect(problem).toMatchObject({
      checks: { api_database: 'failed', jobs_database: 'failed', identity_database: 'failed' },
    })
    expect(served.lines.at(-1)?.['reason']).toContain('wn_api: The database does not answer.')
  })
})
