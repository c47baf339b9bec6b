// Registering: the wish is kept and a mail sent. There is no account until the address is verified. An address that has
// one gets another mail; the answer, the hash and the round trips are the same.
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
 * Resolves when the mail is on its way or withheld; asked again, it sends another.
 * @param given an address in lower case, and the password
 * @throws AppError `validation_failed` (the password), `rate_limited`, `unavailable`
 */
export async function register(
  ctx: Ctx,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<void> {
  checkNewPassword(password, email, '#/password')
  const { database, passwords, mailsPerHour } = await identityServices(ctx.services)
  const spent = await beginRegistration(database, mails('register', email, networkIn(ctx), mailsPerHour))
  // Which of the two mails is withheld makes no difference.
  if (spent !== null) return await answerByMail(ctx, { kind: 'address_in_use', to: email }, spent)
  await spendHash(ctx)
  const [passwordHash, code] = await Promise.all([passwords.hash(password), newCode('verify-email')])
  const wish = { email, passwordHash, tokenHash: code.hash, ttlSeconds: registrationSeconds }
  const hasAccount = await storeRegistration(database, wish)
  await answerByMail(
    ctx,
    hasAccount ? { kind: 'address_in_use', to: email } : { kind: 'verify_email', to: email, code: code.text },
    null,
  )
}
