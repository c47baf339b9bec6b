// Checks the second factor of an account as the user typed it.
import type { SecondFactor } from '../db/identity/credentials.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { openTotpSecret } from '../custody/totp-secret.ts'
import { readCode } from './codes.ts'
import { matchingStep } from './totp.ts'

/** Whether a code is one of an authenticator's; any other may be a recovery code. */
export const isTotpCode = (code: string): boolean => /^\d{6}$/.test(code)

/**
 * What a code fits: a time step of the account's secret, or (in the database) a recovery code. Neither for a wrong one.
 * @throws AppError `token_undecryptable`
 */
export async function readSecondFactor(
  keyring: Keyring,
  account: { readonly id: string; readonly totpSecretSealed: string },
  code: string,
  now: Date,
): Promise<SecondFactor> {
  if (!isTotpCode(code)) return { step: null, recoveryHash: await readCode('recovery', code) }
  const secret = await openTotpSecret(keyring, account.totpSecretSealed, account.id)
  return { step: matchingStep(secret, code, now), recoveryHash: null }
}
