// For administrators: an item of any user, and a list of what happened to it. No amounts, no names.
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
    id: id,
    kind: z.enum(timelineKinds),
    at: instant,
    what: z.string(),
    product: z.string().nullable(),
    error_code: z.string().nullable(),
    plaid_request_ids: z.array(z.string()),
    request_id: z.string().nullable(),
    raw: z.record(z.string(), z.unknown()),
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
    kind: z.enum(timelineKinds).optional(),
  }),
  answers: { 200: listResponse(entrySchema, 'TimelineEntryList') },
  errors: ['not_found', 'invalid_cursor'],
}).handle(async ({ services }, { params: { id: itemId }, query: { kind, limit, cursor } }) => {
  const kinds = kind === undefined ? timelineKinds : [kind]
  const page = await listTimeline(services.jobs, itemId, kinds, limit, byTime.read(cursor))
  if (page === null) throw noItem()
  return { status: 200, body: pageBody(page, byTime, entryView) }
})
