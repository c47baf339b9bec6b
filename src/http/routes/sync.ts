// Sync on demand, and the history of runs. These routes only mark products dirty; queue consumers read the data.
import * as z from 'zod'
import { listSyncRuns, type SyncRun } from '../../db/sync/runs.ts'
import { requestSync } from '../../sync/request-sync.ts'
import { idempotencyHeaders } from '../idempotency-key.ts'
import { id, instant, timeText } from '../schemas.ts'
import { keyCursor, pageBody, listResponse, pageQuery } from '../pagination.ts'
import { route } from '../route.ts'

const tags = ['sync']
/** The scheduled syncs. */
export const queuedSchema = z
  .object({ queued: z.int().min(0).describe('The number of products whose sync was scheduled.') })
  .meta({ id: 'Queued' })

export const syncAllRoute = route({
  id: 'syncAll',
  audit: ['sync_requested'],
  method: 'POST',
  path: '/api/v1/plaid/sync/all',
  summary: 'Sync all items',
  tags,
  access: 'user',
  purpose: 'linking_and_sync',
  limit: 'sync',
  idempotency: 'stored',
  headers: idempotencyHeaders,
  answers: { 202: queuedSchema },
  errors: ['idempotency_key_in_use', 'idempotency_key_reused'],
}).handle(async (ctx) => ({ status: 202, body: { queued: await requestSync(ctx, null) } }))

export const syncItemRoute = route({
  id: 'syncItem',
  audit: ['sync_requested'],
  method: 'POST',
  path: '/api/v1/plaid/sync/item/{item_id}',
  summary: 'Sync an item',
  tags,
  access: 'user',
  purpose: 'linking_and_sync',
  limit: 'sync',
  idempotency: 'stored',
  params: z.object({ item_id: id }),
  headers: idempotencyHeaders,
  answers: { 202: queuedSchema },
  errors: ['not_found', 'idempotency_key_in_use', 'idempotency_key_reused'],
}).handle(async (ctx, { params }) => ({ status: 202, body: { queued: await requestSync(ctx, params.item_id) } }))

export const runSchema = z
  .object({
    id,
    item_id: id,
    product: z.string(),
    trigger: z.string(),
    outcome: z.string(),
    error_code: z.string().nullable(),
    pages: z.int(),
    restarts: z.int(),
    upserted: z.int(),
    removed: z.int(),
    set_aside: z.int().describe('Rows of the product that could not be read and wait for another attempt.'),
    started_at: instant,
    finished_at: instant,
  })
  .meta({ id: 'SyncRun' })

export function runView(run: SyncRun): z.input<typeof runSchema> {
  const { id: runId, product, trigger, outcome, pages, restarts, upserted, removed } = run
  return {
    id: runId,
    item_id: run.itemId,
    product,
    trigger,
    outcome,
    error_code: run.errorCode,
    pages,
    restarts,
    upserted,
    removed,
    set_aside: run.setAside,
    started_at: timeText(run.startedAt),
    finished_at: timeText(run.finishedAt),
  }
}

const byStart = keyCursor('sync_runs', 'instant')

export const listSyncRunsRoute = route({
  id: 'listSyncRuns',
  method: 'GET',
  path: '/api/v1/plaid/sync/runs',
  summary: 'List sync runs',
  tags,
  access: 'user',
  query: z.strictObject({ ...pageQuery, item_id: id.optional() }),
  answers: { 200: listResponse(runSchema, 'SyncRunList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services, actor }, { query }) => {
  const from = byStart.read(query.cursor)
  const page = await listSyncRuns(services.api, actor.identity, query.item_id ?? null, query.limit, from)
  return { status: 200, body: pageBody(page, byStart, runView) }
})
