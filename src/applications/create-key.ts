// Creates API keys. The text of a key is returned once and stored nowhere.
import { createKey } from '../auth/api-key.ts'
import type { KeyScope } from '../auth/key-scopes.ts'
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { sha256 } from '../crypto/digest.ts'
import { lengthPrefixed } from '../crypto/encoding.ts'
import {
  type ApiKey,
  insertApplicationKey,
  type Insertion,
  insertOwnKey,
  type NewApiKey,
} from '../db/applications/keys.ts'
import { AppError } from '../errors.ts'
import { requireApiKeys } from './require-api-keys.ts'

export interface KeyWish {
  readonly name: string
  readonly scopes: readonly KeyScope[]
  /** In canonical form. */
  readonly networks: readonly string[]
  readonly expiresAt: Date | null
  /** `Idempotency-Key`; null without one. */
  readonly requestKey: string | null
}

export interface CreatedKey extends ApiKey {
  /** The key. */
  readonly text: string
}

/** One request of one creator, for one owner. */
async function requestDigest(ctx: Ctx<User>, owner: string, requestKey: string | null): Promise<Uint8Array | null> {
  if (requestKey === null) return null
  const { issuer, subject } = ctx.actor.identity
  return await sha256(lengthPrefixed(['api key', issuer, subject, owner, requestKey]))
}

function requireCreated(insertion: Insertion): ApiKey {
  switch (insertion.kind) {
    case 'created':
      return insertion.key
    case 'repeated':
      throw new AppError(
        'conflict',
        'The same request has created a key, which is shown once. Revoke it if it is lost.',
        {
          extensions: { api_key: { id: insertion.id, prefix: insertion.prefix } },
        },
      )
    case 'no_application':
      throw new AppError('not_found', 'There is no such application.')
    case 'too_many':
      throw new AppError('conflict', 'There are too many API keys, or too many were created today. Revoke some.')
  }
}

async function prepare(
  ctx: Ctx<User>,
  owner: string,
  { name, scopes, networks, expiresAt, requestKey }: KeyWish,
): Promise<{ readonly key: NewApiKey; readonly text: string }> {
  const { kind } = requireApiKeys(ctx)
  const { text, prefix, digest } = await createKey(kind)
  const id = ctx.services.newId()
  const request = await requestDigest(ctx, owner, requestKey)
  return { text, key: { id, name, prefix, digest, scopes, networks, expiresAt, requestDigest: request } }
}

/**
 * A key of the user, for their own data.
 * @throws AppError `conflict` for a repeated request, which names the key, and for too many keys
 */
export async function createOwnKey(ctx: Ctx<User>, wish: KeyWish): Promise<CreatedKey> {
  const { key, text } = await prepare(ctx, 'own', wish)
  const row = await audit(ctx, { action: 'api_key_created', target: key.id })
  return { ...requireCreated(await insertOwnKey(ctx.services.api, ctx.actor.identity, key, row)), text }
}

/** A key of an application, which acts for its users. @throws AppError as `createOwnKey`; `not_found` */
export async function createApplicationKey(ctx: Ctx<User>, applicationId: string, wish: KeyWish): Promise<CreatedKey> {
  const { key, text } = await prepare(ctx, applicationId, wish)
  const row = await audit(ctx, { action: 'api_key_created', target: key.id })
  return { ...requireCreated(await insertApplicationKey(ctx.services.jobs, applicationId, key, row)), text }
}
