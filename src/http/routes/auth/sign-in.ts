// Built-in accounts of anonymous clients: register, verify, sign in, refresh, sign out, reset passwords. Use cases are loaded
// with import(), so that a deployment with an OIDC issuer does not load them.
import * as z from 'zod'
import type { Ctx } from '../../../context.ts'
import { AppError, type ErrorCode } from '../../../errors.ts'
import type { SessionGrant, SignedIn } from '../../../identity/session.ts'
import { line } from '../../schemas.ts'
import {
  cookieHeaders,
  deviceCookie,
  readDeviceCookie,
  readRefreshCookie,
  refreshCookie,
  requireCookiePage,
} from '../../refresh-cookie.ts'
import { publicRoute } from '../../route.ts'

const tags = ['auth']
const limit = 'auth' as const
const method = 'POST' as const
/** The errors of every route with a body. */
const ofBodies = [
  'bad_request',
  'payload_too_large',
  'unsupported_media_type',
  'validation_failed',
] as const satisfies readonly ErrorCode[]

/** ASCII, compared in lower case: look-alike spellings cannot be two accounts. */
export const email = z
  .string()
  .max(254)
  .transform((text) => text.toLowerCase())
  .pipe(z.email({ error: 'Must be an e-mail address.' }))
/** Unchanged; src/identity checks the strength of a new one. */
export const password = line(256)
export const newPassword = line(256).min(15).describe('At least 15 characters, of any kind.')
/** From an e-mail, in any case and grouping. */
const mailCode = line(64).describe('The code from the e-mail.')
export const secondFactorCode = line(64).describe('Six digits from the authenticator app, or a recovery code.')
const transport = z
  .enum(['body', 'cookie'])
  .default('body')
  .describe('Where the refresh token is returned: in the body, or for browsers in an HttpOnly cookie.')

const sessionSchema = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().describe('Seconds until the access token expires.'),
    refresh_token: z.string().optional().describe('The refresh token. Works once. Absent with `transport: "cookie"`.'),
    device_token: z
      .string()
      .optional()
      .describe('Identifies this device. Send it with the next sign-in. Absent with `transport: "cookie"`.'),
  })
  .meta({ id: 'Session' })

const mailedSchema = z.object({ status: z.literal('mail_sent') }).meta({ id: 'MailSent' })

type Transport = z.output<typeof transport>

/** The response with a session. */
function sessionResponse({ services: { config } }: Ctx, grant: SessionGrant, by: Transport) {
  const { accessToken, expiresInSeconds, refreshToken, refreshExpiresInSeconds } = grant
  const body = { access_token: accessToken, token_type: 'Bearer', expires_in: expiresInSeconds } as const
  if (by === 'body') return { status: 200, body: { ...body, refresh_token: refreshToken } } as const
  const headers = { 'set-cookie': refreshCookie(config, refreshToken, refreshExpiresInSeconds) }
  return { status: 200, body, headers } as const
}

/** The response with a new session and the device token for the next sign-in. */
function signInResponse(ctx: Ctx, signedIn: SignedIn, by: Transport) {
  const { deviceToken, deviceExpiresInSeconds } = signedIn
  const answer = sessionResponse(ctx, signedIn, by)
  if (!('headers' in answer)) return { ...answer, body: { ...answer.body, device_token: deviceToken } }
  const cookies = [answer.headers['set-cookie'], deviceCookie(ctx.services.config, deviceToken, deviceExpiresInSeconds)]
  return { ...answer, headers: { 'set-cookie': cookies } }
}

/** Sets cookies for allowed pages only: another page could sign its visitor in as the attacker. */
function requirePageFor(by: Transport, ctx: Ctx, headers: z.output<typeof cookieHeaders>): void {
  if (by === 'cookie') requireCookiePage(ctx.services.config, headers)
}

export const registerRoute = publicRoute({
  id: 'register',
  audit: ['registration_requested'],
  event: 'registration',
  method,
  path: '/api/v1/auth/register',
  summary: 'Register an account',
  tags,
  limit,
  body: z.strictObject({ email, password: newPassword }),
  answers: { 202: mailedSchema },
  errors: ofBodies,
}).handle(async (ctx, { body }) => {
  ctx.note?.({ email: body.email })
  const { register } = await import('../../../identity/register.ts')
  await register(ctx, body)
  return { status: 202, body: { status: 'mail_sent' } }
})

export const verifyEmailRoute = publicRoute({
  id: 'verifyEmail',
  audit: ['account_created'],
  event: 'email_verification',
  method,
  path: '/api/v1/auth/verify-email',
  summary: 'Verify an e-mail address',
  tags,
  limit,
  headers: cookieHeaders,
  body: z.strictObject({ code: mailCode, password, transport }),
  answers: { 200: sessionSchema },
  errors: [...ofBodies, 'forbidden', 'invalid_credentials', 'invalid_token'],
}).handle(async (ctx, { body, headers }) => {
  requirePageFor(body.transport, ctx, headers)
  const { verifyEmail } = await import('../../../identity/verify-email.ts')
  return signInResponse(ctx, await verifyEmail(ctx, body), body.transport)
})

