// A sign-in with a provider that lies or fails, and with a browser that does.
import { describe, expect, it, vi } from 'vitest'
import { SignInFailed } from '../../../src/oidc/failure.ts'
import {
  clientId,
  document,
  issuer,
  json,
  origin,
  otherKey,
  type Scripted,
  scriptedProvider,
} from './scripted-provider.ts'

type Begun = Awaited<ReturnType<Scripted['begin']>>

interface Changed {
  /** Of the callback; undefined leaves one out. */
  readonly query?: (begun: Begun) => Readonly<Record<string, string | undefined>>
  /** The cookie of the browser. */
  readonly sealed?: (begun: Begun) => string | null
  /** The response of the token endpoint. */
  readonly token?: (scripted: Scripted, begun: Begun, good: () => Promise<object>) => Promise<Response> | Response
}

/** The whole sign-in, and what it failed with. */
async function signIn(scripted: Scripted, { query, sealed, token }: Changed = {}) {
  const begun = await scripted.begin('/accounts?q=1')
  const good = async () => ({
    access_token: await scripted.accessToken(),
    id_token: await scripted.idToken({ nonce: begun.nonce }),
    refresh_token: 'refresh-1',
    token_type: 'Bearer',
  })
  scripted.answers.token = async () => (token === undefined ? json(await good()) : await token(scripted, begun, good))
  const parameters = { code: 'code-1', state: begun.state, iss: issuer, ...query?.(begun) }
  const callback = new URLSearchParams(
    Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  const cookie = sealed === undefined ? begun.sealed : sealed(begun)
  return await scripted.provider.complete(callback, (id) => (id === begun.id ? cookie : null))
}

async function failureOf(signing: Promise<unknown>): Promise<readonly [string, string]> {
  const error = await signing.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof SignInFailed)) throw new Error(`no failure of a sign-in: ${String(error)}`)
  return [error.problem, error.message]
}

const tokenCalls = ({ calls }: Scripted) => calls.filter(({ url }) => url === `${issuer}/token`)

