// Adds the descriptions of fields.ts to a schema.
import * as z from 'zod'
import { fieldDescriptions } from './fields.ts'

type Json = Record<string, unknown>
const object = z.record(z.string(), z.unknown())

function describeField(field: unknown, path: string, name: string): Json {
  const described = describeFields(field, path)
  if (described['description'] !== undefined) return described
  const description = fieldDescriptions[path] ?? fieldDescriptions[name]
  if (description === undefined) throw new Error(`Describe ${path} in src/http/reference/fields.ts.`)
  return { ...described, description }
}

function describeMember(key: string, value: unknown, path: string): unknown {
  if (Array.isArray(value))
    return value.map((each: unknown) => (object.safeParse(each).success ? describeFields(each, path) : each))
  const parsed = object.safeParse(value)
  if (!parsed.success) return value
  if (key !== 'properties') return describeFields(value, path)
  const fields = Object.entries(parsed.data).map(([name, field]) => [
    name,
    describeField(field, `${path}.${name}`, name),
  ])
  return Object.fromEntries(fields)
}

/**
 * A schema in which every property has a description.
 * @param path the name of the component or operation
 * @throws Error naming a property that has none
 */
export function describeFields(schema: unknown, path: string): Json {
  const members = Object.entries(object.parse(schema))
  return Object.fromEntries(members.map(([key, value]) => [key, describeMember(key, value, path)]))
}
