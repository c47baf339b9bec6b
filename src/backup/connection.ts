// The database as a backup sees it: one connection, over TCP in the command or over a WebSocket in the Worker.
import * as z from 'zod'

export interface Connection {
  readonly query: (text: string, values?: readonly unknown[]) => Promise<{ readonly rows: readonly unknown[] }>
}

/** The rows of one statement. Rejects where one does not have this shape. */
export async function select<T>(
  connection: Connection,
  row: z.ZodType<T>,
  text: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const { rows } = await connection.query(text, values)
  return z.array(row).parse(rows)
}

/** A name as SQL text. PostgreSQL allows every character in a quoted one; a quotation mark is doubled. */
export const quoted = (...names: readonly string[]): string =>
  names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.')
