// Second factors of an account: sealed secrets, and codes as somebody typed them.
import type { SecondFactor } from '../db/identity/credentials.ts'
import { open, seal } from '../crypto/envelope.ts'
import type { Bytes } from '../crypto/encoding.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { AppError } from '../errors.ts'
import { readCode } from './codes.ts'
import { matchingStep, readSecret, writeSecret } from './totp.ts'

const bindingOf = (accountId: string) => ({
  table: 'identity.accounts',
  column: 'totp_secret_sealed',
  userId: accountId,
  itemId: accountId,
})

/** The secret as it is stored: bound to the account. */
export async function sealTotpSecret(keyring: Keyring, secret: Bytes, accountId: string): Promise<string> {
  return await seal(keyring, writeSecret(secret), bindingOf(accountId))
}

async function openTotpSecret(keyring: Keyring, sealed: string, accountId: string): Promise<Bytes> {
  const secret = readSecret(await open(keyring, sealed, bindingOf(accountId)))
  if (secret === null) throw new AppError('token_undecryptable', 'A stored secret could not be read.')
  return secret
}

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
