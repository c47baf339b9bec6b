// The parts of docs/openapi.json that the reference shows. `test/unit/http/openapi.test.ts` checks the whole document.
import * as z from 'zod'

/** A JSON Schema of the document. Keywords that the reference does not show are ignored. */
export interface Schema {
  readonly $ref?: string | undefined
  readonly type?: string | readonly string[] | undefined
  readonly format?: string | undefined
  readonly description?: string | undefined
  readonly const?: unknown
  readonly enum?: readonly unknown[] | undefined
  readonly default?: unknown
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly minLength?: number | undefined
  readonly maxLength?: number | undefined
  readonly maxItems?: number | undefined
  readonly items?: Schema | undefined
  readonly properties?: Readonly<Record<string, Schema>> | undefined
  readonly required?: readonly string[] | undefined
  readonly anyOf?: readonly Schema[] | undefined
  readonly oneOf?: readonly Schema[] | undefined
}

const schema: z.ZodType<Schema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    format: z.string().optional(),
    description: z.string().optional(),
    const: z.unknown().optional(),
    enum: z.array(z.unknown()).optional(),
    default: z.unknown().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    minLength: z.number().optional(),
    maxLength: z.number().optional(),
    maxItems: z.number().optional(),
    items: schema.optional(),
    properties: z.record(z.string(), schema).optional(),
    required: z.array(z.string()).optional(),
    anyOf: z.array(schema).optional(),
    oneOf: z.array(schema).optional(),
  }),
)

const content = z.record(z.string(), z.object({ schema, example: z.unknown().optional() }))
const parameter = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean(),
  description: z.string(),
  schema,
})
const body = z.object({ description: z.string(), required: z.boolean(), content })
const response = z.object({ description: z.string(), content: content.optional() })
const call = z.object({
  summary: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  parameters: z.array(parameter).default([]),
  requestBody: body.optional(),
  responses: z.record(z.string(), response),
})
const operation = call.extend({
  operationId: z.string(),
  'x-access': z.enum(['public', 'user', 'admin']),
  'x-rate-limits': z.array(z.string()),
})
const limit = z.object({ quota: z.number(), window_seconds: z.number() })

export const documentSchema = z.object({
  info: z.object({ title: z.string(), version: z.string(), description: z.string() }),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  webhooks: z.record(z.string(), z.object({ post: call })),
  components: z.object({ schemas: z.record(z.string(), schema) }),
  'x-rate-limits': z.record(z.string(), limit),
})

export type ApiDocument = z.infer<typeof documentSchema>
export type Parameter = z.infer<typeof parameter>
export type Body = z.infer<typeof body>
export type Response = z.infer<typeof response>
/** An operation with its place. */
export interface Operation extends z.infer<typeof operation> {
  readonly method: string
  readonly path: string
}

/** Every operation, in the order of the document. */
export const operationsOf = ({ paths }: ApiDocument): Operation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({ ...described, path, method: method.toUpperCase() })),
  )
