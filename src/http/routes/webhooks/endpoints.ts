// Endpoints of events.
import * as z from 'zod'
import { type Endpoint, findEndpoint, listEndpoints } from '../../../db/events/endpoints.ts'
import { AppError } from '../../../errors.ts'
import {
  changeEndpoint,
  createEndpoint,
  ownerOf,
  pingEndpoint,
  removeEndpoint,
  rotateSecret,
  type WithSecret,
} from '../../../events/manage-endpoints.ts'
import { eventTypes, isEventType } from '../../../events/types.ts'
import { keyCursor, listResponse, pageBody, pageQuery } from '../../pagination.ts'
import { type Route, route } from '../../route.ts'
import { id, instant, timeText, timeTextOrNull } from '../../schemas.ts'
import type { OwnerRoutes } from './owned.ts'

const eventType = z.enum(eventTypes)

const reasons = ['requested', 'gone', 'failing', 'behind', 'unsafe', 'no_key'] as const

const endpointSchema = z
  .object({
    id,
    url: z.string(),
    events: z.array(eventType).nullable().describe('The types of events that the endpoint gets; null for all.'),
    state: z
      .enum(['unverified', 'enabled', 'disabled'])
      .describe(
        '`unverified`: the endpoint has not answered the challenge and gets no events. `enabled`. `disabled`: ' +
          'it gets nothing until it is enabled again.',
      ),
    disabled_reason: z
      .enum(reasons)
      .nullable()
      .describe(
        'Why it is disabled. `requested`: by a request. `gone`: it returned 410. `failing`: it failed for ' +
          'three days. `behind`: it failed, and too many events were waiting. `unsafe`: its host name leads to ' +
          'a private network. `no_key`: the application that owns it has no valid API key.',
      ),
    failing_since: instant.nullable().describe('Since when every delivery failed; null after a success.'),
    previous_secret_until: instant
      .nullable()
      .describe('Until when the secret before the last rotation also signs; null without one.'),
    created_at: instant,
  })
  .meta({ id: 'WebhookEndpoint' })

const withSecretSchema = endpointSchema
  .extend({
    secret: z.string().describe('The secret that signs deliveries, `whsec_…`. It is shown this once.'),
  })
  .meta({ id: 'WebhookEndpointWithSecret' })

function endpointView(endpoint: Endpoint): z.input<typeof endpointSchema> {
  const { disabledReason } = endpoint
  return {
    id: endpoint.id,
    url: endpoint.url,
    // A type that this version no longer knows is not shown.
    events: endpoint.events?.filter(isEventType) ?? null,
    state: endpoint.state,
    disabled_reason: reasons.find((reason) => reason === disabledReason) ?? null,
    failing_since: timeTextOrNull(endpoint.failingSince),
    previous_secret_until: timeTextOrNull(endpoint.previousUntil),
    created_at: timeText(endpoint.createdAt),
  }
}

const secretView = ({ endpoint, secret }: WithSecret) => ({ ...endpointView(endpoint), secret })

const url = z.string().max(2048).describe('An https URL with a public host name.')
const events = z
  .array(eventType)
  .min(1)
  .max(eventTypes.length)
  .nullable()
  .describe('The types of events that the endpoint gets; null for all.')
const params = z.object({ id })
const listSchema = listResponse(endpointSchema, 'WebhookEndpointList')
const byCreation = keyCursor('webhook_endpoints', 'instant')
const creation = z.strictObject({ url, events: events.default(null) })
const change = z.strictObject({
  url: url.optional(),
  events: events.optional(),
  enabled: z.boolean().optional().describe('False disables the endpoint, true enables a disabled one again.'),
})

