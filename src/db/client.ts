// Neon over HTTP: the two logins as two types that cannot be taken for one another, and the database's failures without
// the statements, parameters and connection strings that the driver's errors hold.
import { neon, neonConfig } from '@neondatabase/serverless'
import type { SQL } from 'drizzle-orm'
import type { BatchItem, BatchResponse } from 'drizzle-orm/batch'
import { drizzle, type NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { AppError } from '../errors.ts'

export interface Database<Login extends 'wn_api' | 'wn_jobs'> {
  readonly login: Login
  readonly connection: NeonHttpDatabase
}
export type ApiDatabase = Database<'wn_api'>
export type JobsDatabase = Database<'wn_jobs'>

export type Statement = BatchItem<'pg'>
type Statements = readonly [Statement, ...Statement[]]

/**
 * A login's database. Nothing is connected yet: each call is one HTTPS request.
 * @param endpoint URL of a local Neon endpoint; null for Neon itself
 */
export function connect<Login extends 'wn_api' | 'wn_jobs'>(
  login: Login,
  url: string,
  endpoint: string | null,
): Database<Login> {
  if (endpoint !== null) neonConfig.fetchEndpoint = endpoint
  return { login, connection: drizzle(neon(url)) }
}

/**
 * Runs statements as one transaction in one round trip; any failure rolls all of them back.
 * @throws AppError `unavailable` when no answer came (the outcome is then unknown), else `internal` with the SQLSTATE as `reason`
 */
export async function batch<T extends Statements>(
  database: Database<'wn_api' | 'wn_jobs'>,
  statements: T,
): Promise<BatchResponse<T>> {
  try {
    return await database.connection.batch(statements)
  } catch (error) {
    throw databaseError(error)
  }
}

/** The SQLSTATE that Postgres answered with; null for another failure (no answer, above all). */
export function sqlStateOf(error: unknown): string | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++)
    if (cause.name === 'NeonDbError' && 'code' in cause && typeof cause.code === 'string') return cause.code
    else if (cause instanceof AppError && cause.reason?.startsWith('sqlstate ')) return cause.reason.slice(9, 14)
  return null
}

/** Classes of SQLSTATE that pass: connection, rollback (a deadlock), resources, locks, operator's intervention. */
const passing = new Set(['08', '40', '53', '55', '57'])

/** Statements can hold sealed tokens and amounts, so of the driver's error only names survive. */
function databaseError(error: unknown): AppError {
  const state = sqlStateOf(error)
  if (state === null)
    return new AppError('unavailable', 'The database did not answer.', { reason: 'no answer from the database' })
  const constraint =
    error instanceof Error && 'constraint' in error && typeof error.constraint === 'string' ? error.constraint : ''
  return new AppError(
    passing.has(state.slice(0, 2)) ? 'unavailable' : 'internal',
    'The database refused the operation.',
    {
      reason: `sqlstate ${state} ${constraint}`.trim(),
    },
  )
}

/** The rows of a raw statement, whose columns are named as the type says. */
export function rows<Row extends Record<string, unknown>>(database: Database<'wn_api' | 'wn_jobs'>, query: SQL) {
  return database.connection.execute<Row>(query)
}
