// The API keys of a user, for their own data. A key manages no keys: only the user's own sign-in does.
import * as z from 'zod'
import { createOwnKey } from '../../../applications/create-key.ts'
import { requireApiKeys } from '../../../applications/require-api-keys.ts'
import { audit } from '../../../audit/audit.ts'
import { userScopes } from '../../../auth/key-scopes.ts'
import { listOwnKeys, revokeOwnKey } from '../../../db/applications/keys.ts'
import { AppError } from '../../../errors.ts'
import { idempotencyHeaders } from '../../idempotency-key.ts'
import { keyCursor, listResponse, pageBody, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'
import { id } from '../../schemas.ts'
import { createdKeySchema, createdKeyView, inDays, keyFields, keySchema, keyView, longestDays } from './schemas.ts'

const tags = ['api-keys']
const path = '/api/v1/api-keys'
const defaultDays = 90

const createBody = z
  .strictObject({
    ...keyFields,
    scopes: z.array(z.enum(userScopes)).min(1).max(userScopes.length).describe('What the key may do.'),
    expires_in_days: z
      .int()
      .min(1)
      .max(longestDays)
      .default(defaultDays)
      .describe('The life of the key in days. The default is 90.'),
  })
  .meta({ id: 'OwnApiKeyRequest' })

const byCreation = keyCursor('api_keys', 'instant')

export const listOwnKeysRoute = route({
  id: 'listApiKeys',
  keys: 'refused',
  method: 'GET',
  path,
  summary: 'List API keys',
  tags,
  access: 'user',
  session: 'live',
  query: z.strictObject(pageQuery),
  answers: { 200: listResponse(keySchema, 'ApiKeyList') },
  errors: ['invalid_cursor', 'not_found', 'forbidden'],
}).handle(async (ctx, { query }) => {
  requireApiKeys(ctx)
  const { services, actor } = ctx
  const page = await listOwnKeys(services.api, actor.identity, query.limit, byCreation.read(query.cursor))
  return { status: 200, body: pageBody(page, byCreation, keyView) }
})

export const createOwnKeyRoute = route({
  id: 'createApiKey',
  keys: 'refused',
  audit: ['api_key_created'],
  event: 'api_key_creation',
  method: 'POST',
  path,
  summary: 'Create an API key',
  tags,
  access: 'user',
  session: 'live',
  limit: 'sensitive',
  headers: idempotencyHeaders,
  body: createBody,
  answers: { 201: createdKeySchema },
  errors: ['conflict', 'not_found'],
}).handle(async (ctx, { body, headers }) => {
  const { expires_in_days: days, ...wish } = body
  const requestKey = headers['idempotency-key'] ?? null
  const key = await createOwnKey(ctx, { ...wish, expiresAt: inDays(ctx.now(), days), requestKey })
  return { status: 201, body: createdKeyView(key) }
})

export const revokeOwnKeyRoute = route({
  id: 'revokeApiKey',
  keys: 'refused',
  audit: ['api_key_revoked'],
  event: 'api_key_revocation',
  method: 'DELETE',
  path: `${path}/{id}`,
  summary: 'Revoke an API key',
  tags,
  access: 'user',
  session: 'live',
  params: z.object({ id }),
  answers: { 204: null },
  errors: ['not_found'],
}).handle(async (ctx, { params }) => {
  requireApiKeys(ctx)
  const { services, actor } = ctx
  const row = await audit(ctx, { action: 'api_key_revoked', target: params.id })
  if (!(await revokeOwnKey(services.api, actor.identity, params.id, row)))
    throw new AppError('not_found', 'There is no such API key.')
  return { status: 204 }
})
