// Short tokens for clients of a user, issued with an API key.
import * as z from 'zod'
import { issueToken } from '../../../applications/issue-token.ts'
import { userScopes } from '../../../auth/key-scopes.ts'
import { AppError } from '../../../errors.ts'
import { route } from '../../route.ts'

const defaultSeconds = 900
const longestSeconds = 3600

const tokenBody = z
  .strictObject({
    scopes: z
      .array(z.enum(userScopes))
      .min(1)
      .max(userScopes.length)
      .optional()
      .describe('What the token may do. By default, what the key may do for a user.'),
    expires_in: z
      .int()
      .min(60)
      .max(longestSeconds)
      .default(defaultSeconds)
      .describe('Seconds until the token expires. The default is 900.'),
  })
  .meta({ id: 'TokenRequest' })

const tokenSchema = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().describe('Seconds until the token expires.'),
    scope: z.string().describe('The scopes of the token, separated by spaces.'),
  })
  .meta({ id: 'Token' })

export const createTokenRoute = route({
  id: 'createToken',
  keys: 'only',
  audit: ['client_token_issued'],
  event: 'client_token',
  method: 'POST',
  path: '/api/v1/tokens',
  summary: 'Create a token for a client',
  tags: ['api-keys'],
  access: 'user',
  body: tokenBody,
  bodyOptional: true,
  answers: { 200: tokenSchema },
  errors: ['user_required'],
}).handle(async (ctx, { body }) => {
  const { apiKey } = ctx.actor
  if (apiKey === undefined) throw new AppError('forbidden', 'This request needs an API key.', { reason: 'no key' })
  const { accessToken, scopes } = await issueToken(ctx, apiKey, body.scopes ?? null, body.expires_in)
  return {
    status: 200,
    body: { access_token: accessToken, token_type: 'Bearer', expires_in: body.expires_in, scope: scopes.join(' ') },
  }
})
