// For administrators: one item, and everything that happened to it in one list. No amounts, no names.
import * as z from 'zod'
import { findAnyItem } from '../../../db/operations/admin.ts'
import { listTimeline, type TimelineEntry, timelineKinds } from '../../../db/operations/timeline.ts'
import { AppError } from '../../../errors.ts'
import { keyCursor, listResponse, pageBody, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'
import { id, instant, timeText } from '../../schemas.ts'
import { itemSchema, itemView } from './items.ts'

const tags = ['admin']
const params = z.object({ id })
const noItem = (): AppError => new AppError('not_found', 'There is no such item.')

export const getAnyItemRoute = route({
  id: 'adminGetItem',
  method: 'GET',
  path: '/api/v1/admin/items/{id}',
  summary: 'Get an item of any user',
  tags,
  access: 'admin',
  about: 'item',
  params,
  answers: { 200: itemSchema },
  errors: ['not_found'],
}).handle(async ({ services }, input) => {
  const item = await findAnyItem(services.jobs, input.params.id)
  if (item === null) throw noItem()
  return { status: 200, body: itemView(item) }
})

const entrySchema = z
  .object({
    id: id.describe(
      'The id of the webhook, the run, the change, the audit row, the session, the exchange, the removal or the letter.',
    ),
    kind: z
      .enum(timelineKinds)
      .describe(
        '`webhook`: received from Plaid. `sync_run`: an attempt to read a product. `status`: the status of the item or its reason changed; the last 50 changes. `change`: a row of the audit trail. `link_session`: Link in update mode. `exchange`: of a public token. `removal`: waits to be removed at Plaid. `dead_letter`: a queue message that could not be processed.',
      ),
    at: instant.describe('When it was received, started or created.'),
    what: z
      .string()
      .describe('The type and code of the webhook, the outcome, the new status, the action, the state or the reason.'),
    product: z.string().nullable().describe('The product of a run or of a dead letter; null otherwise.'),
    error_code: z
      .string()
      .nullable()
      .describe('The error that a webhook reports, a run ended with or a status has as its reason; null for none.'),
    plaid_request_ids: z
      .array(z.string())
      .describe('Plaid’s request ids of a run, or of what changed a status, for Plaid’s support.'),
    request_id: z.string().nullable().describe('The request that made a change; null for other kinds.'),
    raw: z
      .record(z.string(), z.unknown())
      .describe(
        'The stored row without tokens. Of a webhook, only members that are codes, ids, counts, flags or times.',
      ),
  })
  .meta({ id: 'TimelineEntry' })

const entryView = (entry: TimelineEntry): z.input<typeof entrySchema> => ({
  id: entry.id,
  kind: entry.kind,
  at: timeText(entry.at),
  what: entry.what,
  product: entry.product,
  error_code: entry.errorCode,
  plaid_request_ids: [...entry.plaidRequestIds],
  request_id: entry.requestId,
  raw: entry.raw,
})

const byTime = keyCursor('item_timeline', 'instant')

export const timelineRoute = route({
  id: 'adminListItemTimeline',
  method: 'GET',
  path: '/api/v1/admin/items/{id}/timeline',
  summary: 'List what happened to an item',
  tags,
  access: 'admin',
  about: 'item',
  params,
  query: z.strictObject({
    ...pageQuery,
    kind: z.enum(timelineKinds).optional().describe('Only entries of this kind.'),
  }),
  answers: { 200: listResponse(entrySchema, 'TimelineEntryList') },
  errors: ['not_found', 'invalid_cursor'],
}).handle(async ({ services }, { params: { id: itemId }, query: { kind, limit, cursor } }) => {
  const kinds = kind === undefined ? timelineKinds : [kind]
  const page = await listTimeline(services.jobs, itemId, kinds, limit, byTime.read(cursor))
  if (page === null) throw noItem()
  return { status: 200, body: pageBody(page, byTime, entryView) }
})
