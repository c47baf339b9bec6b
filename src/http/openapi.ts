// The table of routes as an OpenAPI 3.1 document. Runs when the document is written or checked, never for a request.
import * as z from 'zod'
import { type ErrorCode, errorTable } from '../errors.ts'
import { operationDescriptions, tagDescriptions } from './operation-descriptions.ts'
import { problemMediaType, problemSchema } from './problem.ts'
import type { Route } from './route.ts'

type Json = Record<string, unknown>
type Components = Map<string, unknown>

const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })

/** A schema as JSON Schema 2020-12, which is OpenAPI 3.1's; named parts go to the components. */
function describe(schema: z.ZodType, components: Components, io: 'input' | 'output' = 'input'): Json {
  const {
    $defs = {},
    $schema: _,
    ...described
  } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema }) => {
      // zod's patterns of days and times are 300 characters long and say what `format` says.
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

function parameters(
  place: 'path' | 'query' | 'header',
  schema: z.ZodObject | undefined,
  components: Components,
): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const { description, ...described } = describe(toType(field), components, 'output')
    const required = place === 'path' || !toType(field).safeParse(undefined).success
    return { name, in: place, required, ...(description === undefined ? {} : { description }), schema: described }
  })
}

function toType(field: unknown): z.ZodType {
  if (field instanceof z.ZodType) return field
  throw new TypeError('A field of a declaration is no schema.')
}

/** What a route can fail with beyond its own list: what its access, its input and the platform bring. */
function errorsOf(route: Route): ErrorCode[] {
  const { access, method, path } = route
  const codes: ErrorCode[] = [...route.errors]
  if (access !== 'public') codes.push('unauthorized', 'validation_failed', 'payload_too_large', 'unavailable')
  if (access !== 'public' && method !== 'GET') codes.push('bad_request', 'unsupported_media_type')
  if (access === 'admin' || (access === 'user' && method !== 'GET')) codes.push('forbidden')
  codes.push('rate_limited')
  // Also while requests cannot be counted.
  if (path !== '/health') codes.push('internal', 'misconfigured', 'unavailable')
  return [...new Set(codes)].sort()
}

const headerComponents = {
  'RateLimit-Policy': {
    description: 'The limits that hold: name, quota `q` and window `w` in seconds.',
    schema: { type: 'string', examples: ['"global";q=100;w=60, "global_hour";q=1000;w=3600'] },
  },
  RateLimit: {
    description: 'Requests `r` that each limit still admits within the next `t` seconds.',
    schema: { type: 'string', examples: ['"global";r=42;t=17, "global_hour";r=942;t=3017'] },
  },
  'Retry-After': { description: 'Seconds until it makes sense to try again.', schema: { type: 'integer', minimum: 0 } },
} as const

/** The rate limit headers of a response. Webhooks and health have them only on a 429. */
function headers({ path, limit }: Route, status: number): Json {
  const isLimited = path !== '/health' && limit !== 'webhook'
  const names: (keyof typeof headerComponents)[] = status === 429 ? ['Retry-After'] : []
  if ((isLimited && status < 300) || status === 429) names.push('RateLimit-Policy', 'RateLimit')
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

const descriptions: Readonly<Record<number, string>> = { 200: 'Done', 201: 'Made', 202: 'Taken', 204: 'Done' }

function answers(route: Route, components: Components): Json {
  const entries = Object.entries(route.answers).map(([status, schema]) => {
    const said = { description: descriptions[Number(status)] ?? 'Answered', ...headers(route, Number(status)) }
    if (schema === null) return [status, said]
    return [
      status,
      { ...said, content: { [route.mediaType ?? 'application/json']: { schema: describe(schema, components) } } },
    ]
  })
  return Object.fromEntries(entries)
}

function requestBody({ body, bodyOptional = false }: Route, components: Components): Json {
  if (body === undefined) return {}
  const schema = body === 'bytes' ? { type: 'object' } : describe(body, components)
  return { requestBody: { required: !bodyOptional, content: { 'application/json': { schema } } } }
}

function descriptionOf(id: string): string {
  const description = operationDescriptions[id]
  if (description === undefined) throw new Error(`Describe ${id} in src/http/operation-descriptions.ts.`)
  return description
}

/** The tags in use. */
function tagsOf(routes: readonly Route[]): Json[] {
  const used = new Set(routes.flatMap(({ tags }) => tags))
  const missing = [...used].find((name) => tagDescriptions[name] === undefined)
  if (missing !== undefined) throw new Error(`Describe the tag ${missing} in src/http/operation-descriptions.ts.`)
  return Object.entries(tagDescriptions).flatMap(([name, description]) =>
    used.has(name) ? [{ name, description }] : [],
  )
}

function operation(route: Route, components: Components): Json {
  const { id, summary, tags, access } = route
  const given = [
    ...parameters('path', route.params, components),
    ...parameters('query', route.query, components),
    ...parameters('header', route.headers, components),
  ]
  return {
    operationId: id,
    summary,
    description: descriptionOf(id),
    tags,
    security: access === 'public' ? [] : [{ bearer: [] }],
    ...(given.length === 0 ? {} : { parameters: given }),
    ...requestBody(route, components),
    responses: { ...answers(route, components), ...problems(route, components) },
  }
}

/** The document, with components in the order of their names, so that the same routes give the same text. */
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
      description: 'Linked banks, kept in sync and read back. Money is an exact decimal string.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: tagsOf(routes),
    paths: Object.fromEntries(byPath),
    components: {
      schemas: Object.fromEntries([...components].sort(([left], [right]) => (left < right ? -1 : 1))),
      headers: headerComponents,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}
