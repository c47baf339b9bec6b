import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { default as addFormats } from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { openapiText } from '../../../src/cli/openapi.ts'
import { errorTable } from '../../../src/errors.ts'
import { routes } from '../../../src/http/app.ts'
import { serveApp } from './serve-app.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

const schemaObject = z.record(z.string(), z.unknown())
const content = z.record(z.string(), z.strictObject({ schema: schemaObject, example: z.unknown().optional() }))
const referredHeaders = z.record(z.string(), z.strictObject({ $ref: z.string() }))
const operationShape = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  summary: z.string().regex(/^(?:[A-Z][a-z]+)(?: [\w-]+){0,5}$/),
  description: z.string().min(10).endsWith('.'),
  tags: z.array(z.string()).min(1),
  security: z.array(z.strictObject({ bearer: z.tuple([]) })).max(1),
  'x-access': z.enum(['public', 'user', 'admin']),
  'x-rate-limits': z.array(z.string()),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean(),
        description: z.string().endsWith('.'),
        schema: schemaObject,
      }),
    )
    .optional(),
  requestBody: z.strictObject({ description: z.string().endsWith('.'), required: z.boolean(), content }).optional(),
  responses: z.record(
    z.string().regex(/^[1-5]\d\d$/),
    z.strictObject({
      description: z.string().min(1),
      headers: referredHeaders.optional(),
      content: content.optional(),
    }),
  ),
})

/** The parts of OpenAPI 3.1 (its Schema 2022-10-07) that this project's description uses. Other parts are refused. */
const documentShape = z.strictObject({
  openapi: z.string().regex(/^3\.1\.\d+$/),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.string() })),
  tags: z.array(z.strictObject({ name: z.string(), description: z.string().endsWith('.') })),
  'x-rate-limits': z.record(z.string(), z.strictObject({ quota: z.int(), window_seconds: z.int() })),
  webhooks: z.record(
    z.string().regex(/^[a-z_.]+$/),
    z.strictObject({
      post: operationShape.omit({ operationId: true, security: true, 'x-access': true, 'x-rate-limits': true }).extend({
        responses: z.record(
          z.string().regex(/^(?:2XX|\d{3})$/),
          z.strictObject({ description: z.string().endsWith('.') }),
        ),
      }),
    }),
  ),
  paths: z.record(
    z.string().startsWith('/'),
    z.partialRecord(z.enum(['get', 'put', 'post', 'delete', 'patch']), operationShape),
  ),
  components: z.strictObject({
    schemas: z.record(z.string().regex(/^[A-Za-z0-9._-]+$/), schemaObject),
    headers: z.record(z.string(), z.strictObject({ description: z.string(), schema: schemaObject })),
    securitySchemes: z.strictObject({
      bearer: z.strictObject({ type: z.literal('http'), scheme: z.literal('bearer'), bearerFormat: z.string() }),
    }),
  }),
})

/** The address under which the document is loaded, so that its references resolve. */
const address = 'https://api.wealth.test/openapi'
const text = await readFile(join(projectFolder, 'docs/openapi.json'), 'utf8')
const document = documentShape.parse(JSON.parse(text))
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

const codesShape = z.object({ properties: z.object({ code: z.object({ enum: z.array(z.string()) }) }) })
const failures = operations.flatMap(({ method, path, operation }) =>
  Object.entries(operation.responses)
    .filter(([status]) => Number(status) >= 400)
    .map(([status, { content: given }]) => {
      return [`${method} ${path} ${status}`, Number(status), given?.['application/problem+json']?.schema] as const
    }),
)

function openAjv(): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false })
  addFormats.default(ajv)
  ajv.addKeyword('components')
  ajv.addSchema({ $id: address, components: document.components })
  return ajv
}

/** The paths of properties that a schema does not describe. */
function withoutDescription(schema: unknown, path: string): string[] {
  if (Array.isArray(schema)) return schema.flatMap((each: unknown) => withoutDescription(each, path))
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) => {
    const fields = key === 'properties' ? schemaObject.parse(value) : null
    if (fields === null) return withoutDescription(value, path)
    return Object.entries(fields).flatMap(([name, field]) => {
      const own = typeof field === 'object' && field !== null && 'description' in field ? [] : [`${path}.${name}`]
      return [...own, ...withoutDescription(field, `${path}.${name}`)]
    })
  })
}

/** Every request body and every 2xx response in JSON; the description of a stream says its format. */
const bodiesWithSchema = operations.flatMap(({ operation: { operationId, requestBody, responses } }) => {
  const successful = Object.entries(responses).filter(([status]) => status.startsWith('2'))
  const given = [
    ['request', requestBody?.content] as const,
    ...successful.map(([status, { content: of }]) => [status, of] as const),
  ]
  return given.flatMap(([what, of]) => {
    const body = of?.['application/json']
    return body === undefined ? [] : [[`${operationId} ${what}`, body] as const]
  })
})

