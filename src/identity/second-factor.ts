// Reads the second factor that a user typed.
import type { SecondFactor } from '../db/identity/credentials.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { openTotpSecret } from '../custody/totp-secret.ts'
import { readCode } from './codes.ts'
import { matchingStep } from './totp.ts'

/** Whether the code has the form of an authenticator's code; any other may be a recovery code. */
export const isTotpCode = (code: string): boolean => /^\d{6}$/.test(code)

/**
 * Matches the code against the time steps of the account's secret, or hashes it as a recovery code, which the database
 * checks. Both are null for a wrong code.
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
