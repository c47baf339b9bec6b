// The table of routes as an OpenAPI 3.1 document. Runs when the document is written or checked, never for a request.
import * as z from 'zod'
import { type ErrorCode, errorTable } from '../errors.ts'
import { describeEvents } from './openapi-events.ts'
import { problemMediaType, problemSchema } from './problem.ts'
import { describeFields } from './reference/describe-fields.ts'
import { parameterDescriptions } from './reference/fields.ts'
import { tagDescriptions, textOf } from './reference/operations.ts'
import { defaultLimits, policyOf } from '../ratelimit/policies.ts'
import type { Route } from './route.ts'

type Json = Record<string, unknown>
type Components = Map<string, unknown>

const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })

/** A schema as JSON Schema 2020-12, as in OpenAPI 3.1; named parts become components. */
function describe(schema: z.ZodType, components: Components, io: 'input' | 'output' = 'input'): Json {
  const {
    $defs = {},
    $schema: _,
    ...described
  } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema }) => {
      // zod's patterns of dates and times are 300 characters long and redundant with `format`.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern
      delete jsonSchema.id
    },
  })
  for (const [name, part] of Object.entries($defs)) components.set(name, relocate(part))
  const name = z.globalRegistry.get(schema)?.id
  const relocated = relocate(described)
  if (name === undefined || '$ref' in relocated) return relocated
  components.set(name, relocated)
  return reference(name)
}

/** zod refers to `#/$defs/…`, OpenAPI to its components. */
function relocate(schema: unknown): Json {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')
  return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
}

/** Headers that clients send by themselves, and that a page cannot set. */
const ownHeaders: ReadonlySet<string> = new Set(['host', 'origin', 'upgrade'])

const shownFields = (schema: z.ZodObject | undefined) =>
  Object.entries(schema?.shape ?? {}).filter(([name]) => !ownHeaders.has(name))

function parameters(
  { id, ...schemas }: Pick<Route, 'id' | 'params' | 'query' | 'headers'>,
  components: Components,
): Json[] {
  const places = [
    ['path', schemas.params],
    ['query', schemas.query],
    ['header', schemas.headers],
  ] as const
  return places.flatMap(([place, schema]) =>
    shownFields(schema).map(([name, field]) => {
      const { description: own, ...described } = describe(toType(field), components, 'output')
      const required = place === 'path' || !toType(field).safeParse(undefined).success
      const description = textOf(id).parameters?.[name] ?? own ?? parameterDescriptions[name]
      if (description === undefined) throw new Error(`Describe ${name} of ${id} in src/http/reference.`)
      return { name, in: place, required, description, schema: described }
    }),
  )
}

function toType(field: unknown): z.ZodType {
  if (field instanceof z.ZodType) return field
  throw new TypeError('A field of a declaration is no schema.')
}

/** All error codes of a route: its own, and those of its access, its input and the platform. */
function errorsOf(route: Route): ErrorCode[] {
  const { access, method, path } = route
  const codes: ErrorCode[] = [...route.errors]
  if (route.purpose !== undefined) codes.push('purpose_not_allowed')
  if (access !== 'public') codes.push('unauthorized', 'validation_failed', 'payload_too_large', 'unavailable')
  if (access !== 'public' && method !== 'GET') codes.push('bad_request', 'unsupported_media_type')
  if (access === 'admin' || (access === 'user' && method !== 'GET')) codes.push('forbidden')
  // Any write, while an operator has frozen the deployment.
  if (method !== 'GET') codes.push('frozen')
  codes.push('rate_limited', 'https_required')
  // `unavailable` also while requests cannot be counted.
  if (path !== '/health') codes.push('internal', 'misconfigured', 'unavailable')
  return [...new Set(codes)].sort()
}

const headerComponents = {
  'RateLimit-Policy': {
    description: 'The limits that apply: name, quota `q` and window `w` in seconds.',
    schema: { type: 'string', examples: ['"global";q=100;w=60, "global_hour";q=1000;w=3600'] },
  },
  RateLimit: {
    description: 'The requests `r` that each limit still admits within the next `t` seconds.',
    schema: { type: 'string', examples: ['"global";r=42;t=17, "global_hour";r=942;t=3017'] },
  },
  ETag: {
    description: 'The tag of the response. Send it as `If-None-Match` to get 304 while nothing has changed.',
    schema: { type: 'string', examples: ['W/"mYmEr7sBdVZ6UfYyqV7o1g"'] },
  },
  'Retry-After': { description: 'Seconds to wait before the next attempt.', schema: { type: 'integer', minimum: 0 } },
} as const

/** Every limit with its default quota, as an extension of the document. */
const limitComponents = Object.fromEntries(
  Object.entries(defaultLimits).map(([name, { quota, windowMs }]) => [
    name,
    { quota, window_seconds: windowMs / 1000 },
  ]),
)

/** The names of the limits that a request of the route counts against. */
function limitsOf({ path, limit }: Route): string[] {
  if (path === '/health') return []
  if (limit === 'webhook') return ['webhook_failed', 'webhook_repeated']
  const own = policyOf(limit ?? null)
  return ['global', 'global_hour', ...(own === null ? [] : [own])]
}

