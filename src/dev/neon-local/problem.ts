// The format in which Neon's proxy reports failures over HTTP (neondatabase/neon, proxy/src/serverless). Failures
// outside PostgreSQL have an empty code. A lost connection has status 400 like a failed statement; only the code
// distinguishes them.
import { DatabaseError } from 'pg'

const postgresFields = [
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'table',
  'column',
  'schema',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const

/**
 * The server ends the session. The message can be lost with the connection, so this endpoint always loses it: clients
 * must handle that case.
 */
const sessionEnded = new Set(['57P01', '57P02', '57P03'])
/** The proxy checks passwords itself, so PostgreSQL's code for a refused login never reaches the client. */
const loginRefused = /^28/

export interface Problem {
  status: number
  body: string
}

/** A failure outside PostgreSQL: all fields except the message are empty. */
export function problem(status: number, message: string, code = ''): Problem {
  const empty = Object.fromEntries(postgresFields.map((name) => [name, null]))
  return { status, body: JSON.stringify({ message, code, severity: '', ...empty }) }
}

export const connectionLost: Problem = problem(400, 'connection closed')

function postgresProblem(status: number, error: DatabaseError): Problem {
  const fields = Object.fromEntries(postgresFields.map((name) => [name, error[name] ?? null]))
  const { message, code, severity } = error
  return { status, body: JSON.stringify({ message, code: code ?? '', severity: severity ?? '', ...fields }) }
}

/** The response to a request whose statements failed: 400, both for a PostgreSQL error and for a lost connection. */
export function statementProblem(error: unknown): Problem {
  if (!(error instanceof DatabaseError) || sessionEnded.has(error.code ?? '')) return connectionLost
  return postgresProblem(400, error)
}

/** The response to a request without a connection: 400 for a refused login, otherwise 500. */
export function connectionProblem(error: unknown): Problem {
  if (!(error instanceof DatabaseError)) return problem(500, 'could not connect to postgres in compute')
  if (loginRefused.test(error.code ?? '')) return problem(400, 'password authentication failed')
  return postgresProblem(500, error)
}
