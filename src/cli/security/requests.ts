// Plans the scanners' requests: every request of the API's description without a permanent effect, with valid values
// and existing ids, so that a refusal is due to the scanner's change. Only reads from the API.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { unknownId, sample, samples, type Schemas } from './sample.ts'

const description = join(projectFolder, 'docs', 'openapi.json')
const operationSchema = z.object({
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), schema: z.record(z.string(), z.unknown()) }))
    .default([]),
  requestBody: z
    .object({ content: z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) })) })
    .optional(),
})
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
})
type Operation = z.infer<typeof operationSchema>

export interface ScanRequest {
  readonly method: string
  /** With values for all parameters. A `*` marks the tested part if it is neither the query nor the body. */
  readonly url: string
  /** JSON, or null without a body. */
  readonly body: string | null
  /** Names of the tested parameters. */
  readonly parameters: readonly string[]
  readonly isAdmin: boolean
}

/** The JSON of a GET of this path and query; null unless it succeeds. */
export type Ask = (pathAndQuery: string) => Promise<unknown>

/** Requests that end what a scan needs, or that cost a password hash each. */
const leftOut: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^DELETE /, 'takes away what other requests name'],
  [/ \/api\/v1\/admin\/freeze$/, 'refuses the requests after it'],
  [/ \/api\/v1\/privacy\/erase$/, 'erases the user'],
  [/ \/api\/v1\/auth\/(?!login$)/, 'costs a hash for each attempt, as login does, or is for another session'],
  [/ \/api\/v1\/plaid\/webhook$/, 'takes a signed body'],
]

/** The list that provides the value of a parameter with that name. */
const lists = {
  item_id: '/api/v1/plaid/items',
  account_id: '/api/v1/accounts',
  transaction_id: '/api/v1/transactions',
}

const listSchema = z.object({ data: z.array(z.looseObject({ id: z.string() })) })
const objectSchema = z.record(z.string(), z.unknown())
const cursorSchema = z.object({ next_cursor: z.string() })

/** The first id of a list, or one that does not exist. */
async function idFrom(ask: Ask, list: string): Promise<string> {
  return listSchema.safeParse(await ask(`${list}?limit=1`)).data?.data[0]?.id ?? unknownId
}

/** The parts that all requests share. */
interface Givens {
  readonly url: string
  readonly ask: Ask
  readonly schemas: Schemas
  readonly known: ReadonlyMap<string, string>
}

/** An existing id for each parameter in the path: a known one by its name, or one of the list in the path. */
async function idsFor({ ask, known }: Givens, path: string): Promise<Map<string, string>> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const found = names.map(async (name) => {
    const list = path.slice(0, path.indexOf(`/{${name}}`))
    return [name, known.get(name) ?? (list.includes('{') ? unknownId : await idFrom(ask, list))] as const
  })
  return new Map(await Promise.all(found))
}

const rowsSchema = z.object({
  data: z.array(
    z.looseObject({
      name: z.string().optional(),
      category: z.looseObject({ primary: z.string().nullish() }).nullish().catch(null),
    }),
  ),
})

/** Values that match a row of the list, so that a scanner's change makes a difference in the response. */
async function valuesFound(ask: Ask, path: string): Promise<[string, string][]> {
  const row = rowsSchema.safeParse(await ask(path)).data?.data.at(-1)
  if (row === undefined) return []
  const { category, name, ...rest } = row
  const known = Object.entries(rest).filter(([key, value]) => value !== null && /_id$|^pending$/.test(key))
  const values: [string, string][] = known.map(([key, value]) => [key, String(value)])
  if (category?.primary) values.push(['category', category.primary])
  if (name) values.push(['q', name.slice(0, 1)])
  return values
}

async function fillQuery({ ask, schemas, known }: Givens, path: string, parameters: Operation['parameters']) {
  if (parameters.length === 0) return new URLSearchParams()
  const values = new Map([...known, ...(await valuesFound(ask, path))])
  const wanted = parameters.filter(({ name }) => name !== 'cursor')
  const valued = wanted.map(({ name, schema }) => [
    name,
    values.get(name) ?? String(sample(schemas, schema, name, known)),
  ])
  const query = new URLSearchParams(valued)
  if (wanted.length === parameters.length) return query
  // Only a list can issue a cursor: uses that of the first page, if there is a second.
  const first = new URLSearchParams(query)
  first.set('limit', '1')
  const { success, data } = cursorSchema.safeParse(await ask(`${path}?${first}`))
  if (success) query.set('cursor', data.next_cursor)
  return query
}

/** One request for the query and the body, which are tested together, and one for each id in the path. */
async function requestsOf(givens: Givens, method: string, path: string, operation: Operation) {
  const ids = await idsFor(givens, path)
  const fill = (marked: string | null): string =>
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `${ids.get(name)}${name === marked ? '*' : ''}`)
  const inQuery = operation.parameters.filter(({ in: place }) => place === 'query')
  const query = await fillQuery(givens, fill(null), inQuery)
  const schema = operation.requestBody?.content['application/json']?.schema
  const sent = objectSchema.parse(schema === undefined ? {} : sample(givens.schemas, schema, '', givens.known))
  const shared = {
    method,
    body: schema === undefined ? null : JSON.stringify(sent),
    isAdmin: path.startsWith('/api/v1/admin/'),
  }
  const whole = `${givens.url}${fill(null)}${query.size === 0 ? '' : `?${query}`}`
  const parameters = [...query.keys(), ...Object.keys(sent)]
  const together = parameters.length === 0 ? [] : [{ ...shared, url: whole, parameters }]
  const marked = [...ids.keys()].map((name) => ({ ...shared, url: `${givens.url}${fill(name)}`, parameters: [name] }))
  return { requests: [...together, ...marked], read: method === 'GET' ? whole : null }
}

export interface ScanPlan {
  /** For a scanner that tests parameters one by one. */
  readonly requests: readonly ScanRequest[]
  /** For a scanner that takes addresses. */
  readonly reads: readonly string[]
}

/**
 * @param url the origin, without a slash at its end
 * @param ask sends as the user, or as the administrator for admin paths
 */
export async function planScan(url: string, ask: Ask): Promise<ScanPlan> {
  const { paths, components } = documentSchema.parse(JSON.parse(await readFile(description, 'utf8')))
  const ids = Object.entries(lists).map(async ([name, list]) => [name, await idFrom(ask, list)] as const)
  const known = new Map([...samples, ...(await Promise.all(ids))])
  const givens = { url, ask, schemas: components.schemas, known }
  const requests: ScanRequest[] = []
  const reads: string[] = []
  for (const [path, operations] of Object.entries(paths))
    for (const [verb, operation] of Object.entries(operations)) {
      const method = verb.toUpperCase()
      if (leftOut.some(([pattern]) => pattern.test(`${method} ${path}`))) continue
      const planned = await requestsOf(givens, method, path, operation)
      requests.push(...planned.requests)
      if (planned.read !== null) reads.push(planned.read)
    }
  return { requests, reads }
}
