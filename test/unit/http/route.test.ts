import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Actor, Ctx } from '../../../src/context.ts'
import { AppError } from '../../../src/errors.ts'
import { type IncomingRequest, route } from '../../../src/http/route.ts'
import { createLogger } from '../../../src/monitoring/logger.ts'
import { servicesOf, withSilentJobs } from './serve-app.ts'

const user = (role: 'user' | 'admin'): Actor => ({
  kind: 'user',
  identity: { issuer: 'i', subject: 's' },
  role,
  scopes: [],
})

function contextFor(actor: Actor): Ctx {
  const log = createLogger({}, { sink: () => {} })
  return { services: withSilentJobs(servicesOf()), actor, requestId: 'r', now: () => new Date(0), log }
}

const request: IncomingRequest = {
  params: {},
  query: new URLSearchParams(),
  headers: new Headers(),
  readBody: () => Promise.resolve(new Uint8Array()),
}

const common = { id: 'x', method: 'GET', path: '/x', summary: 'x', tags: [], errors: [] } as const
const answers = { 200: z.object({ name: z.string(), inner: z.array(z.object({ id: z.string() })) }) }

/** A reply with more or other members than its type allows, as a row of a query can have. */
const replyWith = (body: unknown) => async () =>
  ({ status: 200, body }) as { status: 200; body: { name: string; inner: { id: string }[] } }

describe('a response', () => {
  it('drops undeclared fields at any depth', async () => {
    const body = { name: 'a', token: 'canary', inner: [{ id: '1', user_id: 'canary' }] }
    const declared = route({ ...common, access: 'user', answers }).handle(replyWith(body))
    const reply = await declared.respond(contextFor(user('user')), request)
    expect(reply).toEqual({ status: 200, body: { name: 'a', inner: [{ id: '1' }] } })
  })

  it('is not sent when it does not fit its schema, and the log has the place', async () => {
    const declared = route({ ...common, access: 'user', answers }).handle(replyWith({ name: 5, inner: [{}] }))
    const failure: unknown = await declared.respond(contextFor(user('user')), request).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AppError)
    expect(failure).toMatchObject({ code: 'internal', detail: 'Something went wrong on our side.' })
    expect(failure).toMatchObject({ reason: 'undeclared answer: name invalid_type; inner.0.id invalid_type' })
  })

  it('is not sent with an undeclared status', async () => {
    const reply = async () => ({ status: 201 }) as never
    const declared = route({ ...common, access: 'user', answers }).handle(reply)
    await expect(declared.respond(contextFor(user('user')), request)).rejects.toMatchObject({ code: 'internal' })
  })
})

describe('access', () => {
  const calls: string[] = []
  const admin = route({ ...common, access: 'admin', answers: { 204: null } }).handle(async () => {
    calls.push('called')
    return { status: 204 }
  })

  it('is refused to users and anonymous clients on routes for administrators', async () => {
    await expect(admin.respond(contextFor(user('user')), request)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(admin.respond(contextFor({ kind: 'anonymous' }), request)).rejects.toMatchObject({
      code: 'unauthorized',
    })
    await expect(admin.respond(contextFor({ kind: 'queue', name: 'q' }), request)).rejects.toMatchObject({
      code: 'unauthorized',
    })
    expect(calls).toEqual([])
  })

  it('is granted to administrators on routes for administrators', async () => {
    expect(await admin.respond(contextFor(user('admin')), request)).toEqual({ status: 204, body: undefined })
  })
})
