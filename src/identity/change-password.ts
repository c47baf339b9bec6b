// A new password, by the old one or by a mail. Whoever had the old one is out: other sessions end with it.
import type { Ctx, User } from '../context.ts'
import * as identity from '../db/identity-passwords.ts'
import { newCode, readCode } from './codes.ts'
import { checkNewPassword } from './password.ts'
import { mailThrottle, passwordResetSeconds } from './policy.ts'
import { reauthenticate } from './reauthenticate.ts'
import { invalidToken, requirePlace, sessionOver } from './refusals.ts'
import { sessionOf } from './session.ts'
import { toolsOf } from './tools.ts'

/**
 * Ends every session but the caller's.
 * @throws AppError `invalid_credentials` (the current password), `validation_failed` (the new one), `rate_limited`,
 *   `unauthorized`
 */
export async function changePassword(
  ctx: Ctx<User>,
  { current, replacement }: { readonly current: string; readonly replacement: string },
): Promise<void> {
  checkNewPassword(replacement, null, '#/new_password')
  const { passwords } = await toolsOf(ctx.services)
  const { email, passwordHash } = await reauthenticate(ctx, current)
  checkNewPassword(replacement, email, '#/new_password')
  const newHash = await passwords.hash(replacement)
  const isChanged = await identity.changePassword(ctx.services.api, sessionOf(ctx), passwordHash, newHash)
  if (!isChanged) throw sessionOver('ended, or the password changed meanwhile')
}

/**
 * Sends a mail, with a code where the address has an account: the same answer and the same round trip.
 * @throws AppError `rate_limited` (mails to the address), `unavailable`
 */
export async function forgotPassword({ services, log }: Ctx, email: string): Promise<void> {
  const { sendMail } = await toolsOf(services)
  const code = await newCode('reset-password')
  const wish = { email, tokenHash: code.hash, ttlSeconds: passwordResetSeconds }
  const { retryAfterSeconds, hasAccount } = await identity.forgotPassword(services.api, wish, mailThrottle)
  requirePlace(retryAfterSeconds, 'too many mails')
  await sendMail(
    hasAccount ? { kind: 'reset_password', to: email, code: code.text } : { kind: 'no_account', to: email },
    log,
  )
}

/**
 * Sets the password by a mailed code and ends every session. A second factor stays: signing in still asks for it.
 * @throws AppError `invalid_token`, `validation_failed`
 */
export async function resetPassword(
  { services }: Ctx,
  { code, password }: { readonly code: string; readonly password: string },
): Promise<void> {
  checkNewPassword(password, null, '#/new_password')
  const { passwords } = await toolsOf(services)
  const tokenHash = await readCode('reset-password', code)
  if (tokenHash === null) throw invalidToken('malformed')
  const isReset = await identity.resetPassword(services.api, tokenHash, await passwords.hash(password))
  if (!isReset) throw invalidToken('unknown, used or expired')
}
