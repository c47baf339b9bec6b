// The curl line of an operation. It runs as it is shown, once the variables of the page's first block are set.
import type { Operation, Schema } from './document.ts'

/** Values of the examples that only a real Link session gives, and the variables that hold them. */
const sessionValues: Readonly<Record<string, string>> = { public_token: 'PUBLIC_TOKEN', link_token: 'LINK_TOKEN' }

const singular = (noun: string): string => noun.replace(/ies$/, 'y').replace(/s$/, '')

/** `items/{id}` → ITEM_ID, `{account_id}` → ACCOUNT_ID. */
function variableOf(path: string, parameter: string): string {
  if (parameter !== 'id') return parameter.toUpperCase()
  const collection = path.split(`/{${parameter}}`)[0]?.split('/').at(-1) ?? ''
  return `${singular(collection).replaceAll('-', '_').toUpperCase()}_ID`
}

/** An id in a path: its variable, and the list that contains it. */
export interface PathVariable {
  readonly name: string
  /** The path of the list. */
  readonly list: string
}

export function pathVariables({ path, parameters }: Operation): PathVariable[] {
  return parameters
    .filter((parameter) => parameter.in === 'path')
    .map(({ name }) => ({ name: variableOf(path, name), list: path.split(`/{${name}}`)[0] ?? path }))
}

/** A text in single quotes for a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The example as JSON in single quotes, with the variables of a Link session between them. */
function quotedJson(example: unknown): string {
  const text = quoted(JSON.stringify(example))
  return Object.entries(sessionValues).reduce(
    (written, [field, variable]) => written.replace(new RegExp(`"${field}":"[^"]*"`), `"${field}":"'$${variable}'"`),
    text,
  )
}

/** A value for a required parameter. */
const valueFor = ({ format, default: usual }: Schema): string =>
  format === 'date-time' ? '2026-03-02T00:00:00Z' : JSON.stringify(usual ?? 0)

/** The JSON example of the request body; undefined without a body. */
const exampleOf = ({ requestBody }: Operation): unknown => requestBody?.content['application/json']?.example

/** Why an operation has no curl line; null where it has one. */
export function whyNoCurl({ tags, responses }: Operation): string | null {
  if (tags.includes('webhooks')) return 'Plaid signs this request. No other client can make it.'
  return responses['101'] === undefined ? null : 'A WebSocket: open it with the WebSocket API of your platform.'
}

/** The line; null where there is none. */
export function curlLine(operation: Operation): string | null {
  const { method, path, parameters } = operation
  if (whyNoCurl(operation) !== null) return null
  const target = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `$${variableOf(path, name)}`)
  const query = parameters
    .filter((parameter) => parameter.in === 'query' && parameter.required)
    .map(({ name, schema }) => `${name}=${valueFor(schema)}`)
    .join('&')
  const example = exampleOf(operation)
  const token = { public: null, user: '$TOKEN', admin: '$ADMIN_TOKEN' }[operation['x-access']]
  return [
    'curl -s',
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    ...(token === null ? [] : [`-H "Authorization: Bearer ${token}"`]),
    ...(method === 'GET' ? [] : [`-H 'Content-Type: application/json'`]),
    ...(example === undefined ? [] : [`-d ${quotedJson(example)}`]),
    `"$API${target}${query === '' ? '' : `?${query}`}"`,
  ].join(' ')
}
