// Whether changes are possible, for clients that offer some: an operator may have frozen the deployment.
import * as z from 'zod'
import { readFreeze } from '../../../db/operations/freeze.ts'
import { route } from '../../route.ts'

export const statusRoute = route({
  id: 'getStatus',
  method: 'GET',
  path: '/api/v1/status',
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
  errors: [],
}).handle(async ({ services }) => ({
  status: 200,
  body: { read_only: (await readFreeze(services.jobs)).state !== 'off' },
}))
