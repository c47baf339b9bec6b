// Runs a request's statements on one connection. A batch is one transaction; any failure, cancellation or oversized
// response rolls it back. Values are passed as PostgreSQL's text.
import { type FieldDef, type PoolClient, Query, type QueryArrayResult } from 'pg'
import type { SqlQuery, SqlRequest } from './request.ts'

type Value = string | null
type Result = Pick<QueryArrayResult, 'fields' | 'command' | 'rowCount'>

const asText = { getTypeParser: () => (text: string) => text }

interface Run {
  client: PoolClient
  request: SqlRequest
  /** Aborted when the caller disconnects or the time is up; `cancel` then makes the statement fail. */
  signal: AbortSignal
  cancel: () => void
  /** Limit of the whole response, in characters while rows arrive. The caller checks the bytes at the end. */
  maxResponseLength: number
}

/** Why a response is incomplete, for reasons outside PostgreSQL. */
export type Unfinished = 'too large' | 'aborted'

export type Outcome = { body: string } | { unfinished: Unfinished }

const oid = { bool: 16, int2: 21, int4: 23, json: 114, float4: 700, float8: 701, jsonb: 3802 }

/** How Neon converts a value if the client did not ask for raw text. Arrays stay text here. */
function readValue(text: Value, { dataTypeID }: FieldDef): unknown {
  if (text === null) return null
  if (dataTypeID === oid.bool) return text === 't'
  if (dataTypeID === oid.json || dataTypeID === oid.jsonb) return JSON.parse(text)
  if (dataTypeID === oid.int2 || dataTypeID === oid.int4) return Number(text)
  const isFloat = dataTypeID === oid.float4 || dataTypeID === oid.float8
  return isFloat && Number.isFinite(Number(text)) ? Number(text) : text
}

function describeField(field: FieldDef) {
  const { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format } = field
  return { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier, format }
}

function describeResult(result: Result, rows: Value[][], query: SqlQuery, rawText: boolean) {
  const { fields, command, rowCount } = result
  const read = (row: Value[]) =>
    rawText ? row : row.map((value, index) => (fields[index] ? readValue(value, fields[index]) : value))
  const shape = (row: Value[]) => {
    const values = read(row)
    return query.arrayMode ? values : Object.fromEntries(fields.map(({ name }, index) => [name, values[index]]))
  }
  return { command, rowCount, rows: rows.map(shape), fields: fields.map(describeField), rowAsArray: query.arrayMode }
}

/** Runs one statement with the extended protocol, in which a string cannot contain two statements. */
function runQuery(run: Run, query: SqlQuery, budget: { left: number }): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const rows: Value[][] = []
    // A separate constant, because the types do not know `queryMode`.
    const config = { text: query.query, values: query.params, rowMode: 'array', queryMode: 'extended', types: asText }
    const submitted = new Query<Value[]>(config)
    submitted.on('row', (row: Value[]) => {
      if (budget.left < 0) return
      budget.left -= row.reduce((sum, value) => sum + (value?.length ?? 4) + 3, 0)
      if (budget.left < 0) run.cancel()
      else rows.push(row)
    })
    submitted.on('error', reject)
    submitted.on('end', (result) => resolve(describeResult(result, rows, query, run.request.rawText)))
    run.client.query(submitted)
  })
}

async function runStatements(run: Run, budget: { left: number }): Promise<string | null> {
  const { client, request, signal } = run
  const stopped = () => signal.aborted || budget.left < 0
  const results: unknown[] = []
  if (request.begin !== null) await client.query(request.begin)
  for (const query of request.queries) {
    if (stopped()) return null
    results.push(await runQuery(run, query, budget))
  }
  if (stopped()) return null
  const body = JSON.stringify(request.begin === null ? results[0] : { results })
  if (Buffer.byteLength(body) > run.maxResponseLength) {
    budget.left = -1
    return null
  }
  if (request.begin !== null) await client.query('COMMIT')
  return body
}

/**
 * Runs the request and returns the response's JSON. Rejects with PostgreSQL's error; the connection is then still in
 * the failed transaction, and the caller cleans or closes it.
 */
export async function runRequest(run: Run): Promise<Outcome> {
  const budget = { left: run.maxResponseLength }
  const reason = (): Unfinished => (budget.left < 0 ? 'too large' : 'aborted')
  run.signal.addEventListener('abort', run.cancel, { once: true })
  try {
    const body = await runStatements(run, budget)
    return body === null ? { unfinished: reason() } : { body }
  } catch (error) {
    if (budget.left < 0 || run.signal.aborted) return { unfinished: reason() }
    throw error
  } finally {
    run.signal.removeEventListener('abort', run.cancel)
  }
}