const successes = bodiesWithSchema.flatMap(([name, { example }]) => {
  const [operationId = '', status = ''] = name.split(' ')
  return status === 'request' ? [] : [[name, operationId, Number(status), example] as const]
})

describe('the committed OpenAPI description', () => {
  it('is in step with the routes', async () => {
    expect(text).toBe(await openapiText())
  })

  it('is what the Worker serves', async () => {
    const response = await serveApp().ask('/openapi.json')
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual(JSON.parse(text))
  })

  it('has every route and no others', () => {
    const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    expect(described.toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted())
  })

  it('gives each operation its own name', () => {
    const names = operations.map(({ operation }) => operation.operationId)
    expect(new Set(names).size).toBe(names.length)
  })

  it('refers to nothing that is not there', () => {
    const references = [...text.matchAll(/"\$ref": "([^"]+)"/g)].map(([, reference = '']) => reference)
    expect(references.length).toBeGreaterThan(50)
    const known = (['schemas', 'headers'] as const).flatMap((kind) =>
      Object.keys(document.components[kind]).map((name) => `#/components/${kind}/${name}`),
    )
    expect([...new Set(references)].filter((reference) => !known.includes(reference))).toEqual([])
    expect(known.filter((name) => !references.includes(name))).toEqual([])
  })

  it('holds schemas that compile as JSON Schema 2020-12', () => {
    const ajv = openAjv()
    const compiled = Object.keys(document.components.schemas).map((name) =>
      ajv.compile({ $ref: `${address}#/components/schemas/${name}` }),
    )
    expect(compiled).toHaveLength(Object.keys(document.components.schemas).length)
  })

  it('describes every property of every schema', () => {
    const bodies = operations.map(({ operation }) => [
      operation.operationId,
      operation.requestBody?.content['application/json']?.schema,
    ])
    const schemas = { ...document.components.schemas, ...Object.fromEntries(bodies) }
    expect(Object.entries(schemas).flatMap(([name, schema]) => withoutDescription(schema, name))).toEqual([])
  })

  it.each(bodiesWithSchema)('has an example that its schema accepts: %s', (_name, { schema, example }) => {
    expect(example).toBeDefined()
    const ajv = openAjv()
    const absolute: unknown = JSON.parse(JSON.stringify(schema).replaceAll('"#/', `"${address}#/`))
    ajv.validate(z.record(z.string(), z.unknown()).parse(absolute), example)
    expect(ajv.errors ?? []).toEqual([])
  })

  it.each(successes)('has an example without undeclared fields: %s', (_name, operationId, status, example) => {
    const schema = routes.find(({ id }) => id === operationId)?.answers[status]
    expect(schema?.parse(example)).toEqual(example)
  })

  it.each(operations.map(({ method, path, operation }) => [`${method} ${path}`, path, operation] as const))(
    'declares the parameters of the path: %s',
    (_name, path, operation) => {
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      expect(inPath.every(({ required }) => required)).toBe(true)
      expect(inPath.map(({ name }) => name)).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))
    },
  )

  it.each(failures)('documents %s as a problem with its codes', (_name, status, schema) => {
    expect(schema).toMatchObject({ $ref: '#/components/schemas/Problem' })
    const { properties } = codesShape.parse(schema)
    const statuses = properties.code.enum.map(
      (code) => Object.entries(errorTable).find(([name]) => name === code)?.[1].status,
    )
    expect(new Set(statuses)).toEqual(new Set([status]))
  })

  it('documents the limits of every route, and for webhooks and health only the 429', () => {
    for (const { path, operation } of operations) {
      const headersOf = (status: string) =>
        Object.keys(operation.responses[status]?.headers ?? {})
          .filter((name) => name !== 'ETag')
          .toSorted()
      expect(headersOf('429')).toEqual(['RateLimit', 'RateLimit-Policy', 'Retry-After'])
      const success = Object.keys(operation.responses).find((status) => /^[12]/.test(status)) ?? 'none'
      expect(headersOf(success)).toEqual(/\/(webhook|health)$/.test(path) ? [] : ['RateLimit', 'RateLimit-Policy'])
    }
  })

  it('requires a token where the Worker does', () => {
    const asking = operations
      .filter(({ operation }) => operation.security.length > 0)
      .map(({ operation }) => operation.operationId)
    const closed = routes.filter(({ access }) => access !== 'public').map(({ id }) => id)
    expect(asking.toSorted()).toEqual(closed.toSorted())
    const refusing = operations
      .filter(({ operation }) => '401' in operation.responses)
      .map(({ operation }) => operation.operationId)
    const signingIn = ['login', 'refreshSession', 'verifyEmail']
    expect(refusing.toSorted()).toEqual([...asking, 'openLive', 'receiveWebhook', ...signingIn].toSorted())
  })
})
