// Issues a short token for a client of a user, such as a mobile app, that must not hold the application's key.
import { audit, recordAlone } from '../audit/audit.ts'
import { fixedId } from '../audit/fixed-id.ts'
import { signClientToken } from '../auth/client-token.ts'
import type { UserScope } from '../auth/key-scopes.ts'
import type { ApiKeyUse, Ctx, User } from '../context.ts'
import { registerUser } from '../db/core/scope.ts'
import { AppError } from '../errors.ts'

export interface IssuedToken {
  readonly accessToken: string
  readonly scopes: readonly string[]
}

/** Once a day and key: a client asks for a token every few minutes. */
async function record(ctx: Ctx<User>, { id: keyId }: ApiKeyUse): Promise<void> {
  const { issuer, subject } = ctx.actor.identity
  const day = ctx.now().toISOString().slice(0, 10)
  const id = await fixedId('client_token_issued', keyId, issuer, subject, day)
  await recordAlone(ctx, await audit(ctx, { action: 'client_token_issued', target: keyId, id }))
}

/**
 * A token with these scopes, by default with all of the key that act for a user. Creates the user if they are new.
 * @throws AppError `forbidden` for a scope that the key lacks; `unauthorized` for a person who was erased
 */
export async function issueToken(
  ctx: Ctx<User>,
  key: ApiKeyUse,
  wanted: readonly UserScope[] | null,
  ttlSeconds: number,
): Promise<IssuedToken> {
  const { actor, services } = ctx
  const scopes = wanted ?? actor.scopes
  const lacking = scopes.find((scope) => !actor.scopes.includes(scope))
  if (lacking !== undefined || scopes.length === 0)
    throw new AppError('forbidden', 'The API key lacks a scope of the token.', { reason: 'scope' })
  await registerUser(services.api, actor.identity)
  await record(ctx, key)
  const token = { keyId: key.id, subject: actor.identity.subject, scopes, issuedAt: ctx.now() }
  return { accessToken: await signClientToken(services.config.secret, token, ttlSeconds), scopes }
}
