// For administrators and their Prometheus: the metrics of the deployment, and when each cron last succeeded.
import * as z from 'zod'
import type { Ctx } from '../../../context.ts'
import { expositionOf } from '../../../monitoring/metrics/prometheus.ts'
import type { MetricName } from '../../../monitoring/metrics/catalog.ts'
import type { Total } from '../../../monitoring/metrics/types.ts'
import { route } from '../../route.ts'
import { instant, timeTextOrNull } from '../../schemas.ts'
import { readMetrics } from './read-metrics.ts'

const tags = ['admin']
const audit = { none: 'is read every few seconds, and says nothing of a person' }

const totalsOf = (ctx: Ctx, names?: readonly MetricName[]): Promise<readonly Total[]> =>
  readMetrics(ctx, (store) => store.totals(names === undefined ? {} : { names }))

export const metricsRoute = route({
  id: 'adminGetMetrics',
  method: 'GET',
  path: '/api/v1/admin/metrics',
  summary: 'Get metrics',
  tags,
  access: 'admin',
  audit,
  scope: 'metrics',
  servesWithoutDatabase: true,
  answers: { 200: z.string().meta({ description: 'Prometheus text, version 0.0.4.' }) },
  errors: ['unavailable'],
  mediaType: 'text/plain; version=0.0.4; charset=utf-8',
}).handle(async (ctx) => ({ status: 200, body: expositionOf(await totalsOf(ctx), ctx.now().getTime()) }))

const cronsSchema = z
  .object({
    data: z.array(
      z.object({
        job: z.string(),
        last_success_at: instant.nullable(),
        succeeded: z.int(),
        failed: z.int(),
      }),
    ),
  })
  .meta({ id: 'Crons' })

export const listCronsRoute = route({
  id: 'adminListCrons',
  method: 'GET',
  path: '/api/v1/admin/crons',
  summary: 'List cron jobs',
  tags,
  access: 'admin',
  audit,
  scope: 'metrics',
  servesWithoutDatabase: true,
  answers: { 200: cronsSchema },
  errors: ['unavailable'],
}).handle(async (ctx) => {
  const totals = await totalsOf(ctx, ['wn_cron_runs_total', 'wn_cron_last_success_timestamp_seconds'])
  const jobs = [...new Set(totals.map(({ labels }) => labels['job'] ?? ''))].toSorted()
  const runs = (job: string, outcome: string): number =>
    totals.find(({ labels }) => labels['job'] === job && labels['outcome'] === outcome)?.sum ?? 0
  const lastOf = (job: string): Date | null => {
    const found = totals.find(({ labels }) => labels['job'] === job && labels['outcome'] === undefined)
    return found === undefined ? null : new Date(found.last * 1000)
  }
  const data = jobs.map((job) => ({
    job,
    last_success_at: timeTextOrNull(lastOf(job)),
    succeeded: runs(job, 'ok'),
    failed: runs(job, 'failed'),
  }))
  return { status: 200, body: { data } }
})
