// For operators: replacing the access tokens of all items after an incident.
import * as z from 'zod'
import type { Ctx } from '../../../context.ts'
import { AppError } from '../../../errors.ts'
import { startTokenRotation, tokenRotationProgress } from '../../../items/rotate-all-tokens.ts'
import { route } from '../../route.ts'

const tags = ['admin']
const path = '/api/v1/admin/access_tokens'

const tokensSchema = z
  .object({ before: z.iso.datetime(), total: z.int(), remaining: z.int() })
  .meta({ id: 'AccessTokens' })

const given = z.strictObject({ before: z.iso.datetime().optional() })

const timeOf = (ctx: Ctx, before: string | undefined): Date => (before === undefined ? ctx.now() : new Date(before))

async function tokensBody(ctx: Ctx, before: Date): Promise<z.input<typeof tokensSchema>> {
  return { before: before.toISOString(), ...(await tokenRotationProgress(ctx, before)) }
}

export const listTokensRoute = route({
  id: 'adminGetAccessTokens',
  method: 'GET',
  path,
  summary: 'Count old access tokens',
  tags,
  access: 'admin',
  query: given,
  answers: { 200: tokensSchema },
  errors: [],
}).handle(async (ctx, { query }) => ({ status: 200, body: await tokensBody(ctx, timeOf(ctx, query.before)) }))

export const rotateTokensRoute = route({
  id: 'adminRotateAccessTokens',
  audit: ['token_rotation_started'],
  method: 'POST',
  path: `${path}/rotate`,
  summary: 'Rotate all access tokens',
  tags,
  access: 'admin',
  limit: 'sensitive',
  body: given,
  bodyOptional: true,
  answers: { 202: tokensSchema },
  errors: ['unavailable'],
}).handle(async (ctx, { body }) => {
  const before = timeOf(ctx, body.before)
  // A later time would include the tokens that the rotation itself brings.
  if (before > ctx.now())
    throw new AppError('validation_failed', 'A field is invalid.', {
      fields: [{ pointer: '#/before', detail: 'Must not be in the future.' }],
    })
  await startTokenRotation(ctx, before)
  return { status: 202, body: await tokensBody(ctx, before) }
})
