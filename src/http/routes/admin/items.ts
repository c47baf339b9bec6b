// For administrators: items and runs of all users, resync and recheck. No amounts, no names.
import * as z from 'zod'
import { type AdminItem, listAllItems } from '../../../db/operations/admin.ts'
import { type AdminSyncRun, listAllSyncRuns } from '../../../db/sync/runs.ts'
import { itemStatusTable } from '../../../item-status.ts'
import { recheckItem } from '../../../items/recheck-item.ts'
import { fullResync } from '../../../sync/full-resync.ts'
import { id, instant, timeText, timeTextOrNull } from '../../schemas.ts'
import { keyCursor, pageBody, listResponse, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'
import { queuedSchema, runSchema, runView } from '../sync.ts'

const tags = ['admin']

export const itemSchema = z
  .object({
    id,
    user_id: id,
    plaid_item_id: z.string(),
    institution_id: z.string().nullable(),
    status: z.string(),
    status_reason: z.string().nullable(),
    missed_webhooks: z.int(),
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

export function itemView(item: AdminItem): z.input<typeof itemSchema> {
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
  summary: 'List items of all users',
  tags,
  access: 'admin',
  query: z.strictObject({
    ...pageQuery,
    status: z.literal(Object.keys(itemStatusTable)).optional(),
    user_id: id.optional(),
  }),
  answers: { 200: listResponse(itemSchema, 'AdminItemList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query }) => {
  const filters = { status: query.status, userId: query.user_id }
  const page = await listAllItems(services.jobs, filters, query.limit, itemsByCreation.read(query.cursor))
  return { status: 200, body: pageBody(page, itemsByCreation, itemView) }
})

export const resyncItemRoute = route({
  id: 'adminResyncItem',
  audit: ['item_resynced'],
  method: 'POST',
  path: '/api/v1/admin/items/{id}/resync',
  summary: 'Resync an item from the start',
  tags,
  access: 'admin',
  limit: 'sensitive',
  params: z.object({ id }),
  answers: { 202: queuedSchema },
  errors: ['not_found'],
}).handle(async (ctx, input) => ({ status: 202, body: { queued: await fullResync(ctx, input.params.id) } }))

const recheckedSchema = z
  .object({
    known: z.boolean(),
    queued: z.int().min(0),
  })
  .meta({ id: 'Rechecked' })

export const recheckItemRoute = route({
  id: 'adminRecheckItem',
  audit: ['item_rechecked'],
  method: 'POST',
  path: '/api/v1/admin/items/{id}/recheck',
  summary: 'Recheck an item at Plaid',
  tags,
  access: 'admin',
  params: z.object({ id }),
  answers: { 200: recheckedSchema },
  errors: [
    'not_found',
    'conflict',
    'item_needs_attention',
    'plaid_rejected',
    'plaid_unavailable',
    'token_undecryptable',
  ],
}).handle(async (ctx, input) => {
  const { isKnown, queued } = await recheckItem(ctx, input.params.id)
  return { status: 200, body: { known: isKnown, queued } }
})

const adminRunSchema = runSchema
  .extend({ user_id: id, plaid_request_ids: z.array(z.string()) })
  .meta({ id: 'AdminSyncRun' })

function adminRunView(run: AdminSyncRun): z.input<typeof adminRunSchema> {
  return { ...runView(run), user_id: run.userId, plaid_request_ids: [...run.plaidRequestIds] }
}

const runsByStart = keyCursor('admin_sync_runs', 'instant')

export const listAllSyncRunsRoute = route({
  id: 'adminListSyncRuns',
  method: 'GET',
  path: '/api/v1/admin/sync/runs',
  summary: 'List sync runs of all users',
  tags,
  access: 'admin',
  query: z.strictObject({
    ...pageQuery,
    item_id: id.optional(),
    outcome: z.enum(['committed', 'failed', 'waiting', 'absent', 'consent_needed']).optional(),
  }),
  answers: { 200: listResponse(adminRunSchema, 'AdminSyncRunList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query }) => {
  const filters = { itemId: query.item_id, outcome: query.outcome }
  const page = await listAllSyncRuns(services.jobs, filters, query.limit, runsByStart.read(query.cursor))
  return { status: 200, body: pageBody(page, runsByStart, adminRunView) }
})
