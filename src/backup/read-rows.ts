// Reads tables from one snapshot of the database, a page at a time, as lines of JSON.
import type { Table } from './catalog.ts'
import { refuseBlind } from './check-login.ts'
import { type Connection, quoted } from './connection.ts'

/** Rows of one round trip: at first, and at most. */
const firstRows = 100
const mostRows = 500
/** About the length of the rows of one round trip. Wide rows come in smaller pages. */
const pageCharacters = 384 * 1024
/** About the length of a text that is passed on. Longer ones are garbage that V8 collects late, which fills the isolate. */
const mostCharacters = 48 * 1024

/**
 * Begins a transaction in which every statement sees the database as of one moment. JSON text of values depends on these
 * settings, and on nothing else. Rejects where the login would not see every row.
 */
export async function beginSnapshot(connection: Connection): Promise<void> {
  await connection.query('begin isolation level repeatable read read only')
  for (const setting of [
    "timezone = 'UTC'",
    "datestyle = 'ISO, YMD'",
    "intervalstyle = 'iso_8601'",
    "bytea_output = 'hex'",
    'extra_float_digits = 1',
  ])
    await connection.query(`set local ${setting}`)
  await refuseBlind(connection)
}

/** A check for each row by a schema would be most of the work of a large table. */
function lineOf(row: unknown): string {
  if (typeof row === 'object' && row !== null && 'line' in row && typeof row.line === 'string') return row.line
  throw new TypeError('the database returned a row without a line')
}

/** The lines in texts of about `mostCharacters`. */
function* joined(page: readonly unknown[]): Generator<{ text: string; rows: number }> {
  let [text, rows] = ['', 0]
  for (const row of page) {
    text += `${lineOf(row)}\n`
    rows += 1
    if (text.length < mostCharacters) continue
    yield { text, rows }
    ;[text, rows] = ['', 0]
  }
  if (rows > 0) yield { text, rows }
}

/** How many rows to fetch next, after a page of `rows` with so many characters. */
const nextRows = (rows: number, characters: number): number =>
  Math.max(1, Math.min(mostRows, rows * 2, Math.floor((pageCharacters * rows) / characters)))

/** The rows of a table in the order of its primary key, in pieces of text: each row is a JSON object and a line feed. */
export async function* readRows(connection: Connection, table: Table): AsyncGenerator<{ text: string; rows: number }> {
  const order = table.key.length === 0 ? 't::text' : table.key.map((column) => `t.${quoted(column)}`).join(', ')
  const columns = table.columns.map((column) => `t.${quoted(column)}`).join(', ')
  await connection.query(
    `declare backup_rows no scroll cursor for
      select row_to_json(r)::text as line from (select ${columns} from ${quoted(table.schema, table.name)} t order by ${order}) r`,
  )
  for (let fetched = firstRows; ;) {
    const { rows: page } = await connection.query(`fetch forward ${fetched} from backup_rows`)
    let characters = 0
    for (const piece of joined(page)) {
      characters += piece.text.length
      yield piece
    }
    if (page.length < fetched) break
    fetched = nextRows(fetched, characters)
  }
  await connection.query('close backup_rows')
}
