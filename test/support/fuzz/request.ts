// Generates requests for an operation of the API description: valid ones, and ones that are broken in one or two
// places. Reports which of them the description itself refuses.
import * as fc from 'fast-check'
import type { ApiDescription, Operation, Parameter, Schema } from '../operations.ts'
import { almost, hostileText, hostileValue, strangeKey } from './hostile.ts'
import { validValue } from './valid.ts'

export interface FuzzedRequest {
  /** The encoded path segment of each parameter. */
  readonly path: Readonly<Record<string, string>>
  readonly query: readonly (readonly [string, string])[]
  readonly headers: Readonly<Record<string, string>>
  /** Undefined for no body. */
  readonly body: unknown
}

/** Ids of existing resources, by the path of the list that contains them. */
export type KnownIds = ReadonlyMap<string, readonly string[]>

/** Ids for a parameter: most often from the path's own list, sometimes of other resources, sometimes of none. */
function idsFor(known: KnownIds, path: string, { name, in: place }: Parameter): fc.Arbitrary<string> {
  const own = place === 'path' ? (known.get(path.slice(0, path.indexOf(`/{${name}}`))) ?? []) : []
  const all = [...known.values()].flat()
  return fc.oneof(
    fc.uuid(),
    ...(all.length === 0 ? [] : [{ weight: 2, arbitrary: fc.constantFrom(...all) }]),
    ...(own.length === 0 ? [] : [{ weight: 3, arbitrary: fc.constantFrom(...own) }]),
  )
}

/** Values for the parameters in that place, as text. */
function valuesOf(api: ApiDescription, { path, parameters }: Operation, place: Parameter['in'], known: KnownIds) {
  const placed = parameters.filter((parameter) => parameter.in === place)
  const fields = placed.map((parameter) => {
    const isId = api.resolve(parameter.schema)['format'] === 'uuid'
    return [
      parameter.name,
      isId ? idsFor(known, path, parameter) : validValue(api, parameter.schema).map(String),
    ] as const
  })
  const requiredKeys = placed.filter(({ required }) => required).map(({ name }) => name)
  return fc.record<Record<string, string>>(Object.fromEntries(fields), { requiredKeys })
}

const isDay = (text: string | undefined): text is string => /^\d{4}-\d{2}-\d{2}$/.test(text ?? '')

/** Whether days from and to are the wrong way round. */
function isReversed({ from, to }: Readonly<Record<string, string>>): boolean {
  return isDay(from) && isDay(to) && from > to
}

function inOrder(query: Record<string, string>): Record<string, string> {
  const { from = '', to = '' } = query
  return isReversed(query) ? { ...query, from: to, to: from } : query
}

/** Characters that a header can contain. The HTTP client refuses all others. */
const asHeader = (text: string): string => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?').trim()

export function validRequest(api: ApiDescription, operation: Operation, known: KnownIds): fc.Arbitrary<FuzzedRequest> {
  const { body } = operation
  return fc.record({
    path: valuesOf(api, operation, 'path', known),
    query: valuesOf(api, operation, 'query', known).map((values) => Object.entries(inOrder(values))),
    headers: valuesOf(api, operation, 'header', known).map((values) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, asHeader(value)])),
    ),
    body: body === null ? fc.constant(undefined) : validValue(api, body),
  })
}

type Mutation = (request: FuzzedRequest) => FuzzedRequest

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A copy in which one place, chosen by `pick`, has another value. */
function replaceAt(value: unknown, pick: number, replacement: unknown): unknown {
  const keys = isObject(value) || Array.isArray(value) ? Object.keys(value) : []
  const key = keys[pick % (keys.length + 1)]
  if (key === undefined) return replacement
  const rest = Math.floor(pick / (keys.length + 1))
  if (Array.isArray(value))
    return value.map((one, index) => (String(index) === key ? replaceAt(one, rest, replacement) : one))
  if (!isObject(value)) return replacement
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, name === key ? replaceAt(one, rest, replacement) : one]),
  )
}

/** Defines an own property, also for the name `__proto__`. */
const withKey = (value: unknown, key: string, added: unknown): unknown =>
  isObject(value) ? Object.fromEntries([...Object.entries(value), [key, added]]) : { [key]: added }

const valueMutation: fc.Arbitrary<Mutation> = fc
  .tuple(fc.nat(), hostileValue)
  .map(([pick, value]): Mutation => (one) => ({ ...one, body: replaceAt(one.body, pick, value) }))

const bodyMutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 4, arbitrary: valueMutation },
  fc.tuple(strangeKey, hostileValue).map(([key, value]): Mutation => (one) => ({
    ...one,
    body: withKey(one.body, key, value),
  })),
  fc.nat().map((pick): Mutation => (one) => {
    const entries = isObject(one.body) ? Object.entries(one.body) : []
    return { ...one, body: Object.fromEntries(entries.filter((_, index) => index !== pick % (entries.length + 1))) }
  }),
)

/** A copy in which one parameter, chosen by `pick`, has another value. */
function withParameter(one: FuzzedRequest, pick: number, change: (text: string) => string): FuzzedRequest {
  const at = pick % (one.query.length || 1)
  return { ...one, query: one.query.map(([name, old], index) => [name, index === at ? change(old) : old] as const) }
}

/** The parameter at the other end of a range. */
const ofRange: ReadonlyMap<string, string> = new Map([
  ['from', 'to'],
  ['to', 'from'],
])

const queryMutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(), fc.constantFrom(...almost)).map(
      ([pick, change]): Mutation =>
        (one) =>
          withParameter(one, pick, change),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(), hostileText).map(
      ([pick, value]): Mutation =>
        (one) =>
          withParameter(one, pick, () => value),
    ),
  },
  fc.tuple(strangeKey, hostileText).map(([key, value]): Mutation => (one) => ({
    ...one,
    query: [...one.query, [key, value]],
  })),
  fc.constant<Mutation>((one) => ({ ...one, query: [...one.query, ...one.query] })),
  // A range whose end is before its start.
  fc.constant<Mutation>((one) => ({
    ...one,
    query: one.query.map(([name, value]) => [ofRange.get(name) ?? name, value] as const),
  })),
)

const pathMutation: fc.Arbitrary<Mutation> = fc
  .tuple(hostileText, fc.boolean())
  .map(([value, encoded]): Mutation => (one) => {
    // Raw, but only what a request line can hold (RFC 3986 §3.3). The platform refuses anything else itself.
    const raw = value.replaceAll(/[^\w%.~!$&'()*+,;=:@/-]/g, '') || 'x'
    const segment = encoded ? encodeURIComponent(value.toWellFormed()) || '%20' : raw
    return { ...one, path: Object.fromEntries(Object.keys(one.path).map((name) => [name, segment])) }
  })

const headerNames = ['x-request-id', 'x-forwarded-host', 'x-forwarded-for', 'cookie', 'origin', 'accept', 'referer']
const headerMutation: fc.Arbitrary<Mutation> = fc
  .tuple(fc.constantFrom(...headerNames), hostileText)
  .map(([name, value]): Mutation => (one) => ({
    ...one,
    headers: { ...one.headers, [name]: asHeader(value).slice(0, 4000) },
  }))

/** A request with one or two broken places, or a valid one when the operation has no input. */
export function spoiltRequest(api: ApiDescription, operation: Operation, known: KnownIds): fc.Arbitrary<FuzzedRequest> {
  const kinds = [headerMutation, queryMutation]
  if (operation.method !== 'GET') kinds.push(bodyMutation, bodyMutation, bodyMutation)
  if (operation.path.includes('{')) kinds.push(pathMutation)
  const mutations = fc.array(fc.oneof(...kinds), { minLength: 1, maxLength: 2 })
  return fc
    .tuple(validRequest(api, operation, known), mutations)
    .map(([request, changes]) => changes.reduce((one, change) => change(one), request))
}

/** Valid requests in which one parameter at a time has a spelling that is almost valid. */
export function nearMisses(api: ApiDescription, operation: Operation, known: KnownIds, seed: number): FuzzedRequest[] {
  const inQuery = operation.parameters.filter((one) => one.in === 'query' && one.name !== 'cursor')
  const whole = {
    ...operation,
    parameters: operation.parameters.map((one) => ({ ...one, required: one.name !== 'cursor' })),
  }
  const [right] = fc.sample(validRequest(api, whole, known), { seed, numRuns: 1 })
  if (right === undefined) return []
  const wanted = { ...right, query: right.query.filter(([name]) => name !== 'cursor') }
  const swapped = wanted.query.map(([name, value]) => [ofRange.get(name) ?? name, value] as const)
  const misses = inQuery.flatMap((_, at) => almost.map((change) => withParameter(wanted, at, change)))
  return [...misses, { ...wanted, query: swapped }]
}

/** A parameter's text in the type of its schema; undefined when it does not have that type. */
function typed(schema: Schema, value: string): unknown {
  if (schema['type'] === 'integer') return /^-?(?:0|[1-9]\d*)$/.test(value) ? Number(value) : undefined
  if (schema['type'] === 'number') return value.trim() === '' || Number.isNaN(Number(value)) ? undefined : Number(value)
  if (schema['type'] === 'boolean') return value === 'true' ? true : value === 'false' ? false : undefined
  return value
}

/** Parameters for which an empty value means absent. */
const pageParameters = new Set(['cursor', 'limit', 'since'])

/** Why the description refuses a request; null when it accepts it. */
export function refusalOf(api: ApiDescription, operation: Operation, request: FuzzedRequest): string | null {
  const { parameters, body, isPrivate, method } = operation
  const names = request.query.map(([name]) => name)
  const repeated = names.some((name, index) => names.indexOf(name) !== index)
  if (isPrivate && repeated) return 'a parameter given twice'
  const known = new Map(parameters.filter((one) => one.in === 'query').map((one) => [one.name, one.schema]))
  for (const [name, value] of isPrivate ? request.query : []) {
    const schema = known.get(name)
    if (schema === undefined) return `an unknown parameter ${JSON.stringify(name)}`
    if (value === '' && pageParameters.has(name)) continue
    const violation = api.violation(schema, typed(api.resolve(schema), value))
    if (violation !== null) return `${name}: ${violation}`
  }
  if (isReversed(Object.fromEntries(request.query))) return 'a range whose end is before its beginning'
  for (const { name, schema } of parameters.filter((one) => one.in === 'path')) {
    const violation = api.violation(schema, request.path[name])
    if (violation !== null) return `${name}: ${violation}`
  }
  if (body === null || method === 'GET') return null
  const sent: unknown = request.body === undefined ? undefined : JSON.parse(JSON.stringify(request.body))
  return api.violation(body, sent)
}
