// Seals the TOTP secret of an account, bound to the account's row.
import { type Bytes, decodeHex, encodeHex } from '../crypto/encoding.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { AppError } from '../errors.ts'
import { open, seal } from './observed-envelope.ts'

const binding = (accountId: string) => ({
  table: 'identity.accounts',
  column: 'totp_secret_sealed',
  userId: accountId,
  itemId: accountId,
})

export async function sealTotpSecret(keyring: Keyring, secret: Bytes, accountId: string): Promise<string> {
  return await seal('totp_secret', keyring, encodeHex(secret), binding(accountId))
}

/**
 * @throws AppError `token_undecryptable` for a value of another account, or sealed with a key that is not configured
 */
export async function openTotpSecret(keyring: Keyring, sealed: string, accountId: string): Promise<Bytes> {
  const secret = decodeHex(await open('totp_secret', keyring, sealed, binding(accountId)))
  if (secret === null) throw new AppError('token_undecryptable', 'A stored secret could not be read.')
  return secret
}
