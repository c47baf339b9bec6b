// A session at a provider: refreshes, rotation, and its end.
import { describe, expect, it } from 'vitest'
import type { StoredSession } from '../../../src/custody/console-cookies.ts'
import { AppError, type ErrorCode } from '../../../src/errors.ts'
import { document, issuer, json, origin, type Scripted, scriptedProvider } from './scripted-provider.ts'

const browser = 'b'.repeat(43)

/** A stored session, as its cookie is. */
async function sealedSession(scripted: Scripted, changed: Partial<StoredSession> = {}): Promise<string> {
  const session: StoredSession = {
    kind: 'refresh',
    token: 'refresh-1',
    idToken: 'id-token-1',
    subject: 'ada',
    endsAtMs: scripted.clock.nowMs + 3_600_000,
    ...changed,
  }
  return await scripted.provider.seal(session, browser)
}

async function refused(work: Promise<unknown>): Promise<readonly [ErrorCode, string | undefined]> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof AppError)) throw new Error(`no refusal: ${String(error)}`)
  return [error.code, error.reason]
}

const forms = ({ calls }: Scripted, path: string): string[] =>
  calls
    .filter(({ url }) => url === `${issuer}${path}`)
    .map(({ init }) => (init.body instanceof URLSearchParams ? init.body.toString() : ''))

describe('a session at a provider', () => {
  it('gets an access token, and keeps the refresh token that replaces the earlier one', async () => {
    const scripted = await scriptedProvider({ parameters: { resource: 'urn:wealth' } })
    const sealed = await sealedSession(scripted)
    const accessToken = await scripted.accessToken({ role: 'admin' })
    scripted.answers.token = () => json({ access_token: accessToken, refresh_token: 'refresh-2', token_type: 'bearer' })
    const continued = await scripted.provider.continue({ sealed, browser })
    expect(continued.accessToken).toBe(accessToken)
    expect(continued.claims.role).toBe('admin')
    expect(continued.renewed).toMatchObject({ token: 'refresh-2', subject: 'ada', idToken: 'id-token-1' })
    const [form] = forms(scripted, '/token')
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh-1',
      resource: 'urn:wealth',
    })
  })

  it('keeps its cookie where the provider does not replace the refresh token', async () => {
    const scripted = await scriptedProvider()
    const sealed = await sealedSession(scripted)
    const accessToken = await scripted.accessToken()
    scripted.answers.token = () => json({ access_token: accessToken, token_type: 'bearer' })
    expect((await scripted.provider.continue({ sealed, browser })).renewed).toBeNull()
  })

  it('refreshes once for requests that come together or within half a minute, and again after that', async () => {
    const scripted = await scriptedProvider()
    const sealed = await sealedSession(scripted)
    let count = 1
    scripted.answers.token = async () => {
      count += 1
      return json({
        access_token: await scripted.accessToken(),
        refresh_token: `refresh-${count}`,
        token_type: 'bearer',
      })
    }
    const cookies = { sealed, browser }
    const together = await Promise.all([1, 2, 3].map(() => scripted.provider.continue(cookies)))
    expect(together.map(({ renewed }) => renewed?.token)).toEqual(['refresh-2', 'refresh-2', 'refresh-2'])
    scripted.clock.nowMs += 29_000
    expect((await scripted.provider.continue(cookies)).renewed?.token).toBe('refresh-2')
    scripted.clock.nowMs += 2000
    expect((await scripted.provider.continue(cookies)).renewed?.token).toBe('refresh-3')
    expect(forms(scripted, '/token').length).toBe(2)
  })

  it('does not keep a refresh that failed', async () => {
    const scripted = await scriptedProvider()
    const sealed = await sealedSession(scripted)
    scripted.answers.token = () => json({}, 503)
    expect((await refused(scripted.provider.continue({ sealed, browser })))[0]).toBe('unavailable')
    const accessToken = await scripted.accessToken()
    scripted.answers.token = () => json({ access_token: accessToken, token_type: 'bearer' })
    expect((await scripted.provider.continue({ sealed, browser })).accessToken).toBe(accessToken)
  })

  it.each<[string, Partial<StoredSession>, string]>([
    ['for another browser', {}, 'c'.repeat(43)],
    ['after its end', { endsAtMs: 1 }, browser],
  ])('does not open %s, and asks the provider nothing', async (_what, changed, from) => {
    const scripted = await scriptedProvider()
    const sealed = await sealedSession(scripted, changed)
    expect((await refused(scripted.provider.continue({ sealed, browser: from })))[0]).toBe('unauthorized')
    expect(scripted.calls).toEqual([])
  })

  it('does not take the cookie of a sign-in for a session', async () => {
    const scripted = await scriptedProvider()
    const { sealed, id } = await scripted.begin()
    expect((await refused(scripted.provider.continue({ sealed, browser: id })))[0]).toBe('unauthorized')
  })

  it.each<[string, (scripted: Scripted) => Promise<Response> | Response, ErrorCode]>([
    ['the provider ended it', () => json({ error: 'invalid_grant' }, 400), 'unauthorized'],
    ['the provider asks for a second factor', () => json({ error: 'interaction_required' }, 400), 'unauthorized'],
    ['the provider no longer allows it', () => json({ error: 'access_denied' }, 400), 'unauthorized'],
    [
      'the access token is of another person',
      async (scripted) => json({ access_token: await scripted.accessToken({ sub: 'eve' }), token_type: 'bearer' }),
      'unauthorized',
    ],
    [
      'the access token is for another API',
      async (scripted) => json({ access_token: await scripted.accessToken({ aud: 'other' }), token_type: 'bearer' }),
      'unauthorized',
    ],
    ['the provider answers HTML', () => new Response('<html>'), 'unavailable'],
    ['the provider does not know the client', () => json({ error: 'invalid_client' }, 401), 'unavailable'],
  ])('gives no token when %s', async (_what, answer, code) => {
    const scripted = await scriptedProvider()
    const sealed = await sealedSession(scripted)
    scripted.answers.token = () => answer(scripted)
    const [found, reason] = await refused(scripted.provider.continue({ sealed, browser }))
    expect(found).toBe(code)
    expect(reason).not.toMatch(/eyJ|refresh-1|html/)
  })

  it('gives its access token until that expires where there is no refresh token', async () => {
    const scripted = await scriptedProvider()
    const token = await scripted.accessToken()
    const sealed = await sealedSession(scripted, { kind: 'access', token })
    expect((await scripted.provider.continue({ sealed, browser })).accessToken).toBe(token)
    scripted.clock.nowMs += 700_000
    expect((await refused(scripted.provider.continue({ sealed, browser })))[0]).toBe('unauthorized')
  })

  it('leaves out an ID token that does not fit in addition to the refresh token, and refuses a token that fits nowhere', async () => {
    const scripted = await scriptedProvider()
    const sealed = await sealedSession(scripted, { token: 'x'.repeat(6000), idToken: 'y'.repeat(2000) })
    expect((await scripted.provider.end({ sealed, browser })).location).not.toContain('id_token_hint')
    expect((await refused(sealedSession(scripted, { token: 'x'.repeat(8000) })))[0]).toBe('unauthorized')
  })
})