/** The entity tag, and the rate limit headers of a response. Webhooks and health have them only on a 429. */
function headers({ path, limit, entityTag }: Route, status: number): Json {
  const isLimited = path !== '/health' && limit !== 'webhook'
  const names: (keyof typeof headerComponents)[] = status === 429 ? ['Retry-After'] : []
  if (entityTag !== undefined && status < 400) names.push('ETag')
  if ((isLimited && status < 400) || status === 429) names.push('RateLimit-Policy', 'RateLimit')
  if (names.length === 0) return {}
  return { headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])) }
}

function problems(route: Route, components: Components): Json {
  const byStatus = Map.groupBy(errorsOf(route), (code) => errorTable[code].status)
  const sorted = [...byStatus].sort(([left], [right]) => left - right)
  const entries = sorted.map(([status, codes]) => {
    const schema = { ...describe(problemSchema, components), properties: { code: { enum: codes } } }
    const description = [...new Set(codes.map((code) => errorTable[code].title))].join(' · ')
    return [status, { description, ...headers(route, status), content: { [problemMediaType]: { schema } } }]
  })
  return Object.fromEntries(entries)
}

const exampleOf = (example: unknown): Json => (example === undefined ? {} : { example })

/** A stream has no schema; the operation's text describes its content. */
const streamContent = (mediaTypes: readonly string[]): Json =>
  Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema: { type: 'string' } }]))

function answers(route: Route, components: Components): Json {
  const { responses, example } = textOf(route.id)
  const entries = Object.entries(route.answers).map(([status, schema]) => {
    const description = responses[Number(status)]
    if (description === undefined) throw new Error(`Describe the ${status} of ${route.id} in src/http/reference.`)
    const head = { description, ...headers(route, Number(status)) }
    if (schema === null || status === '101') return [status, head]
    if (route.streams !== undefined) return [status, { ...head, content: streamContent(route.streams) }]
    const content = { schema: describe(schema, components), ...exampleOf(example?.response) }
    return [status, { ...head, content: { [route.mediaType ?? 'application/json']: content } }]
  })
  if (route.entityTag !== undefined)
    entries.push(['304', { description: 'The tag names the current response.', ...headers(route, 304) }])
  return Object.fromEntries(entries)
}

function requestBody({ id, body, bodyOptional = false }: Route, components: Components): Json {
  if (body === undefined) return {}
  const { body: description, example } = textOf(id)
  if (description === undefined) throw new Error(`Describe the body of ${id} in src/http/reference.`)
  const schema = body === 'bytes' ? { type: 'object' } : describeFields(describe(body, components), id)
  const content = { schema, ...exampleOf(example?.request) }
  return { requestBody: { description, required: !bodyOptional, content: { 'application/json': content } } }
}

const ifNoneMatch = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'The `ETag` of an earlier response. If it is still current, the response is 304 without a body.',
  schema: { type: 'string' },
}

/** The tags in use. */
function tagsOf(routes: readonly Route[]): Json[] {
  const used = new Set(routes.flatMap(({ tags }) => tags))
  const missing = [...used].find((name) => tagDescriptions[name] === undefined)
  if (missing !== undefined) throw new Error(`Describe the tag ${missing} in src/http/reference/operations.ts.`)
  return Object.entries(tagDescriptions).flatMap(([name, description]) =>
    used.has(name) ? [{ name, description }] : [],
  )
}

function operation(route: Route, components: Components): Json {
  const { id, summary, tags, access } = route
  const given = [...parameters(route, components), ...(route.entityTag === undefined ? [] : [ifNoneMatch])]
  return {
    operationId: id,
    summary,
    description: textOf(id).description,
    tags,
    security: access === 'public' ? [] : [{ bearer: [] }],
    'x-access': access,
    'x-rate-limits': limitsOf(route),
    ...(given.length === 0 ? {} : { parameters: given }),
    ...requestBody(route, components),
    responses: { ...answers(route, components), ...problems(route, components) },
  }
}

/** The document. Components are sorted by name, so the same routes produce the same text. */
export function describeApi(routes: readonly Route[], version: string): Json {
  const components: Components = new Map()
  const byPath = [...Map.groupBy(routes, (route) => route.path)].map(([path, ofPath]) => [
    path,
    Object.fromEntries(ofPath.map((route) => [route.method.toLowerCase(), operation(route, components)])),
  ])
  return {
    openapi: '3.1.1',
    info: {
      title: 'WealthNavigator Edge',
      version,
      description:
        'Links bank accounts through Plaid, keeps their data in sync and returns it. Amounts are exact ' +
        'decimal strings. Errors are RFC 9457 problems with a stable `code`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: tagsOf(routes),
    paths: Object.fromEntries(byPath),
    'x-rate-limits': limitComponents,
    webhooks: describeEvents((schema, name) => describeFields(describe(schema, components, 'output'), name)),
    components: {
      schemas: Object.fromEntries(
        [...components]
          .sort(([left], [right]) => (left < right ? -1 : 1))
          .map(([name, schema]) => [name, describeFields(schema, name)]),
      ),
      headers: headerComponents,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}
