// The contents of a database, for tests that show that nothing changed or that a value is nowhere. Reads the catalogue,
// so that a new table is included.
import type { Edge } from './edge.ts'

type Sql = Edge['sql']

const own = "table_schema not in ('pg_catalog', 'information_schema')"

/** The quoted `schema.table` of every table. */
export async function everyTable(sql: Sql): Promise<string[]> {
  const rows = await sql(`select format('%I.%I', table_schema, table_name) as name from information_schema.tables
    where ${own} and table_type = 'BASE TABLE' order by 1`)
  return rows.map(({ name }) => String(name))
}

/** Tables with a column `user_id`, as `schema.table`, quoted where necessary. */
export async function userTables(sql: Sql): Promise<string[]> {
  const rows = await sql(`select format('%I.%I', c.table_schema, c.table_name) as name from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where ${own} and c.column_name = 'user_id' and t.table_type = 'BASE TABLE' order by 1`)
  return rows.map(({ name }) => String(name))
}

/** Counters that an isolate writes up to five seconds after the calls that it counts (src/plaid/usage-flush.ts). */
const writtenLater: ReadonlySet<string> = new Set(['public.plaid_usage'])

/** The number of rows of each table, with a digest of them. Leaves out counters that are written later. */
export async function fingerprint(sql: Sql): Promise<Record<string, string>> {
  const tables = (await everyTable(sql)).filter((table) => !writtenLater.has(table))
  const selects = tables.map(
    (
      table,
    ) => `select '${table}' as name, count(*) || ' ' || coalesce(md5(string_agg(r::text, '' order by r::text)), '') as rows
      from ${table} r`,
  )
  const rows = await sql(selects.join(' union all '))
  return Object.fromEntries(rows.map(({ name, rows: digest }) => [String(name), String(digest)]))
}

/** Every row of every table as text, after its table's name. */
export async function everyRow(sql: Sql): Promise<string[]> {
  const tables = await everyTable(sql)
  const rows = await sql(
    tables.map((table) => `select '${table} ' || r::text as line from ${table} r`).join(' union all '),
  )
  return rows.map(({ line }) => String(line))
}