export const loginRoute = publicRoute({
  id: 'login',
  audit: ['signed_in'],
  event: 'sign_in',
  method,
  path: '/api/v1/auth/login',
  summary: 'Sign in',
  tags,
  limit,
  headers: cookieHeaders,
  body: z.strictObject({
    email,
    password,
    code: secondFactorCode.optional(),
    scope: z
      .enum(['full', 'read'])
      .default('full')
      .describe('The rights of the session. A `read` session cannot change anything.'),
    device_token: line(200).optional().describe('The `device_token` of an earlier sign-in on this device.'),
    transport,
  }),
  answers: { 200: sessionSchema },
  errors: [...ofBodies, 'forbidden', 'invalid_code', 'invalid_credentials', 'totp_required'],
}).handle(async (ctx, { body, headers }) => {
  requirePageFor(body.transport, ctx, headers)
  ctx.note?.({ email: body.email })
  const { login } = await import('../../../identity/login.ts')
  const inCookie = body.transport === 'cookie' ? readDeviceCookie(ctx.services.config, headers.cookie) : null
  const deviceToken = body.device_token ?? inCookie
  const credentials = { ...body, code: body.code ?? null, deviceToken }
  return signInResponse(ctx, await login(ctx, credentials), body.transport)
})

const givenToken = z.strictObject({
  refresh_token: line(200).optional().describe('The refresh token. Without it, the cookie is used.'),
})

/**
 * The refresh token of a request, from the body or the cookie.
 * @throws AppError `forbidden` for a cookie from another origin
 */
function refreshTokenIn(
  { services: { config } }: Ctx,
  { refresh_token }: z.output<typeof givenToken>,
  headers: z.output<typeof cookieHeaders>,
): { token: string | null; by: Transport } {
  if (refresh_token !== undefined) return { token: refresh_token, by: 'body' }
  const token = readRefreshCookie(config, headers.cookie)
  if (token !== null) requireCookiePage(config, headers)
  return { token, by: 'cookie' }
}

export const refreshRoute = publicRoute({
  id: 'refreshSession',
  audit: { none: 'It continues a session. The use of an earlier refresh token is recorded: session_reused.' },
  event: 'session_refresh',
  method,
  path: '/api/v1/auth/refresh',
  summary: 'Refresh a session',
  tags,
  limit: 'refresh',
  headers: cookieHeaders,
  body: givenToken,
  bodyOptional: true,
  answers: { 200: sessionSchema },
  errors: [...ofBodies, 'forbidden', 'unauthorized'],
}).handle(async (ctx, { body, headers }) => {
  const { token, by } = refreshTokenIn(ctx, body, headers)
  if (token === null) throw new AppError('unauthorized', 'A refresh token is required.', { reason: 'no refresh token' })
  const { refresh } = await import('../../../identity/refresh.ts')
  return sessionResponse(ctx, await refresh(ctx, token), by)
})

export const logoutRoute = publicRoute({
  id: 'logout',
  audit: ['signed_out'],
  event: 'sign_out',
  method,
  path: '/api/v1/auth/logout',
  summary: 'Sign out',
  tags,
  limit,
  headers: cookieHeaders,
  body: givenToken,
  bodyOptional: true,
  answers: { 204: null },
  errors: [...ofBodies, 'forbidden'],
}).handle(async (ctx, { body, headers }) => {
  const { token, by } = refreshTokenIn(ctx, body, headers)
  const { logOut } = await import('../../../identity/logout.ts')
  await logOut(ctx, token)
  if (by === 'body') return { status: 204 }
  return { status: 204, headers: { 'set-cookie': refreshCookie(ctx.services.config, '', 0) } }
})

export const forgotPasswordRoute = publicRoute({
  id: 'forgotPassword',
  audit: ['password_reset_requested'],
  event: 'password_reset_request',
  method,
  path: '/api/v1/auth/password/forgot',
  summary: 'Request a password reset',
  tags,
  limit,
  body: z.strictObject({ email }),
  answers: { 202: mailedSchema },
  errors: ofBodies,
}).handle(async (ctx, { body }) => {
  ctx.note?.({ email: body.email })
  const { forgotPassword } = await import('../../../identity/change-password.ts')
  await forgotPassword(ctx, body.email)
  return { status: 202, body: { status: 'mail_sent' } }
})

export const resetPasswordRoute = publicRoute({
  id: 'resetPassword',
  audit: ['password_reset'],
  event: 'password_reset',
  method,
  path: '/api/v1/auth/password/reset',
  summary: 'Reset a password',
  tags,
  limit,
  body: z.strictObject({ code: mailCode, new_password: newPassword }),
  answers: { 204: null },
  errors: [...ofBodies, 'invalid_token'],
}).handle(async (ctx, { body }) => {
  const { resetPassword } = await import('../../../identity/change-password.ts')
  await resetPassword(ctx, { code: body.code, password: body.new_password })
  return { status: 204 }
})
