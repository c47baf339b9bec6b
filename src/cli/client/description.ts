// The parts of docs/openapi.json from which the client's types are made. An unknown keyword of a schema is an error, because
// a type that ignores it could be wrong.
import * as z from 'zod'

export interface Schema {
  readonly $ref?: string | undefined
  readonly type?: string | readonly string[] | undefined
  readonly enum?: readonly unknown[] | undefined
  readonly const?: unknown
  readonly anyOf?: readonly Schema[] | undefined
  readonly oneOf?: readonly Schema[] | undefined
  readonly properties?: Readonly<Record<string, Schema>> | undefined
  readonly required?: readonly string[] | undefined
  readonly additionalProperties?: boolean | Schema | undefined
  readonly items?: Schema | undefined
  readonly description?: string | undefined
}

/** Keywords that restrict values and not the type. */
const restrictions = z.object({
  default: z.unknown(),
  examples: z.unknown(),
  format: z.unknown(),
  maximum: z.unknown(),
  maxItems: z.unknown(),
  maxLength: z.unknown(),
  maxProperties: z.unknown(),
  minimum: z.unknown(),
  minItems: z.unknown(),
  minLength: z.unknown(),
  minProperties: z.unknown(),
  exclusiveMinimum: z.unknown(),
  exclusiveMaximum: z.unknown(),
  pattern: z.unknown(),
  propertyNames: z.unknown(),
})

const schema: z.ZodType<Schema> = z.strictObject({
  ...restrictions.partial().shape,
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  get anyOf() {
    return z.array(schema).optional()
  },
  get oneOf() {
    return z.array(schema).optional()
  },
  get properties() {
    return z.record(z.string(), schema).optional()
  },
  required: z.array(z.string()).optional(),
  get additionalProperties() {
    return z.union([z.boolean(), schema]).optional()
  },
  get items() {
    return schema.optional()
  },
  description: z.string().optional(),
})

const content = z.record(z.string(), z.object({ schema: schema.optional() })).optional()

const operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  security: z.array(z.unknown()).optional(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.enum(['query', 'path', 'header']),
        required: z.boolean().default(false),
        description: z.string().optional(),
        schema,
      }),
    )
    .default([]),
  requestBody: z.object({ required: z.boolean().default(false), content }).optional(),
  responses: z.record(z.string(), z.object({ content })),
})

export type Operation = z.infer<typeof operation>

/** A request that the API sends. */
const event = z.object({
  post: z.object({
    summary: z.string(),
    requestBody: z.object({ content: z.object({ 'application/json': z.object({ schema }) }) }),
  }),
})

export const descriptionSchema = z.object({
  paths: z.record(z.string(), z.record(z.enum(['get', 'put', 'post', 'patch', 'delete']), operation.optional())),
  webhooks: z.record(z.string(), event),
  components: z.object({ schemas: z.record(z.string(), schema) }),
})

export type Description = z.infer<typeof descriptionSchema>
