// What a token's scope permits, from any issuer.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { isReadOnly, verifyAccessToken } from '../../../src/auth/access-token.ts'
import { signToken } from '../../../src/dev/lib/sign-token.ts'
import type { Ctx, User } from '../../../src/context.ts'
import { AppError } from '../../../src/errors.ts'
import { type Method, route } from '../../../src/http/route.ts'
import { createLogger } from '../../../src/monitoring/logger.ts'
import { servicesOf, withSilentJobs } from '../http/serve-app.ts'

const ctxOf = (scopes: readonly string[]): Ctx<User> => ({
  services: withSilentJobs(servicesOf()),
  actor: { kind: 'user', identity: { issuer: 'https://issuer.test/', subject: 'ann' }, role: 'admin', scopes },
  requestId: '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11',
  now: () => new Date(),
  log: createLogger({}, { sink: () => undefined }),
})

/** The response of a route of that method to a token with those scopes, and whether its handler ran. */
async function call(method: Method, access: 'user' | 'admin', scopes: readonly string[]) {
  let ran = false
  const common = { id: 'one', path: '/one', summary: 'One', tags: [], answers: { 204: null }, errors: [] } as const
  const declared = route({ ...common, method, access, audit: { none: 'a test' }, body: z.strictObject({}) }).handle(
    () => {
      ran = true
      return Promise.resolve({ status: 204 })
    },
  )
  const request = {
    params: {},
    query: new URLSearchParams(),
    headers: new Headers({ 'content-type': 'application/json' }),
    readBody: () => Promise.resolve(new TextEncoder().encode('{}')),
  }
  const status = await declared.respond(ctxOf(scopes), request).then(
    (answer) => answer.status,
    (error: unknown) => (error instanceof AppError ? error.code : 'unknown'),
  )
  return { status, ran }
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

describe('a token', () => {
  it.each(methods.flatMap((method) => (['user', 'admin'] as const).map((access) => [method, access] as const)))(
    'is refused or accepted when it is read-only: %s of a route for %s',
    async (method, access) => {
      const allowed = method === 'GET'
      for (const scopes of [['read'], ['openid', 'read']])
        expect(await call(method, access, scopes)).toEqual({ status: allowed ? 204 : 'forbidden', ran: allowed })
    },
  )

  it.each(methods)('is not restricted when it may write or has no scope: %s', async (method) => {
    for (const scopes of [[], ['openid', 'profile'], ['read', 'write'], ['write'], ['read:accounts']])
      expect(await call(method, 'user', scopes)).toEqual({ status: 204, ran: true })
  })

  it('can be created read-only on the command line', async () => {
    const { auth } = servicesOf()
    const secret = 'a-secret-key-of-the-unit-tests-0123456789'
    const scopesOf = async (scope?: string) => {
      const token = await signToken({ secret, subject: 'ann', ttlSeconds: 60, ...(scope ? { scope } : {}) })
      return (await verifyAccessToken(token, auth, new Date())).scopes
    }
    expect(isReadOnly(await scopesOf('read'))).toBe(true)
    expect(isReadOnly(await scopesOf())).toBe(false)
  })
})
