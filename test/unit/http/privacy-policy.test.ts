// GET /privacy: the operator's policy, for anyone and for caches.
import { describe, expect, it } from 'vitest'
import { serveApp, problemOf, productionVariables, servicesOf } from './serve-app.ts'

const ask = async (variables: Record<string, string>): Promise<Response> =>
  await serveApp(() => servicesOf({ ...productionVariables, ...variables })).ask('/privacy')
const operator = { OPERATOR_NAME: 'Example Ltd.', OPERATOR_CONTACT: 'privacy@example.com' }

describe('the privacy policy', () => {
  it('is Markdown that caches may keep for an hour, with an ETag of its text', async () => {
    const response = await ask(operator)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/markdown; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600')
    expect(await response.text()).toContain('Example Ltd. is responsible for your data.')
    const etag = response.headers.get('etag')
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/)
    expect((await ask(operator)).headers.get('etag')).toBe(etag)
    expect((await ask({ ...operator, OPERATOR_NAME: 'Another Ltd.' })).headers.get('etag')).not.toBe(etag)
  })

  it('does not exist where the deployment names no operator', async () => {
    const response = await ask({ OPERATOR_NAME: '', OPERATOR_CONTACT: '' })
    expect(await problemOf(response)).toMatchObject({ status: 404, code: 'not_found' })
  })

  it.each([
    { OPERATOR_NAME: '', OPERATOR_CONTACT: 'privacy@example.com' },
    { OPERATOR_NAME: 'Example Ltd.', OPERATOR_CONTACT: '' },
    { OPERATOR_NAME: 'Two\nlines', OPERATOR_CONTACT: 'privacy@example.com' },
    { OPERATOR_NAME: '{{contact}}', OPERATOR_CONTACT: 'privacy@example.com' },
  ])('refuses a configuration with half of it, or with other text: %j', (variables) => {
    expect(() => servicesOf({ ...productionVariables, ...variables })).toThrow(/OPERATOR|configur/i)
  })
})
