// Built-in accounts over HTTP, as web and mobile applications use them: the built Worker with its real hashes.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { type Answer, startEdge, type Edge } from '../support/edge.ts'

const ours = 'https://app.example.com'
const password = 'a long enough password'

let edge: Edge
beforeAll(async () => {
  edge = await startEdge({ variables: { CORS_ORIGINS: JSON.stringify([ours]) } })
})
afterAll(() => edge.stop())

const session = z.strictObject({
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.literal(900),
  refresh_token: z.string().optional(),
  device_token: z.string().optional(),
})
const problem = z.looseObject({ code: z.string() })

const post = (path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> =>
  edge.call('POST', `/api/v1/auth/${path}`, { body, headers })
const as = (token: string) => edge.callTo(edge.url, token)
const codeOf = (answer: Answer) => problem.parse(answer.json()).code
const sessionOf = (answer: Answer) => {
  expect(answer.status).toBe(200)
  return session.parse(answer.json())
}

/** The newest code that the development Worker wrote into its log. */
function mailedCode(): string {
  const line = edge.lines().findLast((one) => one.includes('"mail_code"')) ?? '{}'
  return z.object({ mail_code: z.string() }).parse(JSON.parse(line)).mail_code
}

async function signUp(email: string): Promise<z.infer<typeof session>> {
  expect((await post('register', { email, password })).status).toBe(202)
  return sessionOf(await post('verify-email', { code: mailedCode(), password }))
}

/** The name and value of a cookie that a response sets, and its attributes. */
function cookieOf(answer: Answer, name = 'refresh_token'): { pair: string; attributes: string[] } {
  const found = answer.headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`))
  const [pair = '', ...attributes] = (found ?? '').split('; ')
  return { pair, attributes }
}

describe('an account', () => {
  it('is registered, verified, signed in to, used and left', async () => {
    const first = await signUp('Whole.Way@Example.com')
    expect((await as(first.access_token)('GET', '/api/v1/accounts')).json()).toEqual({ data: [], next_cursor: null })
    const second = sessionOf(await post('login', { email: 'whole.way@example.com', password }))
    const next = sessionOf(await post('refresh', { refresh_token: second.refresh_token }))
    const sessions = await as(next.access_token)('GET', '/api/v1/auth/sessions')
    expect(sessions.json()).toMatchObject({ data: [{ current: false }, { current: true }], next_cursor: null })
    expect((await post('logout', { refresh_token: next.refresh_token })).status).toBe(204)
    expect((await post('refresh', { refresh_token: next.refresh_token })).status).toBe(401)
    expect((await as(next.access_token)('GET', '/api/v1/auth/sessions')).status).toBe(401)
    expect((await as(first.access_token)('POST', '/api/v1/auth/logout-all')).status).toBe(204)
    expect((await post('refresh', { refresh_token: first.refresh_token })).status).toBe(401)
  })

  it('can no longer link, remove, rotate or administer with the last access token after sign-out', async () => {
    const email = 'left@example.com'
    await signUp(email)
    await edge.sql(`update identity.accounts set role = 'admin' where email = $1`, [email])
    const left = sessionOf(await post('login', { email, password }))
    const call = as(left.access_token)
    const id = crypto.randomUUID()
    const asked = async () => {
      const answers = [
        await call('POST', '/api/v1/plaid/link/token/create', { body: {} }),
        await call('POST', '/api/v1/plaid/item/public_token/exchange', {
          body: { public_token: `public-sandbox-${id}`, link_token: `link-sandbox-${id}` },
        }),
        await call('DELETE', `/api/v1/plaid/items/${id}?purge=true`),
        await call('POST', `/api/v1/plaid/items/${id}/access_token/rotate`),
        await call('GET', '/api/v1/admin/items'),
      ]
      return answers.map(({ status }) => status === 401)
    }
    expect(await asked()).toEqual([false, false, false, false, false])
    await post('logout', { refresh_token: left.refresh_token })
    expect(await asked()).toEqual([true, true, true, true, true])
    expect((await call('GET', '/api/v1/accounts')).status).toBe(200)
  })

  it('is made an administrator by the operator’s command, and loses the role at once when it is revoked', async () => {
    const email = 'operator@example.com'
    const before = await signUp(email)
    const admin = async (...args: string[]) => {
      const env = {
        PATH: process.env['PATH'],
        MIGRATE_DATABASE_URL: edge.database.ownerUrl,
        AUDIT_KEY: String(edge.variables['AUDIT_KEY']),
      }
      return (await promisify(execFile)(process.execPath, ['src/cli/admin.ts', ...args], { env })).stdout
    }
    const administers = async (token: string) => (await as(token)('GET', '/api/v1/admin/items')).status
    expect(await administers(before.access_token)).toBe(403)
    expect(await admin('grant', 'Operator@Example.com')).toContain('1 sessions ended')
    expect((await post('refresh', { refresh_token: before.refresh_token })).status).toBe(401)
    const operator = sessionOf(await post('login', { email, password }))
    expect(await administers(operator.access_token)).toBe(200)
    expect(await admin('grant', email)).toContain('nothing changed')
    expect(await administers(operator.access_token)).toBe(200)
    expect(await admin('revoke', email)).toContain('1 sessions ended')
    expect(await administers(operator.access_token)).toBe(401)
    const after = sessionOf(await post('login', { email, password }))
    expect(await administers(after.access_token)).toBe(403)
    await expect(admin('grant', 'nobody@example.com')).rejects.toThrow('There is no account')
  })

  it('cannot be distinguished from an unknown address', async () => {
    await signUp('known@example.com')
    const shape = (answer: Answer) => {
      const { status, headers } = answer
      const { instance: _, ...body } = z.looseObject({}).parse(answer.json())
      return { status, type: headers.get('content-type'), names: [...headers.keys()].toSorted(), body }
    }
    const known = 'known@example.com'
    const unknown = 'unknown@example.com'
    const wrong = { password: 'not the password at all' }
    expect(shape(await post('login', { email: unknown, ...wrong }))).toEqual(
      shape(await post('login', { email: known, ...wrong })),
    )
    expect(shape(await post('register', { email: unknown, password }))).toEqual(
      shape(await post('register', { email: known, password })),
    )
    expect(shape(await post('password/forgot', { email: unknown }))).toEqual(
      shape(await post('password/forgot', { email: known })),
    )
  })

  it('gets a new password by e-mail, or with the current one', async () => {
    const email = 'changing@example.com'
    const first = await signUp(email)
    await post('password/forgot', { email })
    const reset = { code: mailedCode(), new_password: 'a password set by mail' }
    expect((await post('password/reset', reset)).status).toBe(204)
    expect(codeOf(await post('password/reset', reset))).toBe('invalid_token')
    expect((await post('refresh', { refresh_token: first.refresh_token })).status).toBe(401)
    const second = sessionOf(await post('login', { email, password: reset.new_password }))
    const change = { current_password: reset.new_password, new_password: 'and yet another one' }
    const call = as(second.access_token)
    expect((await call('POST', '/api/v1/auth/password/change', { body: change })).status).toBe(204)
    expect(codeOf(await post('login', { email, password: reset.new_password }))).toBe('invalid_credentials')
    sessionOf(await post('refresh', { refresh_token: second.refresh_token }))
  })

  it('gets a second factor, which its sign-ins then ask for', async () => {
    const email = 'factor@example.com'
    const call = as((await signUp(email)).access_token)
    const enrolled = await call('POST', '/api/v1/auth/totp/enroll', { body: { password } })
    expect(enrolled.json()).toMatchObject({
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      otpauth_uri: expect.stringMatching(/^otpauth:\/\/totp\//),
    })
    const wrong = await call('POST', '/api/v1/auth/totp/confirm', { body: { code: 'no code' } })
    expect([wrong.status, codeOf(wrong)]).toEqual([401, 'invalid_code'])
    await edge.sql(`update identity.accounts set totp_confirmed_at = now() where email = $1`, [email])
    expect(codeOf(await post('login', { email, password }))).toBe('totp_required')
    expect(codeOf(await post('login', { email, password, code: '000000' }))).toBe('invalid_code')
  })

  it('keeps its data apart from another’s', async () => {
    const [one, two] = [await signUp('one@example.com'), await signUp('two@example.com')]
    const created = await as(one.access_token)('POST', '/api/v1/plaid/link/token/create', { body: {} })
    expect(created.status).toBe(200)
    const sessions = z.object({ data: z.array(z.object({ id: z.string() })) })
    const theirs = sessions.parse((await as(two.access_token)('GET', '/api/v1/auth/sessions')).json()).data[0]?.id
    expect((await as(one.access_token)('DELETE', `/api/v1/auth/sessions/${theirs}`)).status).toBe(404)
    sessionOf(await post('refresh', { refresh_token: two.refresh_token }))
  })
})

describe('a token for reading', () => {
  it('reads, and changes nothing on any route', async () => {
    await signUp('reader@example.com')
    const grant = sessionOf(await post('login', { email: 'reader@example.com', password, scope: 'read' }))
    const call = as(grant.access_token)
    for (const path of ['accounts', 'transactions', 'plaid/items', 'auth/sessions'])
      expect((await call('GET', `/api/v1/${path}`)).status).toBe(200)
    const id = crypto.randomUUID()
    const changes = [
      ['POST', 'plaid/link/token/create'],
      ['POST', 'plaid/sync/all'],
      ['POST', `plaid/items/${id}/repaired`],
      ['DELETE', `plaid/items/${id}`],
      ['PATCH', `transactions/${id}`],
      ['POST', 'auth/logout-all'],
      ['POST', 'auth/password/change'],
      ['POST', 'auth/totp/enroll'],
      ['DELETE', `auth/sessions/${id}`],
    ] as const
    for (const [method, path] of changes) {
      const answer = await call(method, `/api/v1/${path}`)
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 403, 'forbidden'])
    }
  })
})

describe('a browser', () => {
  const page = { origin: ours }
  const cookieLogin = { email: 'browser@example.com', password, transport: 'cookie' }
  beforeAll(async () => {
    await signUp('browser@example.com')
  })

  it('keeps its refresh token in a cookie that scripts do not see', async () => {
    const entered = await post('login', cookieLogin, page)
    expect(sessionOf(entered).refresh_token).toBeUndefined()
    const { pair, attributes } = cookieOf(entered)
    expect(attributes).toEqual(['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=604800'])
    const renewed = await post('refresh', {}, { ...page, cookie: pair })
    expect(sessionOf(renewed).refresh_token).toBeUndefined()
    const next = cookieOf(renewed).pair
    expect(next).not.toBe(pair)
    const left = await post('logout', {}, { ...page, cookie: next })
    expect(left.status).toBe(204)
    expect(cookieOf(left)).toMatchObject({ pair: 'refresh_token=', attributes: expect.arrayContaining(['Max-Age=0']) })
    expect((await post('refresh', {}, { ...page, cookie: next })).status).toBe(401)
  })

  it('is recognised by a device cookie at its next sign-in while attackers flood the account', async () => {
    const besieged = { ...cookieLogin, email: 'besieged@example.com' }
    await signUp(besieged.email)
    const entered = await post('login', besieged, page)
    expect(sessionOf(entered).device_token).toBeUndefined()
    const device = cookieOf(entered, 'device_token')
    expect(device.attributes).toEqual(['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=15552000'])
    const flood = (headers: Record<string, string>) => post('login', { ...besieged, password: 'a guess' }, headers)
    for (let guess = 0; guess < 10; guess += 1) expect((await flood(page)).status).toBe(401)
    expect((await flood(page)).status).toBe(429)
    expect((await post('login', besieged, page)).status).toBe(429)
    const again = await post('login', besieged, { ...page, cookie: device.pair })
    expect(cookieOf(again, 'device_token').pair).not.toBe(device.pair)
    const inBody = { email: besieged.email, password }
    expect((await post('login', inBody, { cookie: device.pair })).status).toBe(429)
    const token = device.pair.slice('device_token='.length)
    const withToken = sessionOf(await post('login', { ...inBody, device_token: token }))
    expect(withToken.device_token).toMatch(/^[\w-]{72}$/)
  })

  it('may bring cookies to the routes of accounts alone, and only from our pages', async () => {
    const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' }
    const ask = async (path: string, origin: string) =>
      (await edge.call('OPTIONS', path, { headers: { ...preflight, origin } })).headers
    const allowed = await ask('/api/v1/auth/refresh', ours)
    expect(allowed.get('access-control-allow-credentials')).toBe('true')
    expect(allowed.get('access-control-allow-origin')).toBe(ours)
    expect((await ask('/api/v1/accounts', ours)).get('access-control-allow-credentials')).toBeNull()
    for (const origin of ['https://evil.test', 'null', `${ours}.evil.test`, 'http://app.example.com']) {
      const refused = await ask('/api/v1/auth/refresh', origin)
      expect(refused.get('access-control-allow-credentials')).toBeNull()
      expect(refused.get('access-control-allow-origin')).toBeNull()
    }
  })

  it.each([undefined, 'https://evil.test', 'null', `${ours}.evil.test`, 'http://app.example.com'])(
    'gets nothing by a cookie on a page of %s, and uses no token',
    async (origin) => {
      const { pair } = cookieOf(await post('login', cookieLogin, page))
      const foreign: Record<string, string> = origin === undefined ? {} : { origin }
      for (const path of ['refresh', 'logout']) {
        const answer = await post(path, {}, { ...foreign, cookie: pair })
        expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null])
      }
      const planted = await post('login', cookieLogin, foreign)
      expect([planted.status, planted.headers.get('set-cookie')]).toEqual([403, null])
      sessionOf(await post('refresh', {}, { ...page, cookie: pair }))
    },
  )

  it('needs no body to refresh and to sign out', async () => {
    const { pair } = cookieOf(await post('login', cookieLogin, page))
    const renewed = await edge.call('POST', '/api/v1/auth/refresh', { headers: { ...page, cookie: pair } })
    sessionOf(renewed)
    const cookie = cookieOf(renewed).pair
    const left = await edge.call('POST', '/api/v1/auth/logout', { headers: { ...page, cookie } })
    expect([left.status, cookieOf(left).pair]).toEqual([204, 'refresh_token='])
    expect((await post('refresh', {}, { ...page, cookie })).status).toBe(401)
    expect((await edge.call('POST', '/api/v1/auth/refresh')).status).toBe(401)
  })

  it('gets no cookie on another site, and an error that explains why', async () => {
    for (const [path, body] of [
      ['login', cookieLogin],
      ['verify-email', { code: 'x', password, transport: 'cookie' }],
    ] as const) {
      const refused = await post(path, body, { ...page, 'sec-fetch-site': 'cross-site' })
      expect([refused.status, refused.headers.get('set-cookie')]).toEqual([403, null])
      expect(refused.text).toContain('different sites')
    }
    const inBody = await post(
      'login',
      { ...cookieLogin, transport: 'body' },
      { ...page, 'sec-fetch-site': 'cross-site' },
    )
    expect(sessionOf(inBody).refresh_token).toBeDefined()
    cookieOf(await post('login', cookieLogin, { ...page, 'sec-fetch-site': 'same-site' }))
  })

  it('sends no form: a body that is no JSON is refused before the cookie is looked at', async () => {
    const { pair } = cookieOf(await post('login', cookieLogin, page))
    const headers = { ...page, cookie: pair, 'content-type': 'text/plain' }
    expect((await edge.call('POST', '/api/v1/auth/refresh', { body: '{}', headers })).status).toBe(415)
    expect((await edge.call('POST', '/api/v1/auth/logout', { headers })).status).toBe(400)
    sessionOf(await post('refresh', {}, { ...page, cookie: pair }))
  })
})

describe('passwords, codes and tokens', () => {
  it('is in no log line, except the code of an e-mail that development does not send', () => {
    const lines = edge.lines().join('\n')
    expect(lines).not.toContain(password)
    const tokens = edge.answers.flatMap((answer) => {
      const found = session.safeParse(answer.status === 200 ? answer.json() : null)
      return found.success
        ? [found.data.access_token, found.data.refresh_token ?? '', found.data.device_token ?? '']
        : []
    })
    expect(tokens.length).toBeGreaterThan(10)
    for (const token of tokens.filter((one) => one !== '')) expect(lines).not.toContain(token)
    expect(lines).not.toContain('@example.com')
  })
})
