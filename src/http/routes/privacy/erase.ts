// The erasure of a person, and its certificate.
import * as z from 'zod'
import { type Erasure, getErasure } from '../../../db/privacy/erasures.ts'
import { AppError } from '../../../errors.ts'
import { requestErasure } from '../../../privacy/request-erasure.ts'
import { idempotencyHeaders } from '../../idempotency-key.ts'
import { publicRoute, route } from '../../route.ts'
import { id, instant, timeText, timeTextOrNull } from '../../schemas.ts'
import { password } from '../auth/sign-in.ts'

const erasureSchema = z
  .object({
    id: id.describe('The reference of the erasure. With it, the certificate can be read without a token.'),
    status: z.enum(['erasing', 'erased']).describe('`erasing` while it continues in the background.'),
    requested_at: instant,
    completed_at: instant.nullable(),
    certificate: z
      .string()
      .nullable()
      .describe('The signed certificate, a JWS in compact form; null until it is complete.'),
  })
  .meta({ id: 'Erasure' })

const viewOf = (erasure: Erasure): z.input<typeof erasureSchema> => ({
  id: erasure.id,
  status: erasure.completedAt === null ? 'erasing' : 'erased',
  requested_at: timeText(erasure.requestedAt),
  completed_at: timeTextOrNull(erasure.completedAt),
  certificate: erasure.certificate,
})

export const eraseRoute = route({
  id: 'eraseData',
  audit: ['erasure_begun'],
  event: 'erasure',
  method: 'POST',
  path: '/api/v1/privacy/erase',
  summary: 'Erase all data',
  tags: ['privacy'],
  access: 'user',
  limit: 'sensitive',
  // A repeated request finds the same erasure by itself.
  headers: idempotencyHeaders,
  body: z.strictObject({ password: password.optional() }),
  bodyOptional: true,
  answers: { 200: erasureSchema, 202: erasureSchema },
  errors: ['invalid_credentials'],
}).handle(async (ctx, { body }) => {
  const erasure = await requestErasure(ctx, body.password ?? null)
  return { status: erasure.completedAt === null ? 202 : 200, body: viewOf(erasure) }
})

export const getErasureRoute = publicRoute({
  id: 'getErasure',
  method: 'GET',
  path: '/api/v1/privacy/erasures/{id}',
  summary: 'Get an erasure',
  tags: ['privacy'],
  params: z.object({ id }),
  answers: { 200: erasureSchema },
  errors: ['not_found', 'validation_failed'],
}).handle(async ({ services }, { params }) => {
  const erasure = await getErasure(services.jobs, params.id)
  if (erasure === null) throw new AppError('not_found', 'There is no such erasure.')
  return { status: 200, body: viewOf(erasure) }
})
