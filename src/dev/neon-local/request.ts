// Parses one request of Neon's SQL-over-HTTP protocol. Refuses what Neon's proxy refuses, with the same statuses. Never
// repeats the connection string, because it contains a password.
import type { IncomingHttpHeaders } from 'node:http'
import * as z from 'zod'

export interface Connection {
  user: string
  password: string
  database: string
}

export interface SqlQuery {
  query: string
  params: (string | null)[]
  arrayMode: boolean
}

export interface SqlRequest {
  connection: Connection
  queries: SqlQuery[]
  /** The statement that begins the batch's transaction; null for a single query, which has none. */
  begin: string | null
  rawText: boolean
}

export interface Refusal {
  status: number
  message: string
}

const isolationLevels: Readonly<Record<string, string>> = {
  ReadUncommitted: 'READ UNCOMMITTED',
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
}

// The driver only sends text and null; numbers and booleans are for requests by hand. The proxy's JSON parser refuses
// an unpaired surrogate; JavaScript's accepts it.
const wellFormed = z.string().refine((value) => value.isWellFormed())
const parameter = z.union([wellFormed, z.null(), z.number().transform(String), z.boolean().transform(String)])
const query = z.object({ query: wellFormed, params: z.array(parameter).default([]), arrayMode: z.boolean().optional() })
const batch = z.object({ queries: z.array(query) })

export function isRefusal(value: SqlRequest | Refusal): value is Refusal {
  return 'status' in value
}

/** User, password and database of a `postgres://` URL. Ignores the host: there is only one server here. */
export function parseConnectionString(text: string): Connection | null {
  const url = /^postgres(ql)?:\/\//.test(text) ? URL.parse(text.replace(/^postgres(ql)?:/, 'http:')) : null
  const database = url === null ? null : decode(url.pathname.slice(1))
  const user = url === null ? null : decode(url.username)
  const password = url === null ? null : decode(url.password)
  return database && user && password !== null ? { user, password, database } : null
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}

function beginStatement(headers: IncomingHttpHeaders): string | null {
  const level = headers['neon-batch-isolation-level']
  const isolation = typeof level === 'string' ? isolationLevels[level] : undefined
  if (level !== undefined && isolation === undefined) return null
  const readOnly = headers['neon-batch-read-only'] === 'true'
  const deferrable = headers['neon-batch-deferrable'] === 'true'
  return ['BEGIN', isolation && `ISOLATION LEVEL ${isolation}`, readOnly && 'READ ONLY', deferrable && 'DEFERRABLE']
    .filter(Boolean)
    .join(' ')
}

/** Parses headers and body. `text` is the whole body; the caller has limited its size. */
export function parseSqlRequest(headers: IncomingHttpHeaders, text: string): SqlRequest | Refusal {
  const header = headers['neon-connection-string']
  if (typeof header !== 'string') return { status: 400, message: 'missing Neon-Connection-String header' }
  const connection = parseConnectionString(header)
  if (connection === null) return { status: 400, message: 'invalid Neon-Connection-String header' }
  const begin = beginStatement(headers)
  if (begin === null) return { status: 400, message: 'invalid isolation level' }
  const body = parseBody(text)
  if (body === null) return { status: 400, message: 'the body is neither {query, params} nor {queries: [...]}' }
  const arrayMode = headers['neon-array-mode'] === 'true'
  return {
    connection,
    queries: body.queries.map((one) => ({ ...one, arrayMode: one.arrayMode ?? arrayMode })),
    begin: body.isBatch ? begin : null,
    rawText: headers['neon-raw-text-output'] === 'true',
  }
}

function parseBody(text: string): { queries: z.infer<typeof query>[]; isBatch: boolean } | null {
  const json = parseJson(text)
  const many = batch.safeParse(json)
  if (many.success) return { queries: many.data.queries, isBatch: true }
  const one = query.safeParse(json)
  return one.success ? { queries: [one.data], isBatch: false } : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
