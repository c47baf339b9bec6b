// One database behind Neon's SQL-over-HTTP protocol, real or stand-in, with a scratch schema of this run. Sends the
// protocol's requests without the driver, because the assertions are about the bytes on the wire.
import { randomBytes } from 'node:crypto'
import * as z from 'zod'

export interface SqlQuery {
  readonly query: string
  readonly params?: readonly (string | null)[]
}

export interface SqlResponse {
  readonly status: number
  readonly headers: Headers
  /** The parsed body, or its text if it is not JSON. */
  readonly body: unknown
}

export interface SqlRequest {
  /** An array is sent as a batch. */
  readonly send: SqlQuery | readonly SqlQuery[]
  readonly headers?: Readonly<Record<string, string>>
  /** A login other than the owner's. */
  readonly url?: string
  readonly signal?: AbortSignal
}

export interface NeonTarget {
  /** The owner's connection string. */
  readonly url: string
  readonly endpoint: string
  /** The schema of this run, which qualifies its tables. */
  readonly schema: string
  /** A role of this run; `open` creates it and `close` drops it. */
  readonly role: string
  readonly password: string
  /** What only the stand-in can do; null at the real service. */
  readonly controls: NeonControls | null
  ask(request: SqlRequest): Promise<SqlResponse>
  /** Sends a body unchanged, even if it is invalid. */
  post(body: string, headers?: Readonly<Record<string, string>>): Promise<SqlResponse>
  /** The rows of one statement of the owner. Rejects if it fails. */
  rows(query: string, params?: readonly (string | null)[]): Promise<readonly Readonly<Record<string, unknown>>[]>
}

export interface NeonControls {
  /** Cuts all connections and empties unlogged tables, as a restart of the compute does. */
  restart(): Promise<void>
}

export interface NeonPlace {
  readonly url: string
  readonly endpoint: string
  readonly controls: NeonControls | null
}

const timeoutMs = 60_000
const result = z.looseObject({ rows: z.array(z.record(z.string(), z.unknown())) })
const failure = z.looseObject({ message: z.string(), code: z.string() })

/** The status of a failed request, and the members `code` and `message` of its body. */
export function failureOf({ status, body }: SqlResponse): { status: number; code: string | null; message: string } {
  const parsed = failure.safeParse(body)
  return parsed.success
    ? { status, code: parsed.data.code, message: parsed.data.message }
    : { status, code: null, message: '' }
}

/** The rows of a single query's response. Rejects if it failed. */
export function rowsOf(answer: SqlResponse): readonly Readonly<Record<string, unknown>>[] {
  if (answer.status === 200) return result.parse(answer.body).rows
  const { code, message } = failureOf(answer)
  throw new Error(`the statement failed with ${answer.status} ${code ?? ''}: ${message}`)
}

/** The rows of each statement of a batch. Rejects if it failed. */
export function batchRowsOf(answer: SqlResponse): readonly (readonly Readonly<Record<string, unknown>>[])[] {
  if (answer.status !== 200) return [rowsOf(answer)]
  return z
    .looseObject({ results: z.array(result) })
    .parse(answer.body)
    .results.map(({ rows }) => rows)
}

function parsedBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function withLogin(url: string, user: string, password: string): string {
  const changed = new URL(url)
  changed.username = user
  changed.password = password
  return changed.href
}

/** The connection string of the run's role. */
export function roleUrl({ url, role, password }: NeonTarget): string {
  return withLogin(url, role, password)
}

/** The target itself. Sends nothing. */
export function neonTarget({ url, endpoint, controls }: NeonPlace, name: string): NeonTarget {
  const post = async (
    body: string,
    headers: Readonly<Record<string, string>> = {},
    signal = AbortSignal.timeout(timeoutMs),
  ): Promise<SqlResponse> => {
    const all = { 'content-type': 'application/json', 'neon-connection-string': url, ...headers }
    const response = await fetch(endpoint, { method: 'POST', headers: all, body, signal })
    return { status: response.status, headers: response.headers, body: parsedBody(await response.text()) }
  }
  const ask = ({ send, headers, url: login, signal }: SqlRequest): Promise<SqlResponse> => {
    const body = 'query' in send ? { params: [], ...send } : { queries: send.map((one) => ({ params: [], ...one })) }
    const connection = login === undefined ? {} : { 'neon-connection-string': login }
    return post(JSON.stringify(body), { ...headers, ...connection }, signal)
  }
  const rows = async (query: string, params: readonly (string | null)[] = []) =>
    rowsOf(await ask({ send: { query, params } }))
  const password = randomBytes(24).toString('base64url')
  return { url, endpoint, schema: name, role: name, password, controls, ask, post, rows }
}

/** Creates the run's schema and role. `close` drops both, also after a failure. */
export async function openNeonTarget(place: NeonPlace): Promise<{ target: NeonTarget; close: () => Promise<void> }> {
  const name = `wn_conformance_${randomBytes(6).toString('hex')}`
  const target = neonTarget(place, name)
  const close = async () => {
    await target.rows(`drop schema if exists ${name} cascade`)
    // All grants of the role were in the schema.
    await target.rows(`drop role if exists ${name}`)
  }
  try {
    await target.rows(`create schema ${name}`)
    await target.rows(`create role ${name} nologin`)
    return { target, close }
  } catch (error) {
    await close()
    throw error
  }
}
