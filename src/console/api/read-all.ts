// Reads a list to its end.
import type { Client, ListPath, RowOf } from '@wealthnavigator/client'

/** All rows of a list that is short for every person. */
export async function readAll<Path extends ListPath>(client: Client, path: Path, init: object): Promise<RowOf<Path>[]> {
  const rows: RowOf<Path>[] = []
  // oxlint-disable-next-line typescript/consistent-type-assertions -- no list needs more than these parameters
  for await (const row of client.rows(path, init as never)) rows.push(row)
  return rows
}
