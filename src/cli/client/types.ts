// Writes the client's types from the API description, in the shape that openapi-fetch reads.
import { type Description, descriptionSchema, type Operation, type Schema } from './description.ts'

/** Headers that browsers or the client set themselves. */
const ownHeaders = new Set(['origin', 'cookie', 'sec-fetch-site', 'wn-user'])

const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`)

/** One line: the text is Markdown without line breaks. */
function comment(text: string | undefined, indent: string): string {
  return text === undefined || text === ''
    ? ''
    : `${indent}/** ${text.replaceAll('*/', '*\\/').replaceAll('\n', ' ')} */\n`
}

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value))
const union = (types: readonly string[]): string => [...new Set(types)].join(' | ')

function objectType({ properties, required = [], additionalProperties }: Schema, indent: string): string {
  const inner = `${indent}  `
  const members = Object.entries(properties ?? {}).map(([name, property]) => {
    const isOptional = !required.includes(name)
    return `${comment(property.description, inner)}${inner}${key(name)}${isOptional ? '?' : ''}: ${typeOf(property, inner)}${isOptional ? ' | undefined' : ''}\n`
  })
  const open = typeof additionalProperties === 'object' || additionalProperties === true
  const values = typeof additionalProperties === 'object' ? typeOf(additionalProperties, inner) : 'unknown'
  if (members.length === 0) return open ? `Record<string, ${values}>` : 'Record<string, never>'
  // The value of an index signature must include the types of all named members.
  return `{\n${members.join('')}${open ? `${inner}[name: string]: unknown\n` : ''}${indent}}`
}

function namedType(type: string, schema: Schema, indent: string): string {
  switch (type) {
    case 'string':
      return 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array':
      return schema.items === undefined ? 'unknown[]' : `Array<${typeOf(schema.items, indent)}>`
    case 'object':
      return objectType(schema, indent)
    default:
      throw new Error(`The API description has the type ${type}, which the client's types do not know.`)
  }
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.replace('#/components/schemas/', '')
  if (schema.enum !== undefined) return union(schema.enum.map(literal))
  if ('const' in schema && schema.const !== undefined) return literal(schema.const)
  const choices = schema.oneOf ?? schema.anyOf
  if (choices !== undefined) return union(choices.map((choice) => typeOf(choice, indent)))
  if (schema.type === undefined) return 'unknown'
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type
  return union(types.map((type) => namedType(type, schema, indent)))
}

function parametersType(operation: Operation, place: 'query' | 'path' | 'header'): string {
  const found = operation.parameters.filter(
    (parameter) => parameter.in === place && !(place === 'header' && ownHeaders.has(parameter.name.toLowerCase())),
  )
  if (found.length === 0) return `        ${place}?: never\n`
  const isOptional = found.every(({ required }) => !required)
  const properties = Object.fromEntries(
    found.map(({ name, schema, description }) => [name, { ...schema, description }]),
  )
  const required = found.filter((parameter) => parameter.required).map(({ name }) => name)
  return `        ${place}${isOptional ? '?' : ''}: ${objectType({ properties, required }, '        ')}\n`
}

function contentType(content: Operation['responses'][string]['content'], indent: string): string {
  const entries = Object.entries(content ?? {})
  if (entries.length === 0) return 'content?: never'
  const types = entries.map(([media, { schema = {} }]) => `'${media}': ${typeOf(schema, indent)}`)
  return `content: { ${types.join('; ')} }`
}

function operationType(operation: Operation): string {
  const body = operation.requestBody
  const successes = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'))
  return [
    '      parameters: {\n',
    parametersType(operation, 'query'),
    parametersType(operation, 'header'),
    parametersType(operation, 'path'),
    '        cookie?: never\n',
    '      }\n',
    body === undefined
      ? ''
      : `      requestBody${body.required ? '' : '?'}: { ${contentType(body.content, '      ')} }\n`,
    '      responses: {\n',
    ...successes.map(([status, { content }]) => `        ${status}: { ${contentType(content, '        ')} }\n`),
    "        default: { content: { 'application/problem+json': Problem } }\n",
    '      }\n',
  ].join('')
}

const methods = ['get', 'put', 'post', 'patch', 'delete'] as const

function pathType(path: string, operations: Description['paths'][string]): string {
  const members = methods.map((method) => {
    const operation = operations[method]
    return operation === undefined
      ? `    ${method}?: never\n`
      : `${comment(operation.summary, '    ')}    ${method}: {\n${operationType(operation)}    }\n`
  })
  return `  '${path}': {\n${members.join('')}  }\n`
}

/** `TransactionsChangedEvent` of `transactions.changed`. */
const eventTypeName = (type: string): string =>
  `${type.replaceAll(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase())}Event`

/** A type for each event, and their union, whose members differ by `type`. */
function eventTypes({ webhooks }: Description): string {
  const types = Object.entries(webhooks).map(([type, { post }]) => {
    const { schema } = post.requestBody.content['application/json']
    return `${comment(post.summary, '')}export type ${eventTypeName(type)} = ${typeOf(schema, '')}\n`
  })
  const about = 'What an endpoint of events gets, by `type`. A newer deployment may send other types: ignore them.'
  const members = Object.keys(webhooks).map((type) => `  | ${eventTypeName(type)}\n`)
  return [...types, `${comment(about, '')}export type WebhookEvent =\n${members.join('')}`].join('\n')
}

const isPublic = (operation: Operation | undefined): boolean => operation?.security?.length === 0

function problemCodes({ components }: Description): readonly unknown[] {
  const codes = components.schemas['Problem']?.properties?.['code']?.enum
  if (codes === undefined) throw new Error('The API description lists no codes of problems.')
  return codes
}

const list = (name: string, about: string, values: readonly unknown[]): string =>
  `/** ${about} */\nexport const ${name} = [\n${values.map((value) => `  ${literal(value)},\n`).join('')}] as const\n`

/** The text of src/client/schema.ts for a description. */
export function clientTypes(document: unknown): string {
  const description = descriptionSchema.parse(document)
  const schemas = Object.entries(description.components.schemas).map(
    ([name, schema]) => `${comment(schema.description, '')}export type ${name} = ${typeOf(schema, '')}\n`,
  )
  const publicPaths = Object.entries(description.paths)
    .filter(([, operations]) => methods.some((method) => isPublic(operations[method])))
    .map(([path]) => path)
  return [
    '// Made from docs/openapi.json by `npm run openapi`. Changes are lost.\n\n',
    list('problemCodes', 'Every code of a problem.', problemCodes(description)),
    '\n',
    list('publicPaths', 'The paths that need no access token.', publicPaths),
    '\n',
    schemas.join('\n'),
    '\n',
    eventTypes(description),
    '\n/** The routes. */\nexport interface paths {\n',
    ...Object.entries(description.paths).map(([path, operations]) => pathType(path, operations)),
    '}\n',
  ].join('')
}