describe('a sign-in', () => {
  it('asks for a code with PKCE, and begins each time with other secrets', async () => {
    const scripted = await scriptedProvider({ parameters: { audience: 'wealth' } })
    const [first, second] = [await scripted.begin(), await scripted.begin()]
    const given = Object.fromEntries(first.location.searchParams)
    expect(first.location.origin + first.location.pathname).toBe(`${issuer}/authorize`)
    expect(given).toMatchObject({
      client_id: clientId,
      response_type: 'code',
      scope: 'openid offline_access',
      redirect_uri: `${origin}/console/callback`,
      code_challenge_method: 'S256',
      audience: 'wealth',
    })
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(given[name]).toMatch(/^[\w-]{43}$/)
      expect(second.location.searchParams.get(name)).not.toBe(given[name])
    }
    // A stolen cookie shows none of them.
    expect(first.sealed).not.toContain(first.state)
    expect(first.sealed).toMatch(/^wn1\.k1\./)
  })

  it('redeems the code with the verifier and the secret of the client, and keeps the refresh token alone', async () => {
    const scripted = await scriptedProvider()
    const { session, claims, returnTo } = await signIn(scripted)
    expect([claims.subject, returnTo]).toEqual(['ada', '/accounts?q=1'])
    expect(session).toMatchObject({ kind: 'refresh', token: 'refresh-1', subject: 'ada' })
    const [call] = tokenCalls(scripted)
    const form = call?.init.body
    if (!(form instanceof URLSearchParams)) throw new Error('There is no form.')
    expect([form.get('code'), form.get('grant_type'), form.get('redirect_uri')]).toEqual([
      'code-1',
      'authorization_code',
      `${origin}/console/callback`,
    ])
    expect(form.get('code_verifier')).toMatch(/^[\w-]{43}$/)
    expect(new Headers(call?.init.headers).get('authorization')).toMatch(/^Basic /)
    expect(call?.init.redirect).toBe('manual')
  })

  it('keeps the access token until it expires where the provider gives no refresh token', async () => {
    const scripted = await scriptedProvider()
    const { session, claims } = await signIn(scripted, {
      token: async (_, __, good) => json({ ...(await good()), refresh_token: undefined }),
    })
    expect(session).toMatchObject({ kind: 'access', endsAtMs: claims.expiresAt.getTime() })
  })

  it.each<[string, Changed]>([
    ['without a state', { query: () => ({ state: undefined }) }],
    ['with a state that no sign-in made', { query: () => ({ state: 'A'.repeat(43) }) }],
    ['in a browser that did not begin it', { sealed: () => null }],
    ['with an altered cookie', { sealed: ({ sealed }) => `${sealed.slice(0, -2)}AA` }],
    ['with a cookie that is no envelope', { sealed: () => 'x' }],
  ])('fails %s, and sends no code to the provider', async (_what, changed) => {
    const scripted = await scriptedProvider()
    expect((await failureOf(signIn(scripted, changed)))[0]).toBe('expired')
    expect(tokenCalls(scripted)).toEqual([])
  })

  it('fails with the cookie of another sign-in of the same browser', async () => {
    const scripted = await scriptedProvider()
    const other = await scripted.begin()
    const failed = await failureOf(signIn(scripted, { sealed: () => other.sealed }))
    expect(failed[0]).toBe('expired')
    expect(tokenCalls(scripted)).toEqual([])
  })

  it('fails after ten minutes', async () => {
    const scripted = await scriptedProvider()
    const begun = await scripted.begin()
    const callback = new URLSearchParams({ code: 'c', state: begun.state, iss: issuer })
    scripted.clock.nowMs += 600_000
    const [problem, reason] = await failureOf(scripted.provider.complete(callback, () => begun.sealed))
    expect([problem, reason]).toEqual(['expired', 'the sign-in took too long'])
    expect(tokenCalls(scripted)).toEqual([])
  })

  it.each<[string, Changed['query']]>([
    ['of another issuer', () => ({ iss: 'https://evil.test' })],
    ['without the issuer that the provider promises', () => ({ iss: undefined })],
  ])('does not send a code %s to this one', async (_what, query) => {
    const scripted = await scriptedProvider()
    expect((await failureOf(signIn(scripted, query === undefined ? {} : { query })))[0]).toBe('provider')
    expect(tokenCalls(scripted)).toEqual([])
  })

  it.each([
    ['access_denied', 'denied'],
    ['login_required', 'interaction'],
    ['temporarily_unavailable', 'again'],
    ['invalid_scope', 'settings'],
    ['<script>', 'settings'],
  ])('says in a word that the provider answered %s', async (error, problem) => {
    const scripted = await scriptedProvider()
    const failed = await failureOf(signIn(scripted, { query: () => ({ code: undefined, error }) }))
    expect(failed[0]).toBe(problem)
    expect(failed[1]).not.toContain('<')
  })
})

