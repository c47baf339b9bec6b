// The shape in which Neon's proxy reports failures over HTTP (neondatabase/neon, proxy/src/serverless). A failure
// that is not PostgreSQL's has an empty code: a lost connection is 400 like a refused statement, and only the code tells
// them apart.
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

/** The server ends the session: the message can be lost with the connection, and the harsher case is the one to test. */
const sessionEnded = new Set(['57P01', '57P02', '57P03'])
/** The proxy checks passwords itself, so PostgreSQL's code for a refused login never reaches the client. */
const loginRefused = /^28/

export interface Problem {
  status: number
  body: string
}

/** A failure that is not PostgreSQL's: all fields but the message are empty. */
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

/** The answer to a request whose statements failed: 400, whether PostgreSQL refused them or the connection was lost. */
export function statementProblem(error: unknown): Problem {
  if (!(error instanceof DatabaseError) || sessionEnded.has(error.code ?? '')) return connectionLost
  return postgresProblem(400, error)
}

/** The answer to a request that got no connection: 400 for a refused login, else 500. */
export function connectionProblem(error: unknown): Problem {
  if (!(error instanceof DatabaseError)) return problem(500, 'could not connect to postgres in compute')
  if (loginRefused.test(error.code ?? '')) return problem(400, 'password authentication failed')
  return postgresProblem(500, error)
}
