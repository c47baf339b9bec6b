// Seals access tokens, bound to their item's row. Opened tokens print as [redacted].
import type { Keyring } from '../crypto/keyring.ts'
import { createSecret, type Secret } from '../crypto/secret.ts'
import { open, seal } from './observed-envelope.ts'

interface Owner {
  readonly userId: string
  readonly itemId: string
}

const binding = ({ userId, itemId }: Owner) => ({ table: 'items', column: 'access_token_sealed', userId, itemId })

export async function sealAccessToken(keyring: Keyring, token: Secret, owner: Owner): Promise<string> {
  return await seal('access_token', keyring, token.reveal(), binding(owner))
}

/**
 * @throws AppError `token_undecryptable` for a value of another row or user, or sealed with a key that is not
 * configured
 */
export async function openAccessToken(keyring: Keyring, sealed: string, owner: Owner): Promise<Secret> {
  return createSecret(await open('access_token', keyring, sealed, binding(owner)))
}
