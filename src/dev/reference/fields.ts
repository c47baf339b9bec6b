// A schema as a table of fields. A named schema is described once, and linked wherever it is used.
import { html } from 'hono/html'
import type { Parameter, Schema } from './document.ts'
import { type Html, prose } from './prose.ts'

const nameOf = (reference: string): string => reference.split('/').at(-1) ?? reference

export const schemaAnchor = (name: string): string => `schema-${name}`

const joined = (parts: readonly Html[], by: string): Html =>
  html`${parts.flatMap((part, index) => (index === 0 ? [part] : [html`${by}`, part]))}`

const codes = (values: readonly unknown[]): Html =>
  joined(
    values.map((value) => html`<code>${JSON.stringify(value)}</code>`),
    ' ',
  )

/** The type in words: `string (date)`, `list of Account`, `integer or null`. */
export function typeOf(schema: Schema): Html {
  if (schema.$ref !== undefined) {
    const name = nameOf(schema.$ref)
    return html`<a href="#${schemaAnchor(name)}">${name}</a>`
  }
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return joined(choices.map(typeOf), ' or ')
  if (schema.const !== undefined) return codes([schema.const])
  if (schema.enum !== undefined) return html`one of ${codes(schema.enum)}`
  if (schema.items !== undefined) return html`list of ${typeOf(schema.items)}`
  const names = [schema.type ?? 'any value'].flat().join(' or ')
  return html`${names}${schema.format === undefined ? '' : ` (${schema.format})`}`
}

/** A whole number that JavaScript cannot hold exactly is no limit that a reader needs. */
const isShown = (bound: number | undefined): bound is number =>
  bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER

/** What a value must keep to, besides its type. */
function rulesOf(schema: Schema): string {
  const { minimum, maximum, minLength, maxLength, maxItems } = schema
  const rules = [
    isShown(minimum) ? `at least ${minimum}` : '',
    isShown(maximum) ? `at most ${maximum}` : '',
    minLength === undefined || minLength === 0 ? '' : `at least ${minLength} characters`,
    maxLength === undefined ? '' : `at most ${maxLength} characters`,
    maxItems === undefined ? '' : `at most ${maxItems} entries`,
    schema.default === undefined ? '' : `${JSON.stringify(schema.default)} if absent`,
  ]
  return rules.filter((rule) => rule !== '').join(', ')
}

interface Field {
  readonly name: string
  readonly schema: Schema
  readonly isRequired: boolean
}

/** The schema of an object inside: itself, an entry of a list, or the one object of a choice. */
function objectIn(schema: Schema): { readonly schema: Schema; readonly suffix: string } | null {
  if (schema.properties !== undefined) return { schema, suffix: '' }
  if (schema.items !== undefined) {
    const inner = objectIn(schema.items)
    return inner === null ? null : { schema: inner.schema, suffix: `[]${inner.suffix}` }
  }
  const inner = (schema.anyOf ?? schema.oneOf ?? []).map(objectIn).filter((found) => found !== null)
  return inner.length === 1 ? (inner[0] ?? null) : null
}

/** Fields of the schema and of the objects inside, those with dotted names. */
function fieldsOf(schema: Schema, prefix = ''): Field[] {
  const found = objectIn(schema)
  return Object.entries(found?.schema.properties ?? {}).flatMap(([name, property]) => {
    const own = `${prefix}${name}`
    const inside = objectIn(property)
    return [
      { name: own, schema: property, isRequired: found?.schema.required?.includes(name) ?? false },
      ...(inside === null ? [] : fieldsOf(inside.schema, `${own}${inside.suffix}.`)),
    ]
  })
}

const row = ({ name, schema, isRequired }: Field, description: string, optional: string): Html => {
  const rules = rulesOf(schema)
  return html`<tr>
    <th scope="row"><code>${name}</code>${isRequired ? '' : html` <small>${optional}</small>`}</th>
    <td>${typeOf(schema)}${rules === '' ? '' : html`<br /><small>${rules}</small>`}</td>
    <td>${prose(description)}</td>
  </tr>`
}

const table = (caption: string, rows: readonly Html[]): Html =>
  html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">Name</th>
        <th scope="col">Type</th>
        <th scope="col">Meaning</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`

/** The fields of an object as a table; a value that is no object is described by its type. */
export function fieldTable(caption: string, schema: Schema): Html {
  const fields = fieldsOf(schema)
  if (fields.length === 0) return html`<p>${caption}: ${typeOf(schema)}</p>`
  return table(
    caption,
    fields.map((field) => row(field, field.schema.description ?? '', 'optional')),
  )
}

export function parameterTable(parameters: readonly Parameter[]): Html {
  if (parameters.length === 0) return html``
  return table(
    'Parameters',
    parameters.map(({ name, required, schema, description, in: place }) =>
      row({ name, schema, isRequired: required }, description, place === 'header' ? 'optional header' : 'optional'),
    ),
  )
}
