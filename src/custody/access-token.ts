// Seals access tokens, bound to their item and to the table in which the value lies. Opened tokens print as [redacted].
import { type EnvelopeVersion, versionOf } from '../crypto/envelope.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { createSecret, type Secret } from '../crypto/secret.ts'
import { open, seal } from './observed-envelope.ts'

export interface TokenOwner {
  readonly userId: string
  readonly itemId: string
}

export type { EnvelopeVersion }

/** The tables with a column `access_token_sealed`. */
export type TokenTable = 'items' | 'link_exchanges' | 'plaid_removals'

/**
 * How a new value is sealed. `wn1` names the table `items` for every place, which is right for that table alone. `wn2`
 * names the table in which the value lies; the release before the first one with `wn2` cannot read it, so `items`
 * keeps `wn1` until that release cannot come back by a rollback.
 */
export const tokenVersions: Readonly<Record<TokenTable, EnvelopeVersion>> = {
  items: 'wn1',
  link_exchanges: 'wn2',
  plaid_removals: 'wn2',
}

const binding = (version: EnvelopeVersion, table: TokenTable, { userId, itemId }: TokenOwner) => ({
  version,
  table: version === 'wn1' ? 'items' : table,
  column: 'access_token_sealed',
  userId,
  itemId,
})

export async function sealAccessToken(
  keyring: Keyring,
  token: Secret,
  owner: TokenOwner,
  table: TokenTable = 'items',
): Promise<string> {
  return await seal('access_token', keyring, token.reveal(), binding(tokenVersions[table], table, owner))
}

/**
 * Opens a value of the table. A value from before `wn2` opens in each of the three tables.
 * @throws AppError `token_undecryptable` for a value of another table, row or user, or sealed with a key that is not
 * configured
 */
export async function openAccessToken(
  keyring: Keyring,
  sealed: string,
  owner: TokenOwner,
  table: TokenTable = 'items',
): Promise<Secret> {
  const version = versionOf(sealed) ?? tokenVersions[table]
  return createSecret(await open('access_token', keyring, sealed, binding(version, table, owner)))
}

interface TokenPlace {
  readonly table: TokenTable
  readonly owner: TokenOwner
}

/**
 * Seals a stored token for another place.
 * @throws AppError `token_undecryptable` as `openAccessToken`
 */
export async function moveAccessToken(
  keyring: Keyring,
  sealed: string,
  from: TokenPlace,
  to: TokenPlace,
): Promise<string> {
  const token = await openAccessToken(keyring, sealed, from.owner, from.table)
  return await sealAccessToken(keyring, token, to.owner, to.table)
}
