// Reads tables from one snapshot of the database, a page at a time, as lines of JSON.
import * as z from 'zod'
import type { Table } from './catalog.ts'
import { refuseBlind } from './check-login.ts'
import { type Connection, quoted, select } from './connection.ts'

const pageRows = 1000

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

const lineRow = z.object({ line: z.string() })

/** The rows of a table in the order of its primary key, in pages of text: each row is a JSON object and a line feed. */
export async function* readRows(connection: Connection, table: Table): AsyncGenerator<{ text: string; rows: number }> {
  const order = table.key.length === 0 ? 't::text' : table.key.map((column) => `t.${quoted(column)}`).join(', ')
  const columns = table.columns.map((column) => `t.${quoted(column)}`).join(', ')
  await connection.query(
    `declare backup_rows no scroll cursor for
      select row_to_json(r)::text as line from (select ${columns} from ${quoted(table.schema, table.name)} t order by ${order}) r`,
  )
  for (;;) {
    const page = await select(connection, lineRow, `fetch forward ${pageRows} from backup_rows`)
    if (page.length > 0) yield { text: page.map(({ line }) => `${line}\n`).join(''), rows: page.length }
    if (page.length < pageRows) break
  }
  await connection.query('close backup_rows')
}