describe('a sign-out', () => {
  it('ends the refresh token at the provider and leads to its page', async () => {
    const scripted = await scriptedProvider()
    const sealed = await sealedSession(scripted)
    const { location, failure } = await scripted.provider.end({ sealed, browser })
    const url = new URL(location ?? '')
    expect(url.origin + url.pathname).toBe(`${issuer}/logout`)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'console',
      post_logout_redirect_uri: `${origin}/`,
      id_token_hint: 'id-token-1',
    })
    expect(failure).toBeNull()
    expect(forms(scripted, '/revoke')).toEqual(['token=refresh-1&token_type_hint=refresh_token'])
  })

  it('succeeds here when the provider fails, and says why for the log', async () => {
    const scripted = await scriptedProvider()
    const sealed = await sealedSession(scripted)
    scripted.answers.revoke = () => Promise.reject(new TypeError('network'))
    const { location, failure } = await scripted.provider.end({ sealed, browser })
    expect([location?.startsWith(`${issuer}/logout`), failure]).toEqual([true, 'the provider cannot be reached'])
  })

  it('leads nowhere where the provider has no such page, and does nothing for a cookie of another browser', async () => {
    const scripted = await scriptedProvider()
    scripted.answers.document = () =>
      json({ ...document, end_session_endpoint: undefined, revocation_endpoint: undefined })
    const sealed = await sealedSession(scripted)
    expect(await scripted.provider.end({ sealed, browser })).toEqual({ location: null, failure: null })
    expect(await scripted.provider.end({ sealed, browser: 'c'.repeat(43) })).toEqual({ location: null, failure: null })
    expect(forms(scripted, '/revoke')).toEqual([])
  })
})
