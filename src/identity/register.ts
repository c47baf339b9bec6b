// Registering: the wish is kept and a mail sent. There is no account until the address is verified. An address that has
// one gets another mail; the answer, the hash and the round trip are the same.
import type { Ctx } from '../context.ts'
import { register as storeRegistration } from '../db/identity-passwords.ts'
import { answerByMail } from './answer-by-mail.ts'
import { newCode } from './codes.ts'
import { checkNewPassword } from './password.ts'
import { registrationSeconds } from './policy.ts'
import { mails, networkIn } from './throttles.ts'
import { toolsOf } from './tools.ts'

/**
 * Resolves when the mail is on its way or withheld; asked again, it sends another.
 * @param given an address in lower case, and the password
 * @throws AppError `validation_failed` (the password), `unavailable`
 */
export async function register(
  ctx: Ctx,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<void> {
  checkNewPassword(password, email, '#/password')
  const { database, passwords, mailsPerHour } = await toolsOf(ctx.services)
  const [passwordHash, code] = await Promise.all([passwords.hash(password), newCode('verify-email')])
  const wish = { email, passwordHash, tokenHash: code.hash, ttlSeconds: registrationSeconds }
  const buckets = mails('register', email, networkIn(ctx), mailsPerHour)
  const { hasAccount, spent } = await storeRegistration(database, wish, buckets)
  await answerByMail(
    ctx,
    hasAccount ? { kind: 'address_in_use', to: email } : { kind: 'verify_email', to: email, code: code.text },
    spent,
  )
}