describe('the response of the token endpoint', () => {
  const withIdToken =
    (make: (scripted: Scripted, begun: Begun) => Promise<string>): Changed['token'] =>
    async (scripted, begun, good) =>
      json({ ...(await good()), id_token: await make(scripted, begun) })
  const withClaims = (claims: Readonly<Record<string, unknown>>): Changed['token'] =>
    withIdToken((scripted, { nonce }) => scripted.idToken({ nonce, ...claims }))
  const withAccessToken =
    (claims: Readonly<Record<string, unknown>>): Changed['token'] =>
    async (scripted, _, good) =>
      json({ ...(await good()), access_token: await scripted.accessToken(claims) })
  const seconds = () => Math.floor(Date.now() / 1000)

  it.each<[string, Changed['token'], string]>([
    ['no ID token', async (_, __, good) => json({ ...(await good()), id_token: undefined }), 'provider'],
    ['the nonce of another sign-in', withClaims({ nonce: 'x'.repeat(43) }), 'provider'],
    ['no nonce', withClaims({ nonce: undefined }), 'provider'],
    ['an ID token of another issuer', withClaims({ iss: 'https://evil.test' }), 'provider'],
    ['an ID token for another client', withClaims({ aud: 'other' }), 'provider'],
    ['an ID token for two clients without a party', withClaims({ aud: [clientId, 'other'] }), 'provider'],
    ['an ID token whose party is another client', withClaims({ azp: 'other' }), 'provider'],
    ['an expired ID token', withClaims({ exp: seconds() - 120 }), 'provider'],
    ['an ID token of an hour ago', withClaims({ iat: seconds() - 3600 }), 'provider'],
    ['an ID token of the future', withClaims({ iat: seconds() + 3600 }), 'provider'],
    [
      'an ID token that anyone signed',
      withIdToken(async (scripted, { nonce }) => scripted.idToken({ nonce }, await otherKey())),
      'provider',
    ],
    ['an ID token that is text', withIdToken(() => Promise.resolve('a.b.c')), 'provider'],
    ['an access token for another API', withAccessToken({ aud: 'other' }), 'token'],
    ['an access token of another issuer', withAccessToken({ iss: 'https://evil.test' }), 'token'],
    ['an opaque access token', async (_, __, good) => json({ ...(await good()), access_token: 'opaque' }), 'token'],
    [
      'a token type that is no bearer',
      async (_, __, good) => json({ ...(await good()), token_type: 'DPoP' }),
      'provider',
    ],
    ['HTML', () => new Response('<html>', { headers: { 'content-type': 'text/html' } }), 'provider'],
    ['JSON that is a list', () => json([]), 'provider'],
    ['more than 128 kB', () => json({ access_token: 'x'.repeat(200_000) }), 'provider'],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: 'https://evil.test/' } }), 'provider'],
    ['an error of the server', () => new Response('no', { status: 502 }), 'provider'],
    ['a connection that breaks', () => Promise.reject(new TypeError('network')), 'provider'],
    ['a code that was used before', () => json({ error: 'invalid_grant' }, 400), 'expired'],
    ['a client that is unknown', () => json({ error: 'invalid_client' }, 401), 'settings'],
  ])('is refused with %s', async (_what, token, problem) => {
    const scripted = await scriptedProvider()
    const failed = await failureOf(signIn(scripted, token === undefined ? {} : { token }))
    expect(failed[0]).toBe(problem)
    expect(failed[1]).not.toMatch(/eyJ|code-1|refresh-1|<html|network/)
  })

  it('is not waited for longer than eight seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const scripted = await scriptedProvider()
      const { promise: called, resolve } = Promise.withResolvers<void>()
      const signing = failureOf(
        signIn(scripted, {
          token: () => {
            resolve()
            return Promise.withResolvers<Response>().promise
          },
        }),
      )
      await called
      await vi.advanceTimersByTimeAsync(8001)
      expect(await signing).toEqual(['provider', 'the provider is slow'])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe("the provider's document", () => {
  it.each<[string, () => Response]>([
    ['of another issuer', () => json({ ...document, issuer: 'https://evil.test' })],
    ['of an issuer with a slash that tokens lack', () => json({ ...document, issuer: `${issuer}/` })],
    [
      'with a sign-in page over http',
      () => json({ ...document, authorization_endpoint: 'http://issuer.test/authorize' }),
    ],
    [
      'with a document of its own as the sign-in page',
      () => json({ ...document, authorization_endpoint: 'data:text/html,x' }),
    ],
    ['with a sign-out page over http', () => json({ ...document, end_session_endpoint: 'http://issuer.test/logout' })],
    ['without a token endpoint', () => json({ ...document, token_endpoint: undefined })],
    ['that is HTML', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['that is missing', () => json({}, 404)],
  ])('is refused %s', async (_what, answer) => {
    const scripted = await scriptedProvider()
    scripted.answers.document = answer
    expect((await failureOf(scripted.provider.begin(null)))[0]).toBe('provider')
  })

  it('is read once in ten minutes, and not at all where variables name the endpoints', async () => {
    const scripted = await scriptedProvider()
    await scripted.begin()
    await scripted.begin()
    expect(scripted.calls.length).toBe(1)
    scripted.clock.nowMs += 600_000
    await scripted.begin()
    expect(scripted.calls.length).toBe(2)
    scripted.answers.document = () => json({}, 503)
    scripted.clock.nowMs += 600_000
    expect((await scripted.begin()).location.origin).toBe(issuer)
    const endpoints = { authorization: `${issuer}/a`, token: `${issuer}/token`, endSession: null, revocation: null }
    const fixed = await scriptedProvider({ endpoints })
    expect((await fixed.begin()).location.pathname).toBe('/a')
    expect(fixed.calls).toEqual([])
    expect((await signIn(fixed, { query: () => ({ iss: undefined }) })).claims.subject).toBe('ada')
  })
})
