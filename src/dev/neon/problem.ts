// Owns the shape in which Neon's proxy reports failures over HTTP. Only what PostgreSQL itself said about a statement
// is passed on; of other failures no more than their kind.
import { DatabaseError } from 'pg'

const FIELDS = [
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

export interface Problem {
  status: number
  body: string
}

/** A failure that is not PostgreSQL's: the same fields, all but the message empty, as Neon answers it. */
export function problem(status: number, message: string, code = ''): Problem {
  const empty = Object.fromEntries(FIELDS.map((name) => [name, null]))
  return { status, body: JSON.stringify({ message, code, severity: '', ...empty }) }
}

/** What a failed request is answered with: PostgreSQL's errors are 400 with its fields, the rest 500. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof DatabaseError)) return problem(500, 'Connection to the database failed or was lost')
  const fields = Object.fromEntries(FIELDS.map((name) => [name, error[name] ?? null]))
  const { message, code, severity } = error
  return { status: 400, body: JSON.stringify({ message, code: code ?? '', severity: severity ?? '', ...fields }) }
}
