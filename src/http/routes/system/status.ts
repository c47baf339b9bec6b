// Whether changes are possible, for clients that offer some: an operator may have frozen the deployment.
import * as z from 'zod'
import { AppError } from '../../../errors.ts'
import { route } from '../../route.ts'

const path = '/api/v1/status'

export const statusRoute = route({
  id: 'getStatus',
  method: 'GET',
  path,
  summary: 'Get whether changes are possible',
  tags: ['meta'],
  access: 'user',
  answers: {
    200: z
      .object({
        read_only: z
          .boolean()
          .describe('Whether changes are paused while an incident is handled. They then get 503 `frozen`.'),
      })
      .meta({ id: 'DeploymentStatus' }),
  },
  errors: ['unavailable'],
}).handle(async ({ services }) => {
  // The gate remembers for two seconds that there is no freeze, so that many clients cost few reads.
  const answer = await services.freeze.check(path)
  if (answer === 'unknown')
    throw new AppError('unavailable', 'The state cannot be read now. Try again shortly.', { reason: 'freeze unknown' })
  return { status: 200, body: { read_only: answer === 'frozen' } }
})
