// The section `webhooks` of the OpenAPI document: the requests that endpoints of events get.
import * as z from 'zod'
import { controlSchemas, eventSchemas } from '../events/types.ts'
import { eventTypeTexts } from './reference/event-types.ts'

type Json = Record<string, unknown>

const headers = {
  'webhook-id': 'The id of the event, the same in every attempt and replay.',
  'webhook-timestamp': 'When the request was signed, in seconds since 1970.',
  'webhook-signature':
    'Signatures of Standard Webhooks, `v1,` and base64, separated by spaces: two while a rotated secret is also valid.',
} as const

const parameters = Object.entries(headers).map(([name, description]) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
}))

const bodyOf = (type: string, data: z.ZodObject) =>
  z.object({
    type: z.literal(type).describe('The type of the event.'),
    timestamp: z.iso.datetime({ precision: 3 }).describe('When it happened.'),
    data: data.describe('What it says.'),
  })

const answers: Json = {
  '2XX': { description: 'Accepted. Any other status, or none within ten seconds, is a failure that is tried again.' },
  '410': { description: 'The endpoint wants nothing else. It is disabled.' },
}

const answersOf = (type: string): Json =>
  type === 'endpoint.verification'
    ? { '200': { description: 'The challenge, as `{"challenge": "…"}`. The endpoint gets events from then on.' } }
    : answers

/** @param describe a schema as JSON Schema, with a description of each field */
export function describeEvents(describe: (schema: z.ZodType, name: string) => Json): Json {
  const entries = Object.entries<z.ZodObject>({ ...eventSchemas, ...controlSchemas }).map(([type, data]) => {
    const text = eventTypeTexts[type]
    if (text === undefined) throw new Error(`Describe the event ${type} in src/http/reference/event-types.ts.`)
    const schema = describe(bodyOf(type, data), type)
    const operation = {
      summary: text.summary,
      description: text.description,
      tags: ['events'],
      parameters,
      requestBody: { description: 'The event.', required: true, content: { 'application/json': { schema } } },
      responses: answersOf(type),
    }
    return [type, { post: operation }]
  })
  return Object.fromEntries(entries)
}