const readRoutes = ({ access, path, tags, id: nameOf }: OwnerRoutes): readonly Route[] => [
  route({
    id: nameOf('listWebhookEndpoints'),
    method: 'GET',
    path: `${path}/endpoints`,
    summary: 'List endpoints of events',
    tags,
    ...access,
    query: z.strictObject(pageQuery),
    answers: { 200: listSchema },
    errors: ['invalid_cursor'],
  }).handle(async (ctx, { query }) => {
    const page = await listEndpoints(ownerOf(ctx), query.limit, byCreation.read(query.cursor))
    return { status: 200, body: pageBody(page, byCreation, endpointView) }
  }),
  route({
    id: nameOf('getWebhookEndpoint'),
    method: 'GET',
    path: `${path}/endpoints/{id}`,
    summary: 'Get an endpoint of events',
    tags,
    ...access,
    params,
    answers: { 200: endpointSchema },
    errors: ['not_found'],
  }).handle(async (ctx, input) => {
    const endpoint = await findEndpoint(ownerOf(ctx), input.params.id)
    if (endpoint === null) throw new AppError('not_found', 'There is no such endpoint.')
    return { status: 200, body: endpointView(endpoint) }
  }),
]

const changeRoutes = ({ access, path, tags, id: nameOf }: OwnerRoutes): readonly Route[] => [
  route({
    id: nameOf('createWebhookEndpoint'),
    audit: ['webhook_endpoint_created'],
    method: 'POST',
    path: `${path}/endpoints`,
    summary: 'Create an endpoint of events',
    tags,
    ...access,
    session: 'live',
    limit: 'link',
    body: creation,
    answers: { 201: withSecretSchema },
    errors: ['validation_failed', 'conflict'],
  }).handle(async (ctx, { body }) => ({ status: 201, body: secretView(await createEndpoint(ctx, body)) })),
  route({
    id: nameOf('changeWebhookEndpoint'),
    audit: ['webhook_endpoint_changed'],
    method: 'PATCH',
    path: `${path}/endpoints/{id}`,
    summary: 'Change an endpoint of events',
    tags,
    ...access,
    session: 'live',
    limit: 'link',
    params,
    body: change,
    answers: { 200: endpointSchema },
    errors: ['not_found', 'validation_failed', 'token_undecryptable'],
  }).handle(async (ctx, { params: { id: endpointId }, body }) => {
    const wanted = { url: body.url, events: body.events, isEnabled: body.enabled }
    return { status: 200, body: endpointView(await changeEndpoint(ctx, endpointId, wanted)) }
  }),
  route({
    id: nameOf('deleteWebhookEndpoint'),
    audit: ['webhook_endpoint_deleted'],
    method: 'DELETE',
    path: `${path}/endpoints/{id}`,
    summary: 'Delete an endpoint of events',
    tags,
    ...access,
    session: 'live',
    limit: 'link',
    params,
    answers: { 204: null },
    errors: ['not_found'],
  }).handle(async (ctx, input) => {
    await removeEndpoint(ctx, input.params.id)
    return { status: 204 }
  }),
]

const secretRoutes = ({ access, path, tags, id: nameOf }: OwnerRoutes): readonly Route[] => [
  route({
    id: nameOf('rotateWebhookSecret'),
    audit: ['webhook_secret_rotated'],
    method: 'POST',
    path: `${path}/endpoints/{id}/secret`,
    summary: 'Rotate the secret of an endpoint',
    tags,
    ...access,
    session: 'live',
    limit: 'sensitive',
    params,
    answers: { 200: withSecretSchema },
    errors: ['not_found', 'conflict'],
  }).handle(async (ctx, input) => ({ status: 200, body: secretView(await rotateSecret(ctx, input.params.id)) })),
  route({
    id: nameOf('pingWebhookEndpoint'),
    audit: { none: 'A test is recorded, and a challenge only if it was answered.' },
    method: 'POST',
    path: `${path}/endpoints/{id}/ping`,
    summary: 'Test an endpoint of events',
    tags,
    ...access,
    session: 'live',
    limit: 'link',
    params,
    answers: { 200: endpointSchema },
    errors: ['not_found', 'conflict', 'token_undecryptable'],
  }).handle(async (ctx, input) => ({ status: 200, body: endpointView(await pingEndpoint(ctx, input.params.id)) })),
]

export const endpointRoutes = (owner: OwnerRoutes): readonly Route[] => [
  ...readRoutes(owner),
  ...changeRoutes(owner),
  ...secretRoutes(owner),
]
