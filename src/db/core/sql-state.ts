// The SQLSTATEs on which the code makes decisions, by name. Class WN is this project's: the migrations raise these
// codes.
import { type SQL, sql } from 'drizzle-orm'
import { AppError } from '../../errors.ts'

export const sqlState = {
  /** The run no longer holds the product's lease. */
  leaseLost: 'WN001',
  /** The same commit was committed before. */
  runCommitted: 'WN002',
  itemRemoved: 'WN003',
  /** Another run has stored a different cursor. */
  cursorMoved: 'WN004',
  /** Another process has ended the exchange. */
  exchangeEnded: 'WN005',
  /** The user's accounts or items have changed since they were read. */
  accountsChanged: 'WN006',
  /** Staged rows of the run are missing. */
  stagingLost: 'WN007',
  /** The user has reached the limit of live items. */
  itemCapReached: 'WN008',
  /** Raised by a trigger: a row of the audit trail was to be changed. */
  auditAppendOnly: 'WN009',
  /** Another run of the chaining job has moved the head of a chain. */
  chainMoved: 'WN010',
  uniqueViolation: '23505',
  /** The token was issued before its person was erased. */
  erased: 'WN011',
  /** An operator has frozen the deployment. */
  frozen: 'WN012',
  /** An item was linked or removed since it was looked up. */
  itemMoved: 'WN015',
  /** The access token of an item was replaced since it was read. */
  tokenReplaced: 'WN021',
  /** PostgreSQL ended a deadlock by rolling back this transaction. */
  deadlock: '40P01',
  serializationFailure: '40001',
} as const

type OwnState = Extract<(typeof sqlState)[keyof typeof sqlState], `WN${string}`>

/** A select expression that rolls back the batch with the given state if the condition is true. */
export const refuseWhen = (condition: SQL, state: OwnState): SQL =>
  sql`app.refuse(${condition}, ${sql.raw(`'${state}'`)})`

/** The SQLSTATE of a failed batch; null for any other failure. */
export const sqlStateOf = (error: unknown): string | null => (error instanceof AppError ? error.sqlState : null)

/**
 * Classes of SQLSTATE with which PostgreSQL rejects a statement: unsupported features, cardinality, data, constraints,
 * routines, access and syntax, check options, limits, PL/pgSQL, and this project's own.
 */
const rejecting: ReadonlySet<string> = new Set(['0A', '21', '22', '23', '2F', '38', '39', '42', '44', '54', 'P0', 'WN'])

/**
 * Whether the state proves that the transaction was rolled back and that a repetition would fail in the same way.
 * After any other error (no response, a lost connection, a lock, a shutdown) the transaction may have committed;
 * repeating the batch finds out.
 */
export const isRejection = (state: string | null): boolean => state !== null && rejecting.has(state.slice(0, 2))
