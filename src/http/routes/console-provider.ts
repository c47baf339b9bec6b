// Sign-in to the console with an identity provider. The provider's pages and these routes are all that a browser sees of it: the
// Worker exchanges the code. Not a part of the API: the description lists none of them.
import * as z from 'zod'
import type { Ctx } from '../../context.ts'
import { encodeBase64Url } from '../../crypto/encoding.ts'
import { AppError, type ErrorCode } from '../../errors.ts'
import type { Provider } from '../../oidc/provider.ts'
import { beginCookies, endAttempt, readAttempt, readSession, sessionCookies } from '../provider-cookies.ts'
import { publicRoute } from '../route.ts'
import { consoleOf, isOwnPage, noSuchPath, pageHeaders } from './console.ts'

const tags = ['console']
const browserBytes = 32

/** @throws AppError `not_found` with built-in accounts, without the console, and without a client at the provider */
async function providerOf(ctx: Ctx): Promise<Provider> {
  consoleOf(ctx)
  const { provider } = ctx.services
  if (provider === null) throw noSuchPath()
  return await provider()
}

const browserHeaders = z.object({
  cookie: z.string().max(32_768).optional(),
  'sec-fetch-site': z.string().max(40).optional(),
})

/** Where a browser goes after a sign-in, always a page of the console. */
const redirectTo = (ctx: Ctx, path: string, cookies: readonly string[]) =>
  ({ status: 303, headers: headersTo(`${consoleOf(ctx).origin}${path}`, cookies) }) as const

const headersTo = (location: string, cookies: readonly string[]) => ({ location, 'set-cookie': [...cookies] })

/** Shows the page why a sign-in failed. The log has the reason; the address has a word of a closed list. */
async function failedSignIn(ctx: Ctx, error: unknown, cookies: readonly string[] = []) {
  const { failureOf } = await import('../../oidc/failure.ts')
  const failure = failureOf(error)
  if (failure === null) throw error
  ctx.log.warn('console_sign_in_failed', { reason: failure.message })
  ctx.note?.({ event: 'authentication_refused' })
  return redirectTo(ctx, `/?sign_in_problem=${failure.problem}`, cookies)
}

export const providerSignInRoute = publicRoute({
  id: 'providerSignIn',
  method: 'GET',
  path: '/console/sign-in',
  summary: 'Begin a sign-in',
  tags,
  query: z.object({ return: z.string().max(2000).optional() }),
  headers: browserHeaders,
  answers: { 303: null },
  errors: ['not_found'],
}).handle(async (ctx, { query, headers }) => {
  const provider = await providerOf(ctx)
  const { 'sec-fetch-site': site = 'none', cookie } = headers
  // Another page must not begin a sign-in: its visitor would be signed in without having wanted it.
  if (site !== 'none' && site !== 'same-origin') return redirectTo(ctx, '/', [])
  try {
    const { location, id, sealed } = await provider.begin(query.return ?? null)
    const { attemptSeconds } = await import('../../oidc/sign-in.ts')
    const cookies = beginCookies(ctx.services.config, { id, sealed, maxAgeSeconds: attemptSeconds }, cookie)
    return { status: 303, headers: headersTo(location, cookies) } as const
  } catch (error) {
    return await failedSignIn(ctx, error)
  }
})

/** An error's description is text of anyone, and is not read. */
const parameter = z.string().max(4096).optional()
const callbackQuery = z.object({ code: parameter, state: parameter, iss: parameter, error: parameter })

