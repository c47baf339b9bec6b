// The privacy policy of the deployment.
import * as z from 'zod'
import { sha256 } from '../../../crypto/digest.ts'
import { encodeHex, utf8 } from '../../../crypto/encoding.ts'
import { AppError } from '../../../errors.ts'
import { policyOf } from '../../../privacy/policy.ts'
import { publicRoute } from '../../route.ts'

export const policyRoute = publicRoute({
  id: 'getPrivacyPolicy',
  method: 'GET',
  path: '/privacy',
  summary: 'Get the privacy policy',
  tags: ['privacy'],
  answers: { 200: z.string().meta({ description: 'The policy, in Markdown.' }) },
  errors: ['not_found'],
  mediaType: 'text/markdown; charset=utf-8',
  cacheControl: 'public, max-age=3600',
}).handle(async ({ services }) => {
  const { operator, retention } = services.config
  if (operator === null) throw new AppError('not_found', 'This deployment has not published a privacy policy.')
  const body = policyOf(operator, retention.removedDays)
  const etag = `"${encodeHex(await sha256(utf8(body))).slice(0, 32)}"`
  return { status: 200, body, headers: { etag } }
})
