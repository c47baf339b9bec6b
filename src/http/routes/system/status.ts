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
        read_only: z.boolean(),
      })
      .meta({ id: 'DeploymentStatus' }),
  },
  errors: [],
}).handle(async ({ services }) => ({
  status: 200,
  body: { read_only: (await readFreeze(services.jobs)).state !== 'off' },
}))
