// Stores link tokens and public tokens as digests, to recognize them, and seals link tokens that Plaid needs again.
import { sha256 } from '../crypto/digest.ts'
import { encodeHex, utf8 } from '../crypto/encoding.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { createSecret, type Secret } from '../crypto/secret.ts'
import { open, seal } from './observed-envelope.ts'

interface Owner {
  readonly userId: string
  readonly sessionId: string
}

const binding = ({ userId, sessionId }: Owner) => ({
  table: 'link_sessions',
  column: 'token_sealed',
  userId,
  itemId: sessionId,
})

/** SHA-256 in hexadecimal. Reveals nothing, because the tokens are random. */
export async function tokenDigest(token: string): Promise<string> {
  return encodeHex(await sha256(utf8(token)))
}

export async function sealLinkToken(keyring: Keyring, token: string, owner: Owner): Promise<string> {
  return await seal('link_token', keyring, token, binding(owner))
}

/**
 * @throws AppError `token_undecryptable` if it was sealed for another session or user, or with a key that is not
 *   configured
 */
export async function openLinkToken(keyring: Keyring, sealed: string, owner: Owner): Promise<Secret> {
  return createSecret(await open('link_token', keyring, sealed, binding(owner)))
}
