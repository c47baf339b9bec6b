// Which pages may begin, continue and end a session at the identity provider. No browser: the headers are what browsers send.
import { describe, expect, it } from 'vitest'
import {
  providerSessionRoute,
  providerSignInRoute,
  providerSignOutRoute,
} from '../../../src/http/routes/console-provider.ts'
import { sessionCookies } from '../../../src/http/provider-cookies.ts'
import type { Route } from '../../../src/http/route.ts'
import { createLogger } from '../../../src/monitoring/logger.ts'
import { issuer, json, origin, scriptedProvider } from '../oidc/scripted-provider.ts'
import { servicesOf, withSilentJobs } from './serve-app.ts'

type Headers_ = Readonly<Record<string, string>>

async function consoleWithProvider() {
  const scripted = await scriptedProvider()
  const services = withSilentJobs(servicesOf())
  const pages = { bankUrl: null, demoUser: null, demoOperator: null, origin, provider: null }
  const config = { ...services.config, strict: true, console: pages }
  const ctx = {
    services: { ...services, config, provider: () => Promise.resolve(scripted.provider) },
    actor: { kind: 'anonymous' },
    requestId: 'r',
    now: () => new Date(scripted.clock.nowMs),
    log: createLogger({}, { sink: () => {} }),
  } as const
  const call = async (route: Route, headers: Headers_) =>
    await route.respond(ctx, {
      params: {},
      query: new URLSearchParams(),
      headers: new Headers(headers),
      readBody: () => Promise.resolve(new Uint8Array()),
    })
  /** The cookies of a browser that has signed in. */
  const signIn = async (): Promise<string> => {
    const { state, nonce, sealed } = await scripted.begin()
    const tokens = {
      access_token: await scripted.accessToken(),
      id_token: await scripted.idToken({ nonce }),
      refresh_token: 'refresh-1',
      token_type: 'Bearer',
    }
    scripted.answers.token = () => json(tokens)
    const callback = new URLSearchParams({ code: 'code-1', state, iss: issuer })
    const { session } = await scripted.provider.complete(callback, () => sealed)
    const browser = 'B'.repeat(43)
    const cookies = sessionCookies(config, {
      sealed: await scripted.provider.seal(session, browser),
      browser,
      maxAgeSeconds: 60,
    })
    return cookies.map((cookie) => cookie.split(';')[0]).join('; ')
  }
  return { scripted, call, signIn }
}

const { scripted, call, signIn } = await consoleWithProvider()

/** A page of another site, of another host of this site, and one of this host over http. */
const others: readonly Headers_[] = [
  {},
  { 'sec-fetch-site': 'same-origin' },
  { origin: 'https://evil.test' },
  { origin: origin.replace('https:', 'http:') },
  { origin: 'null', 'sec-fetch-site': 'same-origin' },
  { origin, 'sec-fetch-site': 'cross-site' },
  { origin, 'sec-fetch-site': 'same-site' },
  { origin, 'sec-fetch-site': 'none' },
]
const own: readonly Headers_[] = [{ origin }, { origin, 'sec-fetch-site': 'same-origin' }]

describe('a sign-in', () => {
  it.each(['cross-site', 'same-site', 'unknown'])('is not begun by a page of another origin: %s', async (site) => {
    const before = scripted.calls.length
    expect(await call(providerSignInRoute, { 'sec-fetch-site': site })).toEqual({
      status: 303,
      headers: { location: `${origin}/`, 'set-cookie': [] },
    })
    expect(scripted.calls.length).toBe(before)
  })

  it.each<Headers_>([{}, { 'sec-fetch-site': 'none' }, { 'sec-fetch-site': 'same-origin' }])(
    'begins from the console and from the address bar: %o',
    async (headers) => {
      const { status, headers: given } = await call(providerSignInRoute, headers)
      expect([status, String(given?.['location']).startsWith(`${issuer}/authorize?`)]).toEqual([303, true])
      expect(given?.['set-cookie']).toHaveLength(1)
    },
  )
})

describe.each([
  ['continues', providerSessionRoute],
  ['ends', providerSignOutRoute],
] as const)('the route that %s a session', (_what, route) => {
  it.each(others)('is closed to every other page, which costs the provider nothing: %o', async (headers) => {
    const cookie = await signIn()
    const before = scripted.calls.length
    await expect(call(route, { ...headers, cookie })).rejects.toMatchObject({ code: 'forbidden', reason: 'origin' })
    expect(scripted.calls.length).toBe(before)
  })

  it.each(own)('is open to the console: %o', async (headers) => {
    const cookie = await signIn()
    const before = scripted.calls.length
    expect((await call(route, { ...headers, cookie })).status).toBe(200)
    expect(scripted.calls.length).toBeGreaterThan(before)
  })
})
