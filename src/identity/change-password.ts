// Changes a password, with the current one or by e-mail. Ends other sessions, because someone else may know the old
// password.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import * as store from '../db/identity/passwords.ts'
import { closeSockets } from '../live/announce.ts'
import { answerByMail } from './answer-by-mail.ts'
import { newCode, readCode } from './codes.ts'
import { spendHash } from './hash-budget.ts'
import { notify } from './notify.ts'
import { checkNewPassword } from './password.ts'
import { passwordResetSeconds } from './policy.ts'
import { reauthenticate } from './reauthenticate.ts'
import { invalidToken, sessionEnded } from './errors.ts'
import { sessionOf } from './session.ts'
import { mails, mailsWithoutAccount, networkIn } from './throttles.ts'
import { identityServices } from './services.ts'

/**
 * Changes the password and ends every other session.
 * @throws AppError `invalid_credentials` (the current password), `validation_failed` (the new one), `rate_limited`,
 *   `unauthorized`
 */
export async function changePassword(
  ctx: Ctx<User>,
  { current, replacement }: { readonly current: string; readonly replacement: string },
): Promise<void> {
  checkNewPassword(replacement, null, '#/new_password')
  const identity = await identityServices(ctx.services)
  const { email, passwordHash, admitted } = await reauthenticate(ctx, current)
  checkNewPassword(replacement, email, '#/new_password')
  const newHash = await identity.passwords.hash(replacement)
  const key = sessionOf(ctx)
  const row = await audit(ctx, { action: 'password_changed', target: null })
  const isChanged = await store.changePassword(identity.database, key, passwordHash, newHash, admitted, row)
  if (!isChanged) throw sessionEnded('ended, or the password changed meanwhile')
  await closeSockets(ctx, ctx.actor.identity, 'signed_out')
  await notify(identity, 'password_changed', email, ctx.log)
}

/**
 * Sends an e-mail, with a code if the address has an account; response and round trips are the same without one. Sends
 * nothing beyond the limits.
 * @throws AppError `unavailable`
 */
export async function forgotPassword(ctx: Ctx, email: string): Promise<void> {
  const { database, mailsPerHour } = await identityServices(ctx.services)
  const code = await newCode('reset-password')
  const wish = { email, tokenHash: code.hash, ttlSeconds: passwordResetSeconds }
  const buckets = mails('forgot', email, networkIn(ctx), mailsPerHour)
  const { hasAccount, spent } = await store.forgotPassword(
    database,
    wish,
    buckets,
    mailsWithoutAccount(email),
    await audit(ctx, { action: 'password_reset_requested', target: null, owner: { email } }),
  )
  await answerByMail(
    ctx,
    hasAccount ? { kind: 'reset_password', to: email, code: code.text } : { kind: 'no_account', to: email },
    spent,
  )
}

/**
 * Sets the password with a code from an e-mail and ends every session. A second factor stays active.
 * @throws AppError `invalid_token`, `validation_failed`, `rate_limited`, `unavailable`
 */
export async function resetPassword(
  ctx: Ctx,
  { code, password }: { readonly code: string; readonly password: string },
): Promise<void> {
  checkNewPassword(password, null, '#/new_password')
  const { services, log, note } = ctx
  const identity = await identityServices(services)
  const tokenHash = await readCode('reset-password', code)
  if (tokenHash === null) throw invalidToken('malformed')
  const email = await store.findReset(identity.database, tokenHash)
  if (email === null) throw invalidToken('unknown, used or expired')
  note?.({ email })
  checkNewPassword(password, email, '#/new_password')
  await spendHash(ctx)
  const row = await audit(ctx, { action: 'password_reset', target: null, owner: { email } })
  const newHash = await identity.passwords.hash(password)
  const changed = await store.resetPassword(identity.database, tokenHash, newHash, row)
  if (changed === null) throw invalidToken('used meanwhile')
  await notify(identity, 'password_reset', email, log)
}
