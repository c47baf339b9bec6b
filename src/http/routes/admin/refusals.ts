// For administrators: webhooks that were refused, by reason. A refusal leaves no row, so that no sender can fill a table: the
// counts are those of the metrics, by reason and minute, for a day.
import * as z from 'zod'
import { refusalReasons } from '../../../webhooks/verify.ts'
import { route } from '../../route.ts'
import { instant, timeText } from '../../schemas.ts'
import { readMetrics } from './read-metrics.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Minutes in which something was refused. */
const mostLatest = 100

const refusalsMetric = 'wn_webhook_refusals_total'
const limitsMetric = 'wn_rate_limit_refusals_total'
/** Refused by a limit: of webhooks that failed verification, or of copies. */
const overLimit = 'over_limit'
const webhookPolicy = /^webhook_/
const reasons = [...refusalReasons, overLimit] as const

const schema = z
  .object({
    data: z.array(
      z.object({
        reason: z.string(),
        last_hour: z.int(),
        last_day: z.int(),
        total: z.int(),
        last_at: instant,
      }),
    ),
    latest: z.array(
      z.object({
        minute: instant,
        reason: z.string(),
        count: z.int(),
      }),
    ),
  })
  .meta({ id: 'WebhookRefusals' })

interface Measured {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** The reason that a series counts; null for limits of other requests. */
function reasonOf({ name, labels }: Measured): string | null {
  if (name === refusalsMetric) return labels['reason'] ?? null
  return webhookPolicy.test(labels['policy'] ?? '') ? overLimit : null
}

const group = <Row extends Measured>(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> =>
  Map.groupBy(
    rows.filter((row) => reasonOf(row) !== null),
    (row) => reasonOf(row) ?? '',
  )
const sumOf = (rows: readonly { readonly sum: number }[]): number => rows.reduce((sum, row) => sum + row.sum, 0)

export const listRefusalsRoute = route({
  id: 'adminListWebhookRefusals',
  method: 'GET',
  path: '/api/v1/admin/webhooks/refusals',
  summary: 'List refused webhooks by reason',
  tags: ['admin'],
  access: 'admin',
  audit: { none: 'says nothing of a person, and must be readable while the database is down' },
  servesWithoutDatabase: true,
  query: z.strictObject({ reason: z.enum(reasons).optional() }),
  answers: { 200: schema },
  errors: ['unavailable'],
}).handle(async (ctx, { query: { reason } }) => {
  const names = [refusalsMetric, limitsMetric]
  const nowMs = ctx.now().getTime()
  const { totals, series } = await readMetrics(ctx, async (store) => ({
    totals: await store.totals({ names }),
    series: await store.read({ sinceMs: nowMs - dayMs, names }),
  }))
  const isChosen = (row: Measured): boolean => reason === undefined || reasonOf(row) === reason
  const ofDay = group(series.filter(isChosen))
  const data = [...group(totals.filter(isChosen))].map(([name, rows]) => {
    const lastMs = Math.max(...rows.map(({ updatedMs }) => updatedMs))
    const counted = ofDay.get(name) ?? []
    return {
      reason: name,
      last_hour: sumOf(counted.filter(({ minuteMs }) => minuteMs > nowMs - hourMs)),
      last_day: sumOf(counted),
      total: sumOf(rows),
      lastMs,
    }
  })
  const latest = [...ofDay].flatMap(([name, rows]) =>
    [...Map.groupBy(rows, ({ minuteMs }) => minuteMs)].map(([minuteMs, found]) => ({
      minuteMs,
      reason: name,
      count: sumOf(found),
    })),
  )
  return {
    status: 200,
    body: {
      data: data
        .toSorted((one, other) => other.lastMs - one.lastMs)
        .map(({ lastMs, ...row }) => ({ ...row, last_at: timeText(new Date(lastMs)) })),
      latest: latest
        .toSorted((one, other) => other.minuteMs - one.minuteMs)
        .slice(0, mostLatest)
        .map(({ minuteMs, ...row }) => ({ minute: timeText(new Date(minuteMs)), ...row })),
    },
  }
})
