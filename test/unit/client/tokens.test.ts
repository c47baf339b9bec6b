// Tokens of the client: one renewal for many calls, and what happens when it fails.
import { afterEach, describe, expect, it } from 'vitest'
import { cookieSession, createClient, ProblemError, storedSession } from '@wealthnavigator/client'
import { createTokens } from '../../../src/client/tokens.ts'
import { problem, type ScriptedApi, startScriptedApi } from '../../support/scripted-api.ts'

const apis: ScriptedApi[] = []
afterEach(async () => {
  await Promise.all(apis.splice(0).map((api) => api.stop()))
})
const start = async (answer: Parameters<typeof startScriptedApi>[0]): Promise<ScriptedApi> => {
  const api = await startScriptedApi(answer)
  apis.push(api)
  return api
}

const page = { body: { data: [], next_cursor: null } }

describe('calls with a token that is refused', () => {
  it('renew it once, however many there are, and then succeed', async () => {
    const api = await start(({ headers }) =>
      headers.authorization === 'Bearer token-2' ? page : problem(401, 'unauthorized'),
    )
    const asked: (string | null)[] = []
    const client = createClient({
      baseUrl: api.url,
      getToken: async ({ refused }) => {
        asked.push(refused)
        await new Promise((resolve) => setTimeout(resolve, 20))
        return `token-${asked.length}`
      },
    })
    const answers = await Promise.all(Array.from({ length: 40 }, () => client.get('/api/v1/plaid/items')))
    expect(answers).toHaveLength(40)
    expect(asked).toEqual([null, 'token-1'])
    expect(api.received).toHaveLength(80)
  })

  it('are sent once more and not again, if the new token is refused too', async () => {
    const api = await start(() => problem(401, 'unauthorized'))
    let renewals = 0
    const client = createClient({ baseUrl: api.url, getToken: () => `token-${(renewals += 1)}` })
    await expect(client.get('/api/v1/plaid/items')).rejects.toMatchObject({ code: 'unauthorized', status: 401 })
    expect([renewals, api.received.length]).toEqual([2, 2])
  })

  it('never renew twice at once, also where the renewal returns the refused token again', async () => {
    const api = await start(() => problem(401, 'unauthorized'))
    let [running, most] = [0, 0]
    const client = createClient({
      baseUrl: api.url,
      getToken: async () => {
        running += 1
        most = Math.max(most, running)
        await new Promise((resolve) => setTimeout(resolve, 20))
        running -= 1
        return 'token-1'
      },
    })
    const calls = Array.from({ length: 8 }, () => client.get('/api/v1/plaid/items'))
    const results = await Promise.allSettled(calls)
    expect(results.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'))
    expect(most).toBe(1)
  })

  it('are sent once with an API key, for which there is no other', async () => {
    const api = await start(() => problem(401, 'unauthorized'))
    const client = createClient({ baseUrl: api.url, apiKey: 'wn_test_revoked' })
    await expect(client.get('/api/v1/plaid/items')).rejects.toMatchObject({ code: 'unauthorized' })
    expect(api.received).toHaveLength(1)
  })

  it('repeat a change too, which a refused token cannot have made', async () => {
    const api = await start((_request, before) =>
      before === 0 ? problem(401, 'unauthorized') : { status: 202, body: { queued: 1 } },
    )
    const client = createClient({ baseUrl: api.url, getToken: ({ refused }) => (refused === null ? 'a' : 'b') })
    expect(await client.post('/api/v1/plaid/sync/all')).toEqual({ queued: 1 })
  })

  it('are not repeated for a 401 that is about a code', async () => {
    const api = await start(() => problem(401, 'invalid_code'))
    const asked: (string | null)[] = []
    const client = createClient({ baseUrl: api.url, getToken: ({ refused }) => `token-${asked.push(refused)}` })
    await expect(client.post('/api/v1/auth/totp/disable', { body: { code: '000000' } as never })).rejects.toMatchObject(
      {
        code: 'invalid_code',
      },
    )
    expect([api.received.length, asked]).toEqual([1, [null]])
  })

  it('all fail with the failure of the renewal, and the next call renews again', async () => {
    const api = await start(() => page)
    let renewals = 0
    const client = createClient({
      baseUrl: api.url,
      getToken: async () => {
        renewals += 1
        await new Promise((resolve) => setTimeout(resolve, 5))
        if (renewals === 1) throw new Error('signed out')
        return 'token'
      },
    })
    const results = await Promise.allSettled([1, 2, 3].map(() => client.get('/api/v1/plaid/items')))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await client.get('/api/v1/plaid/items')
    expect([renewals, api.received.length]).toEqual([2, 1])
  })

  it('wait for a renewal only until their own signal is aborted', async () => {
    const api = await start(() => page)
    const release = { now: (): void => undefined }
    const held = new Promise<void>((resolve) => {
      release.now = resolve
    })
    const client = createClient({ baseUrl: api.url, getToken: () => held.then(() => 'token') })
    const leaving = new AbortController()
    const left = client.get('/api/v1/plaid/items', { signal: leaving.signal })
    const waiting = client.get('/api/v1/plaid/items')
    leaving.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    release.now()
    expect(await waiting).toEqual(page.body)
  })
})

describe('a token with a time', () => {
  it('is renewed 30 seconds before its end', async () => {
    let nowMs = 0
    let count = 0
    const tokens = createTokens(
      () => ({ token: `token-${(count += 1)}`, expiresIn: 900 }),
      () => nowMs,
    )
    expect(await tokens.get()).toBe('token-1')
    nowMs = 869_999
    expect(await tokens.get()).toBe('token-1')
    nowMs = 870_000
    expect(await Promise.all([tokens.get(), tokens.get()])).toEqual(['token-2', 'token-2'])
  })

  it('is not renewed twice when a late call reports the old one as refused', async () => {
    let count = 0
    const tokens = createTokens(() => `token-${(count += 1)}`)
    await tokens.get()
    expect(await tokens.replace('token-1')).toBe('token-2')
    expect(await tokens.replace('token-1')).toBe('token-2')
  })
})

describe('a session', () => {
  it('is refreshed by the cookie, without a body', async () => {
    const api = await start(() => ({ body: { access_token: 'a-1', token_type: 'Bearer', expires_in: 900 } }))
    const credentials: unknown[] = []
    const getToken = cookieSession({
      baseUrl: `${api.url}/`,
      fetch: async (url, init) => {
        credentials.push(init.credentials)
        return await fetch(url, init)
      },
    })
    expect(await getToken({ refused: null })).toEqual({ token: 'a-1', expiresIn: 900 })
    expect(credentials).toEqual(['include'])
    expect(api.received).toMatchObject([{ method: 'POST', path: '/api/v1/auth/refresh', body: '' }])
  })

  it('stores, in an app, the next refresh token before its access token is used', async () => {
    const api = await start(() => ({
      body: { access_token: 'a-2', token_type: 'Bearer', expires_in: 900, refresh_token: 'r-2' },
    }))
    let stored: string | null = 'r-1'
    const store = { load: () => stored, save: (next: string) => void (stored = next) }
    const getToken = storedSession({ baseUrl: api.url, store })
    await getToken({ refused: null })
    expect(stored).toBe('r-2')
    expect(api.received[0]?.body).toBe('{"refresh_token":"r-1"}')
    stored = null
    await expect(getToken({ refused: null })).rejects.toThrow('must sign in')
  })

  it('fails as a problem when it has ended', async () => {
    const api = await start(() => problem(401, 'unauthorized'))
    const ended = await Promise.resolve(cookieSession({ baseUrl: api.url })({ refused: null })).catch(
      (error: unknown) => error,
    )
    expect(ended).toBeInstanceOf(ProblemError)
  })
})
