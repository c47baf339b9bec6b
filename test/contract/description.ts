// Plaid's own API description as JSON Schemas. It is read from the file that PLAID_OPENAPI names and never copied: it
// has no licence.
import { readFileSync } from 'node:fs'
import type { ValidateFunction } from 'ajv'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { parse } from 'yaml'
import * as z from 'zod'

type Json = Record<string, unknown>

const content = z
  .object({ 'application/json': z.object({ schema: z.unknown(), examples: z.unknown() }).partial() })
  .partial()
const operation = z.object({
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ content: content.optional() })),
})
const openapi = z.object({
  paths: z.record(z.string(), z.object({ post: operation.optional() })),
  components: z.object({ schemas: z.record(z.string(), z.looseObject({})) }),
})

export interface Example {
  path: string
  name: string
  value: unknown
}

export interface Description {
  /** What is wrong with a response, one line for each fault; empty when it matches the description. */
  answerFaults(path: string, answer: unknown, status?: number): string[]
  /** What is wrong with a request body that a client sends. */
  requestFaults(path: string, body: unknown): string[]
  /** What is wrong with a value of the schema with this name. */
  faults(schema: string, value: unknown): string[]
  /** Plaid's own examples of successful responses. */
  readonly examples: readonly Example[]
}

/** Reads the file. Throws an error that says what to do when the variable is not set. */
export function readDescription(): Description {
  const path = process.env['PLAID_OPENAPI']
  if (path === undefined || path === '') {
    throw new Error('Set PLAID_OPENAPI to the path of Plaid’s OpenAPI file (2020-09-14.yml of plaid/plaid-openapi).')
  }
  return describe(openapi.parse(parse(readFileSync(path, 'utf8'))))
}

function describe({ paths, components }: z.infer<typeof openapi>): Description {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true })
  formats.default(ajv)
  ajv.addFormat('double', true)
  ajv.addFormat('cognito_id', true)
  // Plaid's examples have `date-time`s with and without an offset.
  ajv.addFormat('date-time', /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/)
  ajv.addFormat('url', /^https?:\/\//)
  ajv.addSchema({ $id: 'plaid', components: { schemas: converted(components.schemas) } })
  const compiled = new Map<string, ValidateFunction>()
  const check = (key: string, schema: unknown, value: unknown): string[] => {
    const validate = compiled.get(key) ?? ajv.compile(anchored(converted(schema)))
    compiled.set(key, validate)
    const faults = validate(value)
      ? []
      : (validate.errors ?? []).map((fault) => `${fault.instancePath} ${fault.message ?? ''}`)
    return [...faults, ...unknownFields(components.schemas, schema, value, '')]
  }
  const jsonOf = (part: z.infer<typeof content> | undefined) => part?.['application/json']
  return {
    answerFaults: (path, answer, status = 200) =>
      check(
        `answer ${path} ${status}`,
        jsonOf(paths[path]?.post?.responses[String(status)]?.content)?.schema ?? false,
        answer,
      ),
    requestFaults: (path, body) =>
      check(`request ${path}`, jsonOf(paths[path]?.post?.requestBody?.content)?.schema ?? false, body),
    faults: (name, value) => check(`schema ${name}`, { $ref: `#/components/schemas/${name}` }, value),
    examples: Object.entries(paths).flatMap(([path, { post }]) =>
      examplesOf(path, jsonOf(post?.responses['200']?.content)?.examples),
    ),
  }
}

function examplesOf(path: string, examples: unknown): Example[] {
  if (!isRecord(examples)) return []
  return Object.entries(examples).flatMap(([name, example]) =>
    isRecord(example) && 'value' in example ? [{ path, name, value: example['value'] }] : [],
  )
}

/**
 * Converts OpenAPI 3.0 to JSON Schema: `nullable`, the boolean `exclusiveMinimum`, and annotations that mean something
 * else there.
 */
function converted(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(converted)
  if (!isRecord(schema)) return schema
  if (typeof schema['$ref'] === 'string') return { $ref: schema['$ref'] }
  const {
    nullable,
    example: _example,
    discriminator: _discriminator,
    exclusiveMinimum,
    exclusiveMaximum,
    ...rest
  } = schema
  const plain: Json = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, key === 'enum' ? value : converted(value)]),
  )
  if (typeof exclusiveMinimum === 'number') plain['exclusiveMinimum'] = exclusiveMinimum
  if (typeof exclusiveMaximum === 'number') plain['exclusiveMaximum'] = exclusiveMaximum
  return nullable === true ? { anyOf: [{ type: 'null' }, plain] } : plain
}

function anchored(schema: unknown): Json | boolean {
  if (typeof schema === 'boolean') return schema
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"plaid#/components/')
  return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
}

/** Fields that the description does not have. Its objects are open, so a misspelt field would pass the schema alone. */
function unknownFields(schemas: Record<string, Json>, schema: unknown, value: unknown, at: string): string[] {
  if (Array.isArray(value)) {
    const items = mergedItems(schemas, schema)
    return items === undefined ? [] : value.flatMap((each) => unknownFields(schemas, items, each, `${at}/*`))
  }
  if (!isRecord(value)) return []
  const known = properties(schemas, schema)
  if (known === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const property = known.get(key)
    return property === undefined
      ? [`${at}/${key} is not in the description`]
      : unknownFields(schemas, property, inner, `${at}/${key}`)
  })
}

/** All properties of a schema and of the schemas that it is composed of; null for an open map. */
function properties(schemas: Record<string, Json>, schema: unknown): Map<string, unknown> | null {
  const found = new Map<string, unknown>()
  for (const part of parts(schemas, schema)) {
    if (isRecord(part['properties']))
      for (const [key, value] of Object.entries(part['properties'])) found.set(key, value)
  }
  return found.size === 0 ? null : found
}

function mergedItems(schemas: Record<string, Json>, schema: unknown): unknown {
  return parts(schemas, schema).find((part) => 'items' in part)?.['items']
}

function parts(schemas: Record<string, Json>, schema: unknown): Json[] {
  if (!isRecord(schema)) return []
  const { $ref } = schema
  if (typeof $ref === 'string') return parts(schemas, schemas[$ref.replace('#/components/schemas/', '')])
  const inner = ['allOf', 'oneOf', 'anyOf'].flatMap((key) => {
    const list = schema[key]
    return Array.isArray(list) ? list.flatMap((part) => parts(schemas, part)) : []
  })
  return [schema, ...inner]
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