export const providerCallbackRoute = publicRoute({
  id: 'providerCallback',
  event: 'sign_in',
  method: 'GET',
  path: '/console/callback',
  summary: 'Complete a sign-in',
  tags,
  limit: 'auth',
  query: callbackQuery,
  headers: browserHeaders,
  answers: { 303: null },
  errors: ['not_found'],
}).handle(async (ctx, { query, headers }) => {
  const provider = await providerOf(ctx)
  const { config } = ctx.services
  const { attemptId } = await import('../../oidc/sign-in.ts')
  // The sign-in ends here, with success or without: its cookie works once.
  const used = query.state === undefined ? [] : [endAttempt(config, await attemptId(query.state))]
  try {
    const callback = new URLSearchParams(
      Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined),
    )
    const { session, claims, returnTo } = await provider.complete(callback, (id) =>
      readAttempt(config, id, headers.cookie),
    )
    const browser = encodeBase64Url(crypto.getRandomValues(new Uint8Array(browserBytes)))
    const sealed = await provider.seal(session, browser)
    const maxAgeSeconds = secondsUntil(session.endsAtMs, ctx)
    ctx.note?.({ signedIn: { issuer: claims.issuer, subject: claims.subject } })
    return redirectTo(ctx, returnTo, [...used, ...sessionCookies(config, { sealed, browser, maxAgeSeconds })])
  } catch (error) {
    return await failedSignIn(ctx, error, used)
  }
})

const secondsUntil = (atMs: number, { now }: Ctx): number => Math.max(0, Math.floor((atMs - now().getTime()) / 1000))

const sessionHeaders = pageHeaders.extend({ cookie: z.string().max(32_768).optional() })

/** @throws AppError `forbidden` for every page but the console's own */
function requireOwnPage(ctx: Ctx, headers: z.output<typeof sessionHeaders>): void {
  if (!isOwnPage(ctx, headers)) throw new AppError('forbidden', 'Only the console may do this.', { reason: 'origin' })
}

const sessionErrors = [
  'bad_request',
  'forbidden',
  'not_found',
  'unauthorized',
  'unavailable',
] as const satisfies ErrorCode[]

export const providerSessionRoute = publicRoute({
  id: 'providerSession',
  audit: { none: 'The identity provider records it.' },
  event: 'session_refresh',
  method: 'POST',
  path: '/console/session',
  summary: 'Continue a session',
  tags,
  limit: 'refresh',
  headers: sessionHeaders,
  answers: {
    200: z.object({
      access_token: z.string(),
      token_type: z.literal('Bearer'),
      expires_in: z.int(),
      administrator: z.boolean(),
    }),
    204: null,
  },
  errors: sessionErrors,
}).handle(async (ctx, { headers }) => {
  const provider = await providerOf(ctx)
  requireOwnPage(ctx, headers)
  const { config } = ctx.services
  const cookies = readSession(config, headers.cookie)
  if (cookies === null) return { status: 204 }
  const { accessToken, claims, renewed } = await provider.continue(cookies)
  ctx.note?.({ signedIn: { issuer: claims.issuer, subject: claims.subject } })
  const body = {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: secondsUntil(claims.expiresAt.getTime(), ctx),
    administrator: claims.role === 'admin',
  } as const
  if (renewed === null) return { status: 200, body }
  const sealed = await provider.seal(renewed, cookies.browser)
  const maxAgeSeconds = secondsUntil(renewed.endsAtMs, ctx)
  return {
    status: 200,
    body,
    headers: { 'set-cookie': sessionCookies(config, { sealed, browser: cookies.browser, maxAgeSeconds }) },
  }
})

export const providerSignOutRoute = publicRoute({
  id: 'providerSignOut',
  audit: { none: 'The identity provider records it.' },
  event: 'sign_out',
  method: 'POST',
  path: '/console/session/end',
  summary: 'End a session',
  tags,
  limit: 'auth',
  headers: sessionHeaders,
  answers: { 200: z.object({ location: z.string().nullable() }) },
  errors: sessionErrors,
}).handle(async (ctx, { headers }) => {
  const provider = await providerOf(ctx)
  requireOwnPage(ctx, headers)
  const { config } = ctx.services
  const cookies = readSession(config, headers.cookie)
  const { location, failure } = cookies === null ? { location: null, failure: null } : await provider.end(cookies)
  if (failure !== null) ctx.log.warn('console_sign_out_incomplete', { reason: failure })
  const removed = sessionCookies(config, { sealed: '', browser: '', maxAgeSeconds: 0 })
  return { status: 200, body: { location }, headers: { 'set-cookie': removed } }
})

export const providerRoutes = [
  providerSignInRoute,
  providerCallbackRoute,
  providerSessionRoute,
  providerSignOutRoute,
] as const
