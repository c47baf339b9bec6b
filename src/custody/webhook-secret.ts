// Seals the secrets that sign events, bound to their endpoint. The secret before a rotation keeps its seal.
import { encodeBase64 } from '../crypto/encoding.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { createSecret, type Secret } from '../crypto/secret.ts'
import { open, seal } from './observed-envelope.ts'

interface Owner {
  /** The user or the application; null for an endpoint of administrators. */
  readonly ownerId: string | null
  readonly endpointId: string
}

const secretBytes = 32

const binding = ({ ownerId, endpointId }: Owner) => ({
  table: 'webhook_endpoints',
  column: 'secret_sealed',
  userId: ownerId ?? endpointId,
  itemId: endpointId,
})

/** A new secret in the form of Standard Webhooks. */
export const newWebhookSecret = (): string =>
  `whsec_${encodeBase64(crypto.getRandomValues(new Uint8Array(secretBytes)))}`

export async function sealWebhookSecret(keyring: Keyring, secret: string, owner: Owner): Promise<string> {
  return await seal('webhook_secret', keyring, secret, binding(owner))
}

/**
 * @throws AppError `token_undecryptable` if it was sealed for another endpoint or owner, or with a key that is not
 *   configured
 */
export async function openWebhookSecret(keyring: Keyring, sealed: string, owner: Owner): Promise<Secret> {
  return createSecret(await open('webhook_secret', keyring, sealed, binding(owner)))
}
