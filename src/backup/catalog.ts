// What a backup contains: every table of the project's schemas, found in PostgreSQL's catalog, so that a new table is never
// forgotten.
import * as z from 'zod'
import { isOurs } from '../db/operations/backup-rights.ts'
import { type Connection, select } from './connection.ts'

const tableRow = z.object({
  schema: z.string(),
  name: z.string(),
  columns: z.array(z.string()),
  /** Columns of the primary key, in its order. */
  key: z.array(z.string()),
})
export type Table = z.output<typeof tableRow>

/** Tables without the partitions of partitioned ones, whose rows are the parent's. Ordered by name. */
export const listTables = (connection: Connection): Promise<Table[]> =>
  select(
    connection,
    tableRow,
    `select n.nspname as schema, c.relname as name,
        coalesce((select array_agg(a.attname::text order by a.attnum) from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''), '{}') as columns,
        coalesce((select array_agg(a.attname::text order by k.position) from pg_index i
          cross join unnest(i.indkey) with ordinality as k (attnum, position)
          join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
          where i.indrelid = c.oid and i.indisprimary), '{}') as key
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and not c.relispartition and ${isOurs}
      order by 1, 2`,
  )

const sequenceRow = z.object({ schema: z.string(), name: z.string(), last_value: z.string().nullable() })

/** `last_value` is null for a sequence that was never used. */
export const listSequences = (connection: Connection): Promise<z.output<typeof sequenceRow>[]> =>
  select(
    connection,
    sequenceRow,
    `select s.schemaname as schema, s.sequencename as name, s.last_value::text as last_value
      from pg_sequences s join pg_namespace n on n.nspname = s.schemaname where ${isOurs} order by 1, 2`,
  )

const migrationRow = z.object({ hash: z.string(), created_at: z.coerce.number() })

/** The newest migration of the database. Rejects where none was applied. */
export async function newestMigration(connection: Connection): Promise<z.output<typeof migrationRow>> {
  const [newest] = await select(
    connection,
    migrationRow,
    'select hash, created_at from drizzle.__drizzle_migrations order by created_at desc limit 1',
  )
  if (newest === undefined) throw new Error('The database has no migrations: there is nothing to back up.')
  return newest
}
