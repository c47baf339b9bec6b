// Generates values that a JSON Schema of the API description accepts.
import * as fc from 'fast-check'
import * as z from 'zod'
import type { ApiDescription, Schema } from '../operations.ts'

const parts = z.object({
  type: z.enum(['object', 'array', 'string', 'integer', 'number', 'boolean', 'null']).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.record(z.string(), z.unknown())).optional(),
  properties: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  required: z.array(z.string()).default([]),
  minProperties: z.int().default(0),
  items: z.record(z.string(), z.unknown()).default({}),
  minItems: z.int().default(0),
  maxItems: z.int().default(5),
  minLength: z.int().default(0),
  maxLength: z.int().default(300),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
})
type Parts = z.infer<typeof parts>

const dayOf = (time: Date): string => time.toISOString().slice(0, 10)
const dayMs = 86_400_000

/** Any day, a day in the last three years, where data exist, or the first or last day of the calendar. */
const days: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('0001-01-01', '0001-01-02', '9999-12-31'),
  fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-31'), noInvalidDate: true }).map(dayOf),
  fc.nat(3 * 365).map((ago) => dayOf(new Date(Date.now() - ago * dayMs))),
)

/** A whole number between the schema's bounds, near to them more often than not. */
function whole({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Parts): fc.Arbitrary<number> {
  const min = Math.max(minimum ?? -1_000_000, exclusiveMinimum === undefined ? -Infinity : exclusiveMinimum + 1)
  const max = Math.min(maximum ?? min + 2_000_000, exclusiveMaximum === undefined ? Infinity : exclusiveMaximum - 1)
  return fc.integer({ min: Math.ceil(min), max: Math.floor(max) })
}

/** Text of formats and patterns; otherwise of any characters, at the schema's lengths. */
function text({ format, pattern, minLength, maxLength }: Parts): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid()
  if (format === 'date') return days
  const bound = (given: string) => given.length >= minLength && given.length <= maxLength
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern)).filter(bound)
  const lengths = { minLength, maxLength: Math.min(maxLength, 300) }
  const atBounds = fc.constantFrom('x'.repeat(minLength), 'x'.repeat(Math.min(maxLength, 3000)))
  return fc.oneof(fc.string({ ...lengths, unit: 'grapheme' }).filter(bound), fc.string(lengths), atBounds)
}

export function validValue(api: ApiDescription, given: Schema): fc.Arbitrary<unknown> {
  const schema = parts.parse(api.resolve(given))
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => validValue(api, one)))
  switch (schema.type) {
    case 'object': {
      const fields = Object.entries(schema.properties).map(([name, of]) => [name, validValue(api, of)] as const)
      const requiredKeys = schema.required
      const objects = fc.record<Record<string, unknown>>(Object.fromEntries(fields), { requiredKeys })
      return objects.filter((value) => Object.keys(value).length >= schema.minProperties)
    }
    case 'array': {
      const { minItems, maxItems } = schema
      return fc.array(validValue(api, schema.items), { minLength: minItems, maxLength: Math.min(maxItems, 5) })
    }
    case 'integer':
    case 'number':
      return whole(schema)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'string':
      return text(schema)
    case undefined:
      return fc.jsonValue({ maxDepth: 2 })
    default:
      return schema.type satisfies never
  }
}
