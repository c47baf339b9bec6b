// Statements as values, and batches of them by name. A schema parses the rows of a raw statement; rows of drizzle's
// builders have the type of their selected columns.
import type { SQL } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import * as z from 'zod'
import { AppError } from '../../errors.ts'

export interface Statement<Row = unknown> {
  readonly sql: SQL
  readonly row: z.ZodType<Row>
}
type Built = BatchItem<'pg'>

/**
 * Statements by name, run in the order of the source. A list runs in its place and returns no rows; null is skipped and
 * returns none.
 */
export type Batch = Readonly<Record<string, Statement | Built | readonly Statement[] | null>>

type RowsOf<Entry> =
  Entry extends Statement<infer Row> ? readonly Row[] : Entry extends Built ? Entry['_']['result'] : readonly never[]
export type Results<B extends Batch> = { readonly [Name in keyof B]: RowsOf<B[Name]> }

export const query = <Row>(row: z.ZodType<Row>, sql: SQL): Statement<Row> => ({ sql, row })

/** A statement whose rows are not read. */
export const command = (sql: SQL): Statement => ({ sql, row: z.unknown() })

/** A row with only an `id`, as that id. */
export const idRow = z.object({ id: z.string() }).transform(({ id }) => id)
/** A row that only shows that one exists. */
export const anyRow = z.unknown()
/** A count of type `bigint` or `numeric`, which arrives as text. */
export const bigCount = z.coerce.number()

const isList = (entry: Batch[string]): entry is readonly Statement[] => Array.isArray(entry)
export const isStatement = (entry: Statement | Built): entry is Statement => 'row' in entry

interface Part {
  /** Null for a statement of a list. */
  readonly name: string | null
  readonly statement: Statement | Built
}

/** The statements of a batch in their order. */
export const partsOf = (batch: Batch): Part[] =>
  Object.entries(batch).flatMap(([name, entry]): Part[] => {
    if (entry === null) return []
    return isList(entry) ? entry.map((statement) => ({ name: null, statement })) : [{ name, statement: entry }]
  })

const answer = z.object({ rows: z.array(z.unknown()) })

function parseRow<Row>(row: z.ZodType<Row>, value: unknown, name: string): Row {
  const parsed = row.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const reason = `a row of ${name}: ${issue?.path.join('.') ?? ''} ${issue?.code ?? ''}`
  throw new AppError('internal', 'The database returned an unexpected row.', { reason })
}

/** The rows of one statement, from the driver's result. */
export const rowsOf = <Row>({ row }: Statement<Row>, result: unknown, name = 'a statement'): readonly Row[] =>
  answer.parse(result).rows.map((value) => parseRow(row, value, name))

/** The rows by name, from the driver's results of the parts. */
function rowsByName(batch: Batch, parts: readonly Part[], answers: readonly unknown[]): Record<string, unknown> {
  const rows: Record<string, unknown> = Object.fromEntries(Object.keys(batch).map((name) => [name, []]))
  parts.forEach(({ name, statement }, index) => {
    if (name === null) return
    rows[name] = isStatement(statement) ? rowsOf(statement, answers[index], name) : answers[index]
  })
  return rows
}

const isComplete = <B extends Batch>(rows: object, batch: B): rows is Results<B> =>
  Object.keys(batch).every((name) => name in rows)

export function resultsOf<B extends Batch>(batch: B, parts: readonly Part[], answers: readonly unknown[]): Results<B> {
  const rows = rowsByName(batch, parts, answers)
  if (!isComplete(rows, batch)) throw new TypeError('a statement of the batch has no result')
  return rows
}
