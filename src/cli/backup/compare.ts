// Compares a database with a backup, row by row, by the digests in the manifest.
import { type Client } from 'pg'
import { listTables } from '../../backup/catalog.ts'
import type { Manifest } from '../../backup/format.ts'
import { beginSnapshot, readRows } from '../../backup/read-rows.ts'
import { utf8 } from '../../crypto/encoding.ts'
import { startSha256 } from './sha256.ts'

/** Names the tables whose rows differ from the manifest's, and those that only one of the two has. */
export async function differences(client: Client, manifest: Manifest): Promise<string[]> {
  const listed = new Map(manifest.tables.map((table) => [`${table.schema}.${table.name}`, table]))
  const different: string[] = []
  await beginSnapshot(client)
  for (const table of await listTables(client)) {
    const name = `${table.schema}.${table.name}`
    const digest = startSha256()
    for await (const page of readRows(client, table)) digest.update(utf8(page.text))
    if (listed.get(name)?.rows_sha256 !== digest.finish()) different.push(name)
    listed.delete(name)
  }
  await client.query('commit')
  return [...different, ...listed.keys()].toSorted()
}
