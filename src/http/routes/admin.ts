// For operators: what goes on, across users, and the two things that can be done about it. No money, no names.
import * as z from 'zod'
import {
  type AdminItem,
  type AdminSyncRun,
  type AdminWebhook,
  listAllItems,
  listAllSyncRuns,
  listWebhooks,
} from '../../db/admin.ts'
import { listDeadLetters, type StoredDeadLetter } from '../../db/dead-letters.ts'
import { listUsage } from '../../db/usage.ts'
import { itemStatusTable } from '../../item-status.ts'
import { fullResync } from '../../sync/full-resync.ts'
import { replayAll, replayOne } from '../../sync/replay-dead-letters.ts'
import { day, dayRange, decimal, flag, id, inOrder, instant, line, timeText, timeTextOrNull } from '../fields.ts'
import { keyCursor, pageBody, pageOf, pageQuery } from '../pagination.ts'
import { route } from '../route.ts'

const tags = ['admin']
const params = z.object({ id })
const queuedSchema = z.object({ queued: z.int() }).meta({ id: 'Queued' })

const itemSchema = z
  .object({
    id,
    user_id: id,
    plaid_item_id: z.string(),
    institution_id: z.string().nullable(),
    status: z.string(),
    status_reason: z.string().nullable(),
    missed_webhooks: z.int().describe('Webhooks that Plaid says it sent, and that never came.'),
    created_at: instant,
    removed_at: instant.nullable(),
    products: z.array(
      z.object({
        id,
        product: z.string(),
        status: z.string(),
        dirty: z.boolean(),
        attempts: z.int(),
        next_attempt_at: instant,
        last_synced_at: instant.nullable(),
        last_error: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'AdminItem' })

function itemView(item: AdminItem): z.input<typeof itemSchema> {
  return {
    id: item.id,
    user_id: item.userId,
    plaid_item_id: item.plaidItemId,
    institution_id: item.institutionId,
    status: item.status,
    status_reason: item.statusReason,
    missed_webhooks: item.missedWebhooks,
    created_at: timeText(item.createdAt),
    removed_at: timeTextOrNull(item.removedAt),
    products: item.products.map((product) => ({
      id: product.id,
      product: product.product,
      status: product.status,
      dirty: product.isDirty,
      attempts: product.attempts,
      next_attempt_at: timeText(product.nextAttemptAt),
      last_synced_at: timeTextOrNull(product.lastSyncedAt),
      last_error: product.lastError,
    })),
  }
}

const itemsByCreation = keyCursor('admin_items', 'instant')

export const listAllItemsRoute = route({
  id: 'adminListItems',
  method: 'GET',
  path: '/api/v1/admin/items',
  summary: "Every user's items with the state of their sync, oldest first",
  tags,
  access: 'admin',
  query: z.strictObject({
    ...pageQuery,
    status: z.literal(Object.keys(itemStatusTable)).optional(),
    user_id: id.optional(),
  }),
  answers: { 200: pageOf(itemSchema, 'AdminItemList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query }) => {
  const filters = { status: query.status, userId: query.user_id }
  const page = await listAllItems(services.jobs, filters, query.limit, itemsByCreation.read(query.cursor))
  return { status: 200, body: pageBody(page, itemsByCreation, itemView) }
})

export const resyncItemRoute = route({
  id: 'adminResyncItem',
  method: 'POST',
  path: '/api/v1/admin/items/{id}/resync',
  summary: 'Read everything of an item again from the start, and reconcile; edits stay',
  tags,
  access: 'admin',
  limit: 'sensitive',
  params,
  answers: { 202: queuedSchema },
  errors: ['not_found'],
}).handle(async (ctx, input) => ({ status: 202, body: { queued: await fullResync(ctx, input.params.id) } }))

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
  summary: 'Every webhook that was verified, newest first',
  tags,
  access: 'admin',
  query: z.strictObject({ ...pageQuery, plaid_item_id: line(200).optional() }),
  answers: { 200: pageOf(webhookSchema, 'AdminWebhookList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query }) => {
  const from = webhooksByTime.read(query.cursor)
  const page = await listWebhooks(services.jobs, query.plaid_item_id ?? null, query.limit, from)
  return { status: 200, body: pageBody(page, webhooksByTime, webhookView) }
})

const runSchema = z
  .object({
    id,
    user_id: id,
    item_id: id,
    product: z.string(),
    trigger: z.string(),
    outcome: z.string(),
    error_code: z.string().nullable(),
    pages: z.int(),
    restarts: z.int(),
    upserted: z.int(),
    removed: z.int(),
    plaid_request_ids: z.array(z.string()).describe("For Plaid's support."),
    started_at: instant,
    finished_at: instant,
  })
  .meta({ id: 'AdminSyncRun' })

function runView(run: AdminSyncRun): z.input<typeof runSchema> {
  const { id: runId, product, trigger, outcome, pages, restarts, upserted, removed } = run
  return {
    id: runId,
    user_id: run.userId,
    item_id: run.itemId,
    product,
    trigger,
    outcome,
    error_code: run.errorCode,
    pages,
    restarts,
    upserted,
    removed,
    plaid_request_ids: [...run.plaidRequestIds],
    started_at: timeText(run.startedAt),
    finished_at: timeText(run.finishedAt),
  }
}

const runsByStart = keyCursor('admin_sync_runs', 'instant')

export const listAllSyncRunsRoute = route({
  id: 'adminListSyncRuns',
  method: 'GET',
  path: '/api/v1/admin/sync/runs',
  summary: "Every user's sync runs, newest first",
  tags,
  access: 'admin',
  query: z.strictObject({
    ...pageQuery,
    item_id: id.optional(),
    outcome: z.enum(['committed', 'failed', 'waiting', 'absent']).optional(),
  }),
  answers: { 200: pageOf(runSchema, 'AdminSyncRunList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query }) => {
  const filters = { itemId: query.item_id, outcome: query.outcome }
  const page = await listAllSyncRuns(services.jobs, filters, query.limit, runsByStart.read(query.cursor))
  return { status: 200, body: pageBody(page, runsByStart, runView) }
})

const letterSchema = z
  .object({
    id,
    queue: z.string(),
    message_id: z.string(),
    item_product_id: id.nullable(),
    reason: z.string(),
    created_at: instant,
    replayed_at: instant.nullable(),
    replays: z.int(),
  })
  .meta({ id: 'DeadLetter' })

function letterView(letter: StoredDeadLetter): z.input<typeof letterSchema> {
  return {
    id: letter.id,
    queue: letter.queue,
    message_id: letter.messageId,
    item_product_id: letter.itemProductId,
    reason: letter.reason,
    created_at: timeText(letter.createdAt),
    replayed_at: timeTextOrNull(letter.replayedAt),
    replays: letter.replays,
  }
}

const lettersByTime = keyCursor('dead_letters', 'instant')

export const listDeadLettersRoute = route({
  id: 'adminListDeadLetters',
  method: 'GET',
  path: '/api/v1/admin/dead-letters',
  summary: 'Messages that could not be handled, newest first',
  tags,
  access: 'admin',
  query: z.strictObject({ ...pageQuery, open: flag.default(false).describe('Only those that nobody has replayed.') }),
  answers: { 200: pageOf(letterSchema, 'DeadLetterList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query }) => {
  const page = await listDeadLetters(services.jobs, query, query.limit, lettersByTime.read(query.cursor))
  return { status: 200, body: pageBody(page, lettersByTime, letterView) }
})

export const replayDeadLetterRoute = route({
  id: 'adminReplayDeadLetter',
  method: 'POST',
  path: '/api/v1/admin/dead-letters/{id}/replay',
  summary: 'Wake what a dead letter speaks of',
  tags,
  access: 'admin',
  limit: 'sensitive',
  params,
  answers: { 202: queuedSchema },
  errors: ['not_found'],
}).handle(async (ctx, input) => ({ status: 202, body: { queued: await replayOne(ctx, input.params.id) } }))

export const replayDeadLettersRoute = route({
  id: 'adminReplayDeadLetters',
  method: 'POST',
  path: '/api/v1/admin/dead-letters/replay',
  summary: 'Wake what the dead letters speak of that nobody has replayed, 1,000 at a time',
  tags,
  access: 'admin',
  limit: 'sensitive',
  answers: { 202: queuedSchema },
  errors: [],
}).handle(async (ctx) => ({ status: 202, body: { queued: await replayAll(ctx) } }))

const usageSchema = z
  .object({
    from: day,
    to: day,
    data: z.array(
      z.object({
        day,
        endpoint: z.string(),
        outcome: z.string().describe("`ok`, or the error's code."),
        calls: z.int(),
        cost: decimal.nullable().describe('An estimate by the configured prices; null without one.'),
      }),
    ),
    calls: z.int(),
    cost: decimal,
  })
  .meta({ id: 'PlaidUsage' })

const defaultDays = 30

export const usageRoute = route({
  id: 'adminUsage',
  method: 'GET',
  path: '/api/v1/admin/usage',
  summary: "Calls of Plaid's API by day, endpoint and outcome, with their estimated cost; the last 30 days by default",
  tags,
  access: 'admin',
  query: z.strictObject(dayRange).check(inOrder()),
  answers: { 200: usageSchema },
  errors: [],
}).handle(async ({ services, now }, { query }) => {
  const today = now().toISOString().slice(0, 10)
  const to = query.to ?? today
  const from = query.from ?? new Date(Date.parse(to) - (defaultDays - 1) * 86_400_000).toISOString().slice(0, 10)
  const report = await listUsage(services.jobs, { from, to }, services.config.plaid.prices)
  return { status: 200, body: { from, to, data: [...report.rows], calls: report.calls, cost: report.cost } }
})
