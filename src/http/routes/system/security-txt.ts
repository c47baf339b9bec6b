// Where to report a vulnerability (RFC 9116).
import * as z from 'zod'
import { AppError } from '../../../errors.ts'
import { publicRoute } from '../../route.ts'

/** RFC 9116 recommends less than a year. Each response renews it, because the contacts are the current configuration. */
const validDays = 180

export const securityTxtRoute = publicRoute({
  id: 'securityTxt',
  method: 'GET',
  path: '/.well-known/security.txt',
  summary: 'Get the security contact',
  tags: ['meta'],
  answers: { 200: z.string().meta({ description: 'The fields `Contact` and `Expires`.' }) },
  errors: ['not_found'],
  mediaType: 'text/plain; charset=utf-8',
  cacheControl: 'public, max-age=86400',
}).handle(({ services, now }) => {
  const { securityContacts } = services.config
  if (securityContacts.length === 0) throw new AppError('not_found', 'This deployment has no security contact.')
  const expires = new Date(now().getTime() + validDays * 86_400_000)
  expires.setUTCHours(0, 0, 0, 0)
  const lines = [
    ...securityContacts.map((contact) => `Contact: ${contact}`),
    `Expires: ${expires.toISOString()}`,
    'Preferred-Languages: en',
  ]
  return Promise.resolve({ status: 200, body: `${lines.join('\n')}\n` })
})
