// For administrators: which alarms fire, and what was measured last.
import * as z from 'zod'
import { readBook } from '../../../alarms/read-book.ts'
import { AppError } from '../../../errors.ts'
import type { Book } from '../../../monitoring/alarms/book.ts'
import type { Rule } from '../../../monitoring/alarms/rule.ts'
import { rules } from '../../../monitoring/alarms/rules.ts'
import { route } from '../../route.ts'
import { instant, timeText } from '../../schemas.ts'

const alarmSchema = z
  .object({
    name: z.string(),
    severity: z.enum(['page', 'ticket']),
    summary: z.string(),
    state: z.enum(['ok', 'pending', 'firing']),
    since: instant.nullable(),
    value: z.number().nullable(),
    threshold: z.number(),
    unit: z.enum(['count', 'percent', 'seconds', 'minutes', 'hours']),
    runbook: z.string(),
  })
  .meta({ id: 'Alarm' })

const statesSchema = z
  .object({
    evaluated_at: instant.nullable(),
    waiting: z.int(),
    data: z.array(alarmSchema),
  })
  .meta({ id: 'AlarmStates' })

function viewOf(rule: Rule, { rules: states }: Book): z.input<typeof alarmSchema> {
  const { name, severity, summary, unit, firesAt: threshold } = rule
  const state = states[name]
  return {
    name,
    severity,
    summary,
    state: state?.phase ?? 'ok',
    since: state === undefined ? null : timeText(new Date(state.sinceMs)),
    value: state?.value ?? null,
    threshold,
    unit,
    runbook: `docs/runbook.md#${name}`,
  }
}

export const listAlarmsRoute = route({
  id: 'adminListAlarms',
  method: 'GET',
  path: '/api/v1/admin/alarms',
  summary: 'List alarms',
  tags: ['admin'],
  access: 'admin',
  audit: { none: 'says nothing of a person, and must be readable while the database is down' },
  servesWithoutDatabase: true,
  answers: { 200: statesSchema },
  errors: ['unavailable'],
}).handle(async (ctx) => {
  const { metricsStore } = ctx.services
  if (metricsStore === null) throw new AppError('unavailable', 'Alarms are not stored here.', { reason: 'MONITOR' })
  const book = await readBook(metricsStore, ctx, ctx.now().getTime()).catch((error: unknown) => {
    ctx.log.error('alarms_not_read', { error })
    throw new AppError('unavailable', 'The alarms cannot be read now.', { reason: 'alarms' })
  })
  const body = {
    evaluated_at: book.version === 0 ? null : timeText(new Date(book.evaluatedAtMs)),
    waiting: book.outbox.length,
    data: rules.map((rule) => viewOf(rule, book)),
  }
  return { status: 200, body }
})
