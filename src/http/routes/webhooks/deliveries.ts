// Deliveries of events: what was sent to an endpoint, with what result, and sending it again.
import * as z from 'zod'
import { type Delivery, findDelivery, listDeliveries } from '../../../db/events/deliveries.ts'
import { AppError } from '../../../errors.ts'
import { ownerOf } from '../../../events/manage-endpoints.ts'
import { replayAllFailed, replayOne } from '../../../events/replay.ts'
import { keyCursor, listResponse, pageBody, pageQuery } from '../../pagination.ts'
import { type Route, route } from '../../route.ts'
import { id, instant, timeText, timeTextOrNull } from '../../schemas.ts'
import type { OwnerRoutes } from './owned.ts'

const states = ['pending', 'delivered', 'failed'] as const

const errorText = 'Why it failed: `status`, `timeout`, `no_response` or `malformed`; null otherwise.'
const attemptSchema = z.object({
  at: instant.describe('When the attempt ended.'),
  status: z.int().nullable().describe('The HTTP status of the response; null without one.'),
  duration_ms: z.int().describe('How long it took, in milliseconds.'),
  error: z.string().nullable().describe(errorText),
})

const deliverySchema = z
  .object({
    id,
    event_id: id.describe('The id of the event, as in the header `webhook-id`.'),
    endpoint_id: id.describe('The endpoint that the event was sent to.'),
    user_id: id.nullable().describe('The user that the event is about; null for none.'),
    item_id: id.nullable().describe('The item that the event is about; null for none.'),
    type: z.string().describe('The type of the event.'),
    state: z
      .enum(states)
      .describe(
        '`pending`: waits for its next attempt. `delivered`: the endpoint returned 2xx. `failed`: not ' +
          'attempted again, unless it is replayed.',
      ),
    attempts: z.int().describe('The number of attempts.'),
    history: z
      .array(attemptSchema)
      .describe('The latest 20 attempts, oldest first. They are kept as long as the delivery.'),
    next_attempt_at: instant.nullable().describe('When it is attempted next; null unless it is pending.'),
    last_attempt_at: instant.nullable().describe('When it was last attempted.'),
    last_status: z.int().nullable().describe('The HTTP status of the last attempt; null without a response.'),
    last_duration_ms: z.int().nullable().describe('How long the last attempt took, in milliseconds.'),
    last_error: z
      .string()
      .nullable()
      .describe(
        'Why the last attempt failed: `status`, `timeout`, `no_response`, `malformed` or `endpoint_disabled`; null otherwise.',
      ),
    created_at: instant,
  })
  .meta({ id: 'WebhookDelivery' })

function deliveryView(delivery: Delivery): z.input<typeof deliverySchema> {
  return {
    id: delivery.id,
    event_id: delivery.eventId,
    endpoint_id: delivery.endpointId,
    user_id: delivery.userId,
    item_id: delivery.itemId,
    type: delivery.type,
    state: delivery.state,
    attempts: delivery.attempts,
    history: delivery.history.map(({ at, status, durationMs, error }) => ({
      at: timeText(at),
      status,
      duration_ms: durationMs,
      error,
    })),
    next_attempt_at: timeTextOrNull(delivery.nextAttemptAt),
    last_attempt_at: timeTextOrNull(delivery.lastAttemptAt),
    last_status: delivery.lastStatus,
    last_duration_ms: delivery.lastDurationMs,
    last_error: delivery.lastError,
    created_at: timeText(delivery.createdAt),
  }
}

const byCreation = keyCursor('webhook_deliveries', 'instant')
const listSchema = listResponse(deliverySchema, 'WebhookDeliveryList')
const replayedSchema = z
  .object({
    replayed: z.int().describe('How many deliveries are attempted again. Repeat the request until it is 0.'),
  })
  .meta({ id: 'ReplayedDeliveries' })
const params = z.object({ id })
const endpointId = id.optional().describe('Only deliveries to this endpoint.')

const readRoutes = ({ access, path, tags, id: nameOf }: OwnerRoutes): readonly Route[] => [
  route({
    id: nameOf('listWebhookDeliveries'),
    method: 'GET',
    path: `${path}/deliveries`,
    summary: 'List deliveries of events',
    tags,
    ...access,
    query: z.strictObject({
      ...pageQuery,
      endpoint_id: endpointId,
      state: z.enum(states).optional().describe('Only deliveries in this state.'),
    }),
    answers: { 200: listSchema },
    errors: ['invalid_cursor'],
  }).handle(async (ctx, { query }) => {
    const filter = { endpointId: query.endpoint_id, state: query.state }
    const page = await listDeliveries(ownerOf(ctx), filter, query.limit, byCreation.read(query.cursor))
    return { status: 200, body: pageBody(page, byCreation, deliveryView) }
  }),
  route({
    id: nameOf('getWebhookDelivery'),
    method: 'GET',
    path: `${path}/deliveries/{id}`,
    summary: 'Get a delivery of an event',
    tags,
    ...access,
    params,
    answers: { 200: deliverySchema },
    errors: ['not_found'],
  }).handle(async (ctx, input) => {
    const delivery = await findDelivery(ownerOf(ctx), input.params.id)
    if (delivery === null) throw new AppError('not_found', 'There is no such delivery.')
    return { status: 200, body: deliveryView(delivery) }
  }),
]

const replayRoutes = ({ access, path, tags, id: nameOf }: OwnerRoutes): readonly Route[] => [
  route({
    id: nameOf('replayWebhookDeliveries'),
    audit: ['webhook_deliveries_replayed'],
    method: 'POST',
    path: `${path}/deliveries/replay`,
    summary: 'Replay failed deliveries of events',
    tags,
    ...access,
    limit: 'sync',
    query: z.strictObject({
      since: z.iso.datetime({ offset: true }).describe('Only deliveries of events since this time.'),
      endpoint_id: endpointId,
    }),
    answers: { 202: replayedSchema },
    errors: [],
  }).handle(async (ctx, { query }) => {
    const replayed = await replayAllFailed(ctx, { since: new Date(query.since), endpointId: query.endpoint_id ?? null })
    return { status: 202, body: { replayed } }
  }),
  route({
    id: nameOf('replayWebhookDelivery'),
    audit: ['webhook_deliveries_replayed'],
    method: 'POST',
    path: `${path}/deliveries/{id}/replay`,
    summary: 'Replay a delivery of an event',
    tags,
    ...access,
    limit: 'sync',
    params,
    answers: { 202: deliverySchema },
    errors: ['not_found'],
  }).handle(async (ctx, input) => ({ status: 202, body: deliveryView(await replayOne(ctx, input.params.id)) })),
]

/** `/deliveries/replay` comes before `/deliveries/{id}`, which matches it too. */
export const deliveryRoutes = (owner: OwnerRoutes): readonly Route[] => [...replayRoutes(owner), ...readRoutes(owner)]
