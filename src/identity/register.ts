// Registering: the wish is kept and a mail sent. There is no account until the address is verified. An address that has
// one gets another mail; the answer, the hash and the round trip are the same.
import type { Ctx } from '../context.ts'
import { register as storeRegistration } from '../db/identity-passwords.ts'
import { newCode } from './codes.ts'
import { checkNewPassword } from './password.ts'
import { mailThrottle, registrationSeconds } from './policy.ts'
import { requirePlace } from './refusals.ts'
import { toolsOf } from './tools.ts'

/**
 * Resolves when the mail is on its way; asked again, it sends another.
 * @param given an address in lower case, and the password
 * @throws AppError `validation_failed` (the password), `rate_limited` (mails to the address), `unavailable`
 */
export async function register(
  { services, log }: Ctx,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<void> {
  checkNewPassword(password, email, '#/password')
  const { passwords, sendMail } = await toolsOf(services)
  const [passwordHash, code] = await Promise.all([passwords.hash(password), newCode('verify-email')])
  const wish = { email, passwordHash, tokenHash: code.hash, ttlSeconds: registrationSeconds }
  const { retryAfterSeconds, hasAccount } = await storeRegistration(services.api, wish, mailThrottle)
  requirePlace(retryAfterSeconds, 'too many registrations')
  await sendMail(
    hasAccount ? { kind: 'address_in_use', to: email } : { kind: 'verify_email', to: email, code: code.text },
    log,
  )
}
