// What the scanners are to try: every request of the API's description that changes nothing for good, filled with
// values that are taken and ids that exist, so that a scanner's changes are what is refused. Asks the API, and no more.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { nobodysId, sample, samples, type Schemas } from './sample.ts'

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
  /** With values for all parameters. A `*` stands behind what is to be tried, where that is not the query or the body. */
  readonly url: string
  /** JSON, or null for none. */
  readonly body: string | null
  /** Names of what is tried. */
  readonly parameters: readonly string[]
  readonly isAdmin: boolean
}

/** The JSON that a GET of this path and query answers; null where that is no success. */
export type Ask = (pathAndQuery: string) => Promise<unknown>

/** Ends what a scan needs, or costs a hash of a password for each try. */
const leftOut: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^DELETE /, 'takes away what other requests name'],
  [/ \/api\/v1\/privacy\/erase$/, 'erases the user'],
  [/ \/api\/v1\/auth\/(?!login$)/, 'costs a hash for each try, as login does, or is for a session of its own'],
  [/ \/api\/v1\/plaid\/webhook$/, 'takes a signed body'],
]

/** Where a parameter of that name gets its value from. */
const lists = {
  item_id: '/api/v1/plaid/items',
  account_id: '/api/v1/accounts',
  transaction_id: '/api/v1/transactions',
}

const listSchema = z.object({ data: z.array(z.looseObject({ id: z.string() })) })
const objectSchema = z.record(z.string(), z.unknown())
const cursorSchema = z.object({ next_cursor: z.string() })

/** The first id that a list shows, or one that nothing has. */
async function idFrom(ask: Ask, list: string): Promise<string> {
  return listSchema.safeParse(await ask(`${list}?limit=1`)).data?.data[0]?.id ?? nobodysId
}

/** What every request is made with. */
interface Givens {
  readonly url: string
  readonly ask: Ask
  readonly schemas: Schemas
  readonly known: ReadonlyMap<string, string>
}

/** An id that exists for each in the path: known by its name, or of the list that the path goes through. */
async function idsFor({ ask, known }: Givens, path: string): Promise<Map<string, string>> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const found = names.map(async (name) => {
    const list = path.slice(0, path.indexOf(`/{${name}}`))
    return [name, known.get(name) ?? (list.includes('{') ? nobodysId : await idFrom(ask, list))] as const
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

/** Values by which a row of the list is found, so that an answer differs where a scanner's text counts. */
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
  // A cursor is a list's to give: that of its first page, where there is a second.
  const first = new URLSearchParams(query)
  first.set('limit', '1')
  const { success, data } = cursorSchema.safeParse(await ask(`${path}?${first}`))
  if (success) query.set('cursor', data.next_cursor)
  return query
}

/** One request for the query and the body, which are tried together, and one for each id in the path. */
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
  /** For a scanner that tries parameters one by one. */
  readonly requests: readonly ScanRequest[]
  /** For one that takes addresses. */
  readonly reads: readonly string[]
}

/**
 * @param url of the origin, without a slash at its end
 * @param ask as the user, or as the administrator for paths of theirs
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
