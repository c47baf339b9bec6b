// Neon over HTTP: the three logins as three types that cannot be confused, and the database's failures without the
// statements, parameters and connection strings that the driver's errors contain.
import { neon, neonConfig, type NeonQueryFunction } from '@neondatabase/serverless'
import type { BatchItem } from 'drizzle-orm/batch'
import { drizzle, type NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { pauseMs } from '../../retry.ts'
import { withDeadline } from '../../timeout.ts'
import { AppError, frozenError } from '../../errors.ts'
import { measured } from '../../monitoring/operation.ts'
import { isRejection, sqlState } from './sql-state.ts'
import { type Batch, isStatement, partsOf, type Results, resultsOf, type Statement } from './statement.ts'
import { nameOfBatch } from './statement-name.ts'

type LoginName = 'wn_api' | 'wn_jobs' | 'wn_identity' | 'wn_backup'

export interface Database<Login extends LoginName> {
  readonly login: Login
  readonly connection: NeonHttpDatabase
  /** The same with `longTimeoutMs` as its deadline. */
  readonly slowConnection: NeonHttpDatabase
}
export type ApiDatabase = Database<'wn_api'>
export type JobsDatabase = Database<'wn_jobs'>
/** The login of built-in accounts. */
export type IdentityDatabase = Database<'wn_identity'>

/**
 * Milliseconds after which a call, with all of its statements, is aborted. Longer than the login's `statement_timeout`
 * (migrations/0006, 0019), which applies to each statement: a call with one slow statement ends with PostgreSQL's
 * response, and the deadline is for a server that does not respond at all.
 */
export const callTimeoutMs = { wn_api: 15_000, wn_jobs: 75_000, wn_identity: 15_000, wn_backup: 15_000 } as const

/**
 * The deadline of a call with several statements that may be slow, such as a commit: four of them can take as long as
 * PostgreSQL allows. Three attempts fit in the 15 minutes of an invocation; one that PostgreSQL ends because of a
 * deadlock takes seconds.
 */
export const longTimeoutMs = 240_000

/**
 * A login's database. Nothing is connected yet: each call is one HTTPS request.
 * @param endpoint URL of a local Neon endpoint; null for Neon itself
 */
export function connect<Login extends LoginName>(
  login: Login,
  url: string,
  endpoint: string | null,
  timeoutMs: number = callTimeoutMs[login],
): Database<Login> {
  if (endpoint !== null) neonConfig.fetchEndpoint = endpoint
  const connectionWith = (milliseconds: number) =>
    drizzle(observed(neon(url, { fetchOptions: { timeoutMs: milliseconds } })))
  return { login, connection: connectionWith(timeoutMs), slowConnection: connectionWith(longTimeoutMs) }
}

/** Reports each round trip of the driver. */
function observed(driver: NeonQueryFunction<false, false>): NeonQueryFunction<false, false> {
  const { transaction } = driver
  driver.transaction = async (queries, options) => {
    const texts = Array.isArray(queries)
      ? queries.map(({ queryData }) => ('query' in queryData ? queryData.query : ''))
      : []
    const name = nameOfBatch(texts)
    return await measured({ kind: 'database', name, codeOf: driverCode }, () => transaction(queries, options))
  }
  return driver
}

/** The SQLSTATE, or what else ended the call. */
function driverCode(error: unknown): string {
  return driverSqlState(error) ?? (isTimeout(error) ? 'TIMEOUT' : 'NO_ANSWER')
}

/** The part of a response that the driver reads: its status, and its whole body as text or as JSON. */
interface DriverResponse {
  readonly ok: boolean
  readonly status: number
  text(): Promise<string>
  json(): Promise<unknown>
}

/** The driver's `fetch`, with a deadline for the whole response if the options contain one. */
async function boundedFetch(
  url: string,
  { timeoutMs, ...init }: RequestInit & { readonly timeoutMs?: number },
): Promise<DriverResponse> {
  if (timeoutMs === undefined) return await fetch(url, init)
  return await withDeadline(timeoutMs, async (signal) => {
    const response = await fetch(url, { ...init, signal })
    const body = await response.text()
    const { ok, status } = response
    return { ok, status, text: () => Promise.resolve(body), json: async () => await JSON.parse(body) }
  })
}
neonConfig.fetchFunction = boundedFetch

/**
 * Runs a batch as one transaction in one round trip. Any failure rolls back all statements. Repeats the batch after a
 * deadlock.
 * @throws AppError `internal` with its `sqlState` if PostgreSQL rejected a statement (`isRejection`), otherwise
 *   `unavailable`: the outcome is then unknown
 */
export async function batch<B extends Batch>(database: Database<LoginName>, statements: B): Promise<Results<B>> {
  return await run(database.connection, statements)
}

/** The same for a batch with several statements that may be slow. */
export async function longBatch<B extends Batch>(jobs: JobsDatabase, statements: B): Promise<Results<B>> {
  return await run(jobs.slowConnection, statements)
}

/** Runs statements whose rows are not read as one transaction. */
export async function execute(database: Database<LoginName>, statements: readonly Statement[]): Promise<void> {
  await run(database.connection, { statements })
}

/** The same for several statements that may be slow. */
export async function longExecute(jobs: JobsDatabase, statements: readonly Statement[]): Promise<void> {
  await run(jobs.slowConnection, { statements })
}

/**
 * Runs a batch after other statements, in the same transaction.
 * @param onBefore gets the driver's results of those statements, in their order
 */
export async function batchAfter<B extends Batch>(
  database: Database<LoginName>,
  before: readonly Statement[],
  statements: B,
  onBefore?: (...answers: readonly unknown[]) => void,
): Promise<Results<B>> {
  return await run(database.connection, statements, before, onBefore)
}

/**
 * PostgreSQL rolled back the whole transaction to end a deadlock or a conflict, so repeating the call is safe.
 * https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
 */
const conflicts: readonly (string | null)[] = [sqlState.deadlock, sqlState.serializationFailure]
const maxAttempts = 3
const firstPauseMs = 50

async function run<B extends Batch>(
  connection: NeonHttpDatabase,
  statements: B,
  before: readonly Statement[] = [],
  onBefore?: (...answers: readonly unknown[]) => void,
): Promise<Results<B>> {
  const parts = [...partsOf({ before }), ...partsOf(statements)]
  const [first, ...others] = parts.map(({ statement }) =>
    isStatement(statement) ? connection.execute(statement.sql) : statement,
  )
  if (first === undefined) throw new TypeError('a batch needs a statement')
  const answers = await send(connection, [first, ...others])
  onBefore?.(...answers.slice(0, before.length))
  return resultsOf(statements, parts, answers)
}

async function send(
  connection: NeonHttpDatabase,
  queries: readonly [BatchItem<'pg'>, ...BatchItem<'pg'>[]],
): Promise<readonly unknown[]> {
  for (let attempt = 1; ; attempt++)
    try {
      return await connection.batch(queries)
    } catch (error) {
      if (attempt === maxAttempts || !conflicts.includes(driverSqlState(error))) throw databaseError(error)
      await new Promise((resolve) => setTimeout(resolve, pauseMs(attempt, firstPauseMs, Math.random())))
    }
}

const wellFormed = /^[0-9A-Z]{5}$/

/**
 * The SQLSTATE in an error of the driver; null for any other failure. Neon's proxy responds with 400 and an empty code
 * when it loses the connection to PostgreSQL, even after a commit.
 */
function driverSqlState(error: unknown): string | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++)
    if (cause.name === 'NeonDbError' && 'code' in cause && typeof cause.code === 'string')
      return wellFormed.test(cause.code) ? cause.code : null
  return null
}

function isTimeout(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'TimeoutError' || ('sourceError' in error && isTimeout(error.sourceError)))
  )
}

/** Statements can contain sealed tokens and amounts, so the AppError keeps only names of the driver's error. */
function databaseError(error: unknown): AppError {
  const state = driverSqlState(error)
  if (state === null)
    return new AppError('unavailable', 'The database did not answer.', {
      reason: isTimeout(error) ? 'no answer from the database in time' : 'no answer from the database',
    })
  if (state === sqlState.frozen) return frozenError({ sqlState: state })
  const constraint =
    error instanceof Error && 'constraint' in error && typeof error.constraint === 'string' ? error.constraint : ''
  return new AppError(isRejection(state) ? 'internal' : 'unavailable', 'The database refused the operation.', {
    reason: `sqlstate ${state} ${constraint}`.trim(),
    sqlState: state,
  })
}
