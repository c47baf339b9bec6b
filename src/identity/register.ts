// Registers an account: stores the request and sends an e-mail. The account is created when the address is verified. An
// address with an account gets another e-mail; response, hash and round trips are the same.
import { audit } from '../audit/audit.ts'
import type { Ctx } from '../context.ts'
import { beginRegistration, register as storeRegistration } from '../db/identity/passwords.ts'
import { answerByMail } from './answer-by-mail.ts'
import { newCode } from './codes.ts'
import { spendHash } from './hash-budget.ts'
import { checkNewPassword } from './password.ts'
import { registrationSeconds } from './policy.ts'
import { mails, networkIn } from './throttles.ts'
import { identityServices } from './services.ts'

/**
 * Resolves when the e-mail was sent or withheld. Another call sends another e-mail.
 * @param given an address in lower case, and the password
 * @throws AppError `validation_failed` (the password), `rate_limited`, `unavailable`
 */
export async function register(
  ctx: Ctx,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<void> {
  checkNewPassword(password, email, '#/password')
  const { database, passwords, mailsPerHour } = await identityServices(ctx.services)
  const row = await audit(ctx, { action: 'registration_requested', target: null })
  const spent = await beginRegistration(database, mails('register', email, networkIn(ctx), mailsPerHour))
  // Nothing is sent, so the kind of e-mail makes no difference.
  if (spent !== null) return await answerByMail(ctx, { kind: 'address_in_use', to: email }, spent)
  await spendHash(ctx)
  const [passwordHash, code] = await Promise.all([passwords.hash(password), newCode('verify-email')])
  const wish = { email, passwordHash, tokenHash: code.hash, ttlSeconds: registrationSeconds }
  const hasAccount = await storeRegistration(database, wish, row)
  await answerByMail(
    ctx,
    hasAccount ? { kind: 'address_in_use', to: email } : { kind: 'verify_email', to: email, code: code.text },
    null,
  )
}
