// Built-in accounts of signed-in users: password, second factor, sessions. Each route checks that the session of the access
// token is live.
import * as z from 'zod'
import { id, instant, timeText } from '../../schemas.ts'
import { listResponse } from '../../pagination.ts'
import { route } from '../../route.ts'
import { newPassword, password, secondFactorCode } from './sign-in.ts'

const tags = ['auth']
const limit = 'auth' as const
const access = 'user' as const

export const logoutAllRoute = route({
  id: 'logoutAll',
  keys: 'refused',
  audit: ['sessions_ended'],
  event: 'session_end',
  method: 'POST',
  path: '/api/v1/auth/logout-all',
  summary: 'End all sessions',
  tags,
  access,
  limit,
  answers: { 204: null },
  errors: [],
}).handle(async (ctx) => {
  const { logOutEverywhere } = await import('../../../identity/logout.ts')
  await logOutEverywhere(ctx)
  return { status: 204 }
})

export const changePasswordRoute = route({
  id: 'changePassword',
  keys: 'refused',
  audit: ['password_changed'],
  event: 'password_change',
  method: 'POST',
  path: '/api/v1/auth/password/change',
  summary: 'Change the password',
  tags,
  access,
  limit,
  body: z.strictObject({ current_password: password, new_password: newPassword }),
  answers: { 204: null },
  errors: ['invalid_credentials'],
}).handle(async (ctx, { body }) => {
  const { changePassword } = await import('../../../identity/change-password.ts')
  await changePassword(ctx, { current: body.current_password, replacement: body.new_password })
  return { status: 204 }
})

export const enrollTotpRoute = route({
  id: 'enrollTotp',
  keys: 'refused',
  audit: ['totp_enrolled'],
  event: 'second_factor_enrollment',
  method: 'POST',
  path: '/api/v1/auth/totp/enroll',
  summary: 'Enroll an authenticator app',
  tags,
  access,
  limit,
  body: z.strictObject({ password }),
  answers: {
    200: z
      .object({
        secret: z.string().describe('The secret in base32, to type into the app.'),
        otpauth_uri: z.string().describe('The secret as a URI, to show as a QR code.'),
      })
      .meta({ id: 'TotpSecret' }),
  },
  errors: ['conflict', 'invalid_credentials'],
}).handle(async (ctx, { body }) => {
  const { enrollTotp } = await import('../../../identity/manage-totp.ts')
  const { secret, uri } = await enrollTotp(ctx, body.password)
  return { status: 200, body: { secret, otpauth_uri: uri } }
})

export const confirmTotpRoute = route({
  id: 'confirmTotp',
  keys: 'refused',
  audit: ['totp_enabled'],
  event: 'second_factor_activation',
  method: 'POST',
  path: '/api/v1/auth/totp/confirm',
  summary: 'Confirm an authenticator app',
  tags,
  access,
  limit,
  body: z.strictObject({ code: secondFactorCode }),
  answers: {
    200: z
      .object({ recovery_codes: z.array(z.string()).describe('Each code works once in place of a code from the app.') })
      .meta({ id: 'RecoveryCodes' }),
  },
  errors: ['conflict', 'invalid_code'],
}).handle(async (ctx, { body }) => {
  const { confirmTotp } = await import('../../../identity/manage-totp.ts')
  const { recoveryCodes } = await confirmTotp(ctx, body.code)
  return { status: 200, body: { recovery_codes: recoveryCodes } }
})

export const disableTotpRoute = route({
  id: 'disableTotp',
  keys: 'refused',
  audit: ['totp_disabled'],
  event: 'second_factor_removal',
  method: 'POST',
  path: '/api/v1/auth/totp/disable',
  summary: 'Disable the second factor',
  tags,
  access,
  limit,
  body: z.strictObject({ password, code: secondFactorCode }),
  answers: { 204: null },
  errors: ['conflict', 'invalid_code', 'invalid_credentials'],
}).handle(async (ctx, { body }) => {
  const { disableTotp } = await import('../../../identity/manage-totp.ts')
  await disableTotp(ctx, body)
  return { status: 204 }
})

const sessionSchema = z
  .object({
    id,
    current: z.boolean().describe('Whether this session sent the request.'),
    scope: z.string(),
    created_at: instant,
    last_used_at: instant.describe('When the session was refreshed last.'),
    expires_at: instant.describe('When the session ends unless it is used.'),
  })
  .meta({ id: 'SignedInSession' })

export const listSessionsRoute = route({
  id: 'listSessions',
  keys: 'refused',
  method: 'GET',
  path: '/api/v1/auth/sessions',
  summary: 'List sessions',
  tags,
  access,
  limit,
  answers: { 200: listResponse(sessionSchema, 'SessionList') },
  errors: [],
}).handle(async (ctx) => {
  const { listSessions } = await import('../../../identity/logout.ts')
  const sessions = await listSessions(ctx)
  const view = sessions.map((session) => ({
    id: session.id,
    current: session.current,
    scope: session.scope,
    created_at: timeText(session.createdAt),
    last_used_at: timeText(session.lastUsedAt),
    expires_at: timeText(session.expiresAt),
  }))
  return { status: 200, body: { data: view, next_cursor: null } }
})

export const endSessionRoute = route({
  id: 'endSession',
  keys: 'refused',
  audit: ['session_ended'],
  event: 'session_end',
  method: 'DELETE',
  path: '/api/v1/auth/sessions/{id}',
  summary: 'End a session',
  tags,
  access,
  limit,
  params: z.object({ id }),
  answers: { 204: null },
  errors: ['not_found'],
}).handle(async (ctx, { params }) => {
  const { endSession } = await import('../../../identity/logout.ts')
  await endSession(ctx, params.id)
  return { status: 204 }
})
