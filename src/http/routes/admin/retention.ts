// For administrators: what the retention would delete, and deleting it now.
import * as z from 'zod'
import { mostCounted, planRetention } from '../../../retention/plan.ts'
import { purgeExpired } from '../../../retention/purge.ts'
import { instant, timeTextOrNull } from '../../schemas.ts'
import { route } from '../../route.ts'

const tags = ['admin']

/** A request deletes for so long; the caller repeats it until `done`. */
const runMs = 15_000

const planSchema = z
  .object({
    data: z.array(
      z.object({
        name: z.string().describe('The class of data.'),
        tables: z.array(z.string()),
        days: z.int().nullable().describe('How long rows are kept; null where each row names its own time.'),
        before: instant.nullable().describe('Rows from before this time are deleted.'),
        due: z.int().describe(`Rows that would be deleted; counted up to ${mostCounted}.`),
      }),
    ),
  })
  .meta({ id: 'RetentionPlan' })

export const planRetentionRoute = route({
  id: 'adminPlanRetention',
  method: 'GET',
  path: '/api/v1/admin/retention',
  summary: 'Count data past its retention',
  tags,
  access: 'admin',
  answers: { 200: planSchema },
  errors: [],
}).handle(async (ctx) => ({
  status: 200,
  body: {
    data: (await planRetention(ctx)).map(({ tables, before, ...rest }) => ({
      ...rest,
      tables: [...tables],
      before: timeTextOrNull(before),
    })),
  },
}))

const runSchema = z
  .object({
    purged: z.record(z.string(), z.int()).describe('How many rows of each class were deleted.'),
    done: z.boolean().describe('Whether nothing that was due is left. If not, repeat the request.'),
  })
  .meta({ id: 'RetentionRun' })

export const runRetentionRoute = route({
  id: 'adminRunRetention',
  method: 'POST',
  path: '/api/v1/admin/retention/run',
  summary: 'Delete data past its retention',
  tags,
  access: 'admin',
  limit: 'sensitive',
  audit: ['retention_started', 'retention_finished'],
  answers: { 200: runSchema },
  errors: [],
}).handle(async (ctx) => {
  const { purged, isDone } = await purgeExpired(ctx, runMs)
  return { status: 200, body: { purged: { ...purged }, done: isDone } }
})
