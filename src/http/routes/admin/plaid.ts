// For administrators: webhooks, and the usage of Plaid with its cost.
import * as z from 'zod'
import { type AdminWebhook, listWebhooks } from '../../../db/operations/admin.ts'
import { listUsage } from '../../../db/operations/usage.ts'
import { windowOf } from '../../../insights/window.ts'
import { day, dayRange, decimal, id, inOrder, instant, line, timeText } from '../../schemas.ts'
import { keyCursor, pageBody, listResponse, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'

const tags = ['admin']

const webhookSchema = z
  .object({
    id,
    scheme: z.string(),
    webhook_type: z.string(),
    webhook_code: z.string(),
    plaid_item_id: z.string().nullable(),
    item_id: id.nullable(),
    user_id: id.nullable(),
    received_at: instant,
  })
  .meta({ id: 'AdminWebhook' })

function webhookView(event: AdminWebhook): z.input<typeof webhookSchema> {
  return {
    id: event.id,
    scheme: event.scheme,
    webhook_type: event.type,
    webhook_code: event.code,
    plaid_item_id: event.plaidItemId,
    item_id: event.itemId,
    user_id: event.userId,
    received_at: timeText(event.receivedAt),
  }
}

const webhooksByTime = keyCursor('admin_webhooks', 'instant')

export const listWebhooksRoute = route({
  id: 'adminListWebhooks',
  method: 'GET',
  path: '/api/v1/admin/webhooks',
  summary: 'List webhooks',
  tags,
  access: 'admin',
  query: z.strictObject({ ...pageQuery, plaid_item_id: line(200).optional() }),
  answers: { 200: listResponse(webhookSchema, 'AdminWebhookList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query }) => {
  const from = webhooksByTime.read(query.cursor)
  const page = await listWebhooks(services.jobs, query.plaid_item_id ?? null, query.limit, from)
  return { status: 200, body: pageBody(page, webhooksByTime, webhookView) }
})

const usageSchema = z
  .object({
    from: day,
    to: day,
    data: z.array(
      z.object({
        day,
        endpoint: z.string(),
        outcome: z.string(),
        calls: z.int(),
        cost: decimal.nullable(),
      }),
    ),
    calls: z.int(),
    cost: decimal,
  })
  .meta({ id: 'PlaidUsage' })

export const usageRoute = route({
  id: 'adminUsage',
  method: 'GET',
  path: '/api/v1/admin/usage',
  summary: 'Get Plaid usage',
  tags,
  access: 'admin',
  query: z.strictObject(dayRange).check(inOrder()),
  answers: { 200: usageSchema },
  errors: [],
}).handle(async ({ services, now }, { query }) => {
  const { from, to } = windowOf(now(), query, 'day')
  const report = await listUsage(services.jobs, { from, to }, services.config.plaid.prices)
  return { status: 200, body: { from, to, data: [...report.rows], calls: report.calls, cost: report.cost } }
})
