// Generates a value that a schema of the API's description accepts: a known one by its name, else a minimal one of its
// type. Pure.
import * as z from 'zod'

const schemaSchema = z.looseObject({
  $ref: z.string().optional(),
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  anyOf: z.array(z.record(z.string(), z.unknown())).optional(),
  minimum: z.number().optional(),
  minLength: z.number().optional(),
  format: z.string().optional(),
  properties: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  items: z.record(z.string(), z.unknown()).optional(),
})

export type Schemas = Readonly<Record<string, Record<string, unknown>>>

/** A valid id that does not exist. */
export const unknownId = '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11'

/** Accepted values, by the names of parameters and fields. */
export const samples: ReadonlyMap<string, string> = new Map(
  Object.entries({
    limit: '10',
    from: '2020-01-01',
    to: '2030-01-01',
    q: 'a',
    category: 'FOOD_AND_DRINK',
    min_amount: '-1000000',
    max_amount: '1000000',
    email: 'somebody@app.test',
    redirect_uri: 'https://app.test/',
    language: 'en',
    country_codes: 'US',
  }),
)

/** @param known values by name; lists and objects pass their name to their members */
export function sample(
  schemas: Schemas,
  given: Record<string, unknown>,
  name: string,
  known: ReadonlyMap<string, string>,
): unknown {
  const sampleOf = (of: Record<string, unknown>, key = name) => sample(schemas, of, key, known)
  const { $ref, ...schema } = schemaSchema.parse(given)
  if ($ref !== undefined) return sampleOf(schemas[$ref.replace('#/components/schemas/', '')] ?? {})
  if (schema.anyOf?.[0] !== undefined) return sampleOf(schema.anyOf[0])
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(Object.entries(schema.properties).map(([key, of]) => [key, sampleOf(of, key)]))
    case 'array':
      return schema.items === undefined ? [] : [sampleOf(schema.items)]
    case 'boolean':
      return false
    case 'integer':
    case 'number':
      return Number(known.get(name) ?? Math.max(schema.minimum ?? 0, 0))
    case undefined:
    default:
      return known.get(name) ?? schema.enum?.[0] ?? plainText(schema)
  }
}

function plainText({ format, minLength = 1 }: { format?: string | undefined; minLength?: number | undefined }): string {
  if (format === 'uuid') return unknownId
  return format === 'date' ? '2026-01-31' : 'a'.padEnd(minLength, 'bcdefghij')
}
