// A new password, by the old one or by a mail. Whoever had the old one is out: other sessions end with it.
import type { Ctx, User } from '../context.ts'
import * as identity from '../db/identity/passwords.ts'
import { answerByMail } from './answer-by-mail.ts'
import { newCode, readCode } from './codes.ts'
import { spendHash } from './hash-budget.ts'
import { notify } from './notify.ts'
import { checkNewPassword } from './password.ts'
import { passwordResetSeconds } from './policy.ts'
import { reauthenticate } from './reauthenticate.ts'
import { invalidToken, sessionOver } from './errors.ts'
import { sessionOf } from './session.ts'
import { mails, strayMails, networkIn } from './throttles.ts'
import { identityServices } from './services.ts'

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
  const tools = await identityServices(ctx.services)
  const { email, passwordHash, admitted } = await reauthenticate(ctx, current)
  checkNewPassword(replacement, email, '#/new_password')
  const newHash = await tools.passwords.hash(replacement)
  const key = sessionOf(ctx)
  const isChanged = await identity.changePassword(tools.database, key, passwordHash, newHash, admitted)
  if (!isChanged) throw sessionOver('ended, or the password changed meanwhile')
  await notify(tools, 'password_changed', email, ctx.log)
}

/**
 * Sends a mail, with a code where the address has an account: the same answer and the same round trip. Within limits;
 * beyond them nothing is sent.
 * @throws AppError `unavailable`
 */
export async function forgotPassword(ctx: Ctx, email: string): Promise<void> {
  const { database, mailsPerHour } = await identityServices(ctx.services)
  const code = await newCode('reset-password')
  const wish = { email, tokenHash: code.hash, ttlSeconds: passwordResetSeconds }
  const buckets = mails('forgot', email, networkIn(ctx), mailsPerHour)
  const { hasAccount, spent } = await identity.forgotPassword(database, wish, buckets, strayMails(email))
  await answerByMail(
    ctx,
    hasAccount ? { kind: 'reset_password', to: email, code: code.text } : { kind: 'no_account', to: email },
    spent,
  )
}

/**
 * Sets the password by a mailed code and ends every session. A second factor stays: signing in still asks for it.
 * @throws AppError `invalid_token`, `validation_failed`, `rate_limited`, `unavailable`
 */
export async function resetPassword(
  ctx: Ctx,
  { code, password }: { readonly code: string; readonly password: string },
): Promise<void> {
  checkNewPassword(password, null, '#/new_password')
  const { services, log, note } = ctx
  const tools = await identityServices(services)
  const tokenHash = await readCode('reset-password', code)
  if (tokenHash === null) throw invalidToken('malformed')
  const email = await identity.findReset(tools.database, tokenHash)
  if (email === null) throw invalidToken('unknown, used or expired')
  note?.({ email })
  checkNewPassword(password, email, '#/new_password')
  await spendHash(ctx)
  const changed = await identity.resetPassword(tools.database, tokenHash, await tools.passwords.hash(password))
  if (changed === null) throw invalidToken('used meanwhile')
  await notify(tools, 'password_reset', email, log)
}
