// Re-wraps a sealed value: the same secret for the same row, sealed under the current key.
import type { Keyring } from '../crypto/keyring.ts'
import { moveAccessToken, type TokenTable } from './access-token.ts'
import { openLinkToken, sealLinkToken } from './link-token.ts'
import { openTotpSecret, sealTotpSecret } from './totp-secret.ts'
import { openWebhookSecret, sealWebhookSecret } from './webhook-secret.ts'

/**
 * Every place in the database with sealed values, in the order of a rotation: a value moves from an exchange to an
 * item, and from there to a removal; and from an endpoint's secret to its previous one.
 */
export const sealedPlaces = [
  'link_exchanges',
  'items',
  'plaid_removals',
  'link_sessions',
  'webhook_secrets',
  'previous_webhook_secrets',
  'totp_secrets',
] as const
export type SealedPlace = (typeof sealedPlaces)[number]

export interface SealedValue {
  readonly sealed: string
  readonly userId: string
  /** The id of the row for which the value was sealed: the item, the Link session, the endpoint or the account. */
  readonly ownerId: string
}

type Rewrap = (keyring: Keyring, value: SealedValue) => Promise<string>

/** Also brings a value of an earlier version to the version of its table. */
const rewrapAccessToken =
  (table: TokenTable): Rewrap =>
  async (keyring, { sealed, userId, ownerId: itemId }) => {
    const place = { table, owner: { userId, itemId } }
    return await moveAccessToken(keyring, sealed, place, place)
  }

const rewrapWebhookSecret: Rewrap = async (keyring, { sealed, userId: ownerId, ownerId: endpointId }) => {
  const secret = await openWebhookSecret(keyring, sealed, { ownerId, endpointId })
  return await sealWebhookSecret(keyring, secret.reveal(), { ownerId, endpointId })
}

const rewraps: Readonly<Record<SealedPlace, Rewrap>> = {
  items: rewrapAccessToken('items'),
  link_exchanges: rewrapAccessToken('link_exchanges'),
  plaid_removals: rewrapAccessToken('plaid_removals'),
  link_sessions: async (keyring, { sealed, userId, ownerId: sessionId }) => {
    const token = await openLinkToken(keyring, sealed, { userId, sessionId })
    return await sealLinkToken(keyring, token.reveal(), { userId, sessionId })
  },
  webhook_secrets: rewrapWebhookSecret,
  previous_webhook_secrets: rewrapWebhookSecret,
  totp_secrets: async (keyring, { sealed, ownerId }) =>
    await sealTotpSecret(keyring, await openTotpSecret(keyring, sealed, ownerId), ownerId),
}

/** @throws AppError `token_undecryptable` if no readable key opens the value for its row */
export async function rewrap(keyring: Keyring, place: SealedPlace, value: SealedValue): Promise<string> {
  return await rewraps[place](keyring, value)
}
