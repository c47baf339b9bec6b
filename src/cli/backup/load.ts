// Loads a backup into an empty database: the migrations of its time, its rows, its sequences. The database checks every
// foreign key again at the end.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from 'pg'
import * as z from 'zod'
import { listTables } from '../../backup/catalog.ts'
import { isOurs } from '../../db/operations/backup-rights.ts'
import { type Connection, quoted, select } from '../../backup/connection.ts'
import type { Manifest, TableEntry } from '../../backup/format.ts'
import { decrypterFor, type Origin, readTable } from '../../backup/open-backup.ts'
import { migrate, withMigrationLock } from '../../dev/lib/migrate.ts'
import { inTransaction } from '../../dev/lib/owner-session.ts'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { startSha256 } from './sha256.ts'

/** One statement inserts about this much JSON. */
const batchCharacters = 128_000

const journalSchema = z.looseObject({ entries: z.array(z.looseObject({ when: z.number(), tag: z.string() })) })

/** Runs `work` with a folder of the migrations that the backup's database had. Rejects where this version lacks the newest. */
async function withMigrationsOf<T>({ migration }: Manifest, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-restore-'))
  try {
    await cp(join(projectFolder, 'migrations'), folder, { recursive: true })
    const path = join(folder, 'meta', '_journal.json')
    const journal = journalSchema.parse(JSON.parse(await readFile(path, 'utf8')))
    if (!journal.entries.some(({ when }) => when === migration.created_at))
      throw new Error(
        'The backup is of a newer version of this project, or of another one: restore it with that version.',
      )
    const entries = journal.entries.filter(({ when }) => when <= migration.created_at)
    await writeFile(path, JSON.stringify({ ...journal, entries }))
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const anyTable = z.object({ name: z.string() })

/** Rejects where the database has a table. Roles are of the whole server and do not count. */
export async function refuseFilled(connection: Connection): Promise<void> {
  const [first] = await select(
    connection,
    anyTable,
    `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      order by 1 limit 1`,
  )
  if (first !== undefined) throw new Error(`The database is not empty: it has ${first.name}. Restore into a new one.`)
}

const constraintRow = z.object({ schema: z.string(), table: z.string(), name: z.string(), definition: z.string() })

/** Foreign keys that no partition inherits from its parent. */
const listForeignKeys = (connection: Connection): Promise<z.output<typeof constraintRow>[]> =>
  select(
    connection,
    constraintRow,
    `select n.nspname as schema, c.relname as table, k.conname as name, pg_get_constraintdef(k.oid) as definition
      from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
      where k.contype = 'f' and k.conparentid = 0 and ${isOurs} order by 1, 2, 3`,
  )

async function insertRows(client: Client, table: TableEntry, lines: readonly string[]): Promise<void> {
  const name = quoted(table.schema, table.name)
  const columns = table.columns.map((column) => quoted(column)).join(', ')
  // An array of JSON, not of its parsed values: PostgreSQL reads every digit of a number.
  await client.query(
    `insert into ${name} (${columns}) overriding system value
      select ${columns} from json_populate_recordset(null::${name}, $1::json)`,
    [`[${lines.join(',')}]`],
  )
}

export interface LoadBackup {
  readonly origin: Origin
  readonly manifest: Manifest
  readonly identities: readonly string[]
  /** The owner's URL of an empty database. */
  readonly into: string
  readonly onTable?: (table: TableEntry) => void
}

async function loadRows(client: Client, { origin, manifest, identities, onTable }: LoadBackup): Promise<void> {
  const tables = (await listTables(client)).map(({ schema, name }) => quoted(schema, name))
  const foreignKeys = await listForeignKeys(client)
  // Triggers and foreign keys accepted these rows once, in an order that is no longer known.
  for (const { schema, table, name } of foreignKeys)
    await client.query(`alter table ${quoted(schema, table)} drop constraint ${quoted(name)}`)
  for (const table of tables) await client.query(`alter table ${table} disable trigger user`)
  // Migrations insert rows too, such as switches, which the backup has as they were.
  await client.query(`truncate ${tables.join(', ')}`)
  const decrypter = decrypterFor(identities)
  for (const table of manifest.tables) {
    for await (const lines of readTable({ origin, table, decrypter, startSha256 }, batchCharacters))
      await insertRows(client, table, lines)
    onTable?.(table)
  }
  for (const { schema, name, last_value } of manifest.sequences)
    if (last_value !== null) await client.query('select setval($1::regclass, $2)', [quoted(schema, name), last_value])
  for (const table of tables) await client.query(`alter table ${table} enable trigger user`)
  for (const { schema, table, name, definition } of foreignKeys)
    await client.query(`alter table ${quoted(schema, table)} add constraint ${quoted(name)} ${definition}`)
}

/** Loads all of the backup or nothing. Afterwards the database is as it was at the time of the backup, in its version. */
export async function loadBackup(given: LoadBackup): Promise<void> {
  await withMigrationLock(given.into, refuseFilled)
  await withMigrationsOf(given.manifest, (folder) => migrate(given.into, folder))
  await withMigrationLock(given.into, (client) => inTransaction(client, () => loadRows(client, given)))
}
