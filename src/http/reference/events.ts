// The texts of the operations of events, once for users and once for administrators, who have the events of every user.
import { type OperationText, type OperationTexts, page, paged, sample } from './text.ts'

const endpoint = {
  id: sample.row,
  url: 'https://app.example.com/events',
  events: null,
  state: 'enabled',
  disabled_reason: null,
  failing_since: null,
  previous_secret_until: null,
  created_at: sample.time,
}
const secret = 'whsec_ZXhhbXBsZS1leGFtcGxlLWV4YW1wbGUtZXhhbXBsZQ=='
const delivery = {
  id: sample.run,
  event_id: '88888888-8888-4888-8888-888888888888',
  endpoint_id: sample.row,
  user_id: sample.user,
  item_id: sample.item,
  type: 'transactions.changed',
  state: 'delivered',
  attempts: 1,
  next_attempt_at: null,
  last_attempt_at: sample.time,
  last_status: 204,
  last_duration_ms: 84,
  last_error: null,
  history: [{ at: sample.time, status: 204, duration_ms: 84, error: null }],
  created_at: sample.time,
}

const endpointId = { id: 'The id of the endpoint.' }
const deliveryId = { id: 'The id of the delivery.' }

/** @param whose the events that the endpoints get */
const textsFor = (whose: string): Readonly<Record<string, OperationText>> => ({
  listWebhookEndpoints: {
    description: `Returns the endpoints that get the events of ${whose}, oldest first. ${paged}`,
    responses: { 200: 'A page of endpoints.' },
    example: { response: page(endpoint) },
  },
  getWebhookEndpoint: {
    description: `Returns one endpoint that gets the events of ${whose}.`,
    parameters: endpointId,
    responses: { 200: 'The endpoint.' },
    example: { response: endpoint },
  },
  createWebhookEndpoint: {
    description:
      `Creates an endpoint for the events of ${whose}, and sends it \`endpoint.verification\` with a challenge. ` +
      'An endpoint that returns `{"challenge": "…"}` gets events from then on; one that does not stays ' +
      '`unverified`, and `/ping` sends another challenge. Requests are signed as Standard Webhooks. Returns ' +
      'the endpoint with its secret, which is shown this once.',
    body: 'The URL, and the types of events.',
    responses: { 201: 'The endpoint and its secret.' },
    example: {
      request: { url: endpoint.url, events: ['transactions.changed', 'item.status_changed'] },
      response: { ...endpoint, events: ['transactions.changed', 'item.status_changed'], secret },
    },
  },
  changeWebhookEndpoint: {
    description:
      'Changes the URL or the events of an endpoint, disables it, or enables it again. With another URL, or ' +
      'when it is enabled again, it has to return a challenge first. Returns the endpoint.',
    parameters: endpointId,
    body: 'What to change.',
    responses: { 200: 'The endpoint.' },
    example: {
      request: { enabled: false },
      response: { ...endpoint, state: 'disabled', disabled_reason: 'requested' },
    },
  },
  deleteWebhookEndpoint: {
    description: 'Deletes an endpoint with the record of its deliveries. It gets nothing from then on.',
    parameters: endpointId,
    responses: { 204: 'The endpoint is deleted.' },
  },
  rotateWebhookSecret: {
    description:
      'Replaces the secret of an endpoint. For 24 hours each request has two signatures, of the new secret ' +
      'and of the one before. A second rotation within that time ends the oldest one. Returns the endpoint ' +
      'with its new secret, which is shown this once.',
    parameters: endpointId,
    responses: { 200: 'The endpoint and its new secret.' },
    example: { response: { ...endpoint, previous_secret_until: '2026-03-03T09:30:00.000Z', secret } },
  },
  pingWebhookEndpoint: {
    description:
      'Tests an endpoint. Sends a challenge to one that is `unverified`, and queues an event `ping` for one ' +
      'that is `enabled`; its result is in the list of deliveries. Returns the endpoint.',
    parameters: endpointId,
    responses: { 200: 'The endpoint.' },
    example: { response: endpoint },
  },
  listWebhookDeliveries: {
    description:
      `Returns what was sent, or waits to be sent, to endpoints of ${whose}, newest first. Deliveries are kept ` +
      `for 30 days. ${paged}`,
    responses: { 200: 'A page of deliveries.' },
    example: { response: page(delivery) },
  },
  getWebhookDelivery: {
    description: 'Returns one delivery.',
    parameters: deliveryId,
    responses: { 200: 'The delivery.' },
    example: { response: delivery },
  },
  replayWebhookDeliveries: {
    description:
      'Attempts failed deliveries again: the oldest 1,000 of events since a time, for three more days each. Returns how many.',
    responses: { 202: 'The number of deliveries.' },
    example: { response: { replayed: 12 } },
  },
  replayWebhookDelivery: {
    description:
      'Attempts a delivery again, delivered or not, with the same event and `webhook-id`. Returns the delivery.',
    parameters: deliveryId,
    responses: { 202: 'The delivery.' },
    example: { response: { ...delivery, state: 'pending', next_attempt_at: sample.time } },
  },
})

const ofAdministrators = Object.entries(textsFor('every user')).map(([name, text]): [string, OperationText] => [
  `admin${name.charAt(0).toUpperCase()}${name.slice(1)}`,
  text,
])

export const eventTexts: OperationTexts = {
  ...textsFor(
    'the user, or, for an API key of an application with the scope `webhooks` and without `WN-User`, of all users of the application',
  ),
  ...Object.fromEntries(ofAdministrators),
}
