// What a database holds, for tests that show that nothing happened, or that something is nowhere. Asks the catalogue,
// so that a table of tomorrow is looked at too.
import type { Edge } from './edge.ts'

type Sql = Edge['sql']

const own = "table_schema not in ('pg_catalog', 'information_schema')"

/** `schema.table` of every table, quoted. */
export async function everyTable(sql: Sql): Promise<string[]> {
  const rows = await sql(`select format('%I.%I', table_schema, table_name) as name from information_schema.tables
    where ${own} and table_type = 'BASE TABLE' order by 1`)
  return rows.map(({ name }) => String(name))
}

/** Tables with a column `user_id`, as `schema.table`, quoted where need be. */
export async function userTables(sql: Sql): Promise<string[]> {
  const rows = await sql(`select format('%I.%I', c.table_schema, c.table_name) as name from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where ${own} and c.column_name = 'user_id' and t.table_type = 'BASE TABLE' order by 1`)
  return rows.map(({ name }) => String(name))
}

/** Table → how many rows, and a digest of them all. */
export async function fingerprint(sql: Sql): Promise<Record<string, string>> {
  const tables = await everyTable(sql)
  const selects = tables.map(
    (
      table,
    ) => `select '${table}' as name, count(*) || ' ' || coalesce(md5(string_agg(r::text, '' order by r::text)), '') as rows
      from ${table} r`,
  )
  const rows = await sql(selects.join(' union all '))
  return Object.fromEntries(rows.map(({ name, rows: digest }) => [String(name), String(digest)]))
}

/** Every row of every table, as text, with its table's name before it. */
export async function everyRow(sql: Sql): Promise<string[]> {
  const tables = await everyTable(sql)
  const rows = await sql(
    tables.map((table) => `select '${table} ' || r::text as line from ${table} r`).join(' union all '),
  )
  return rows.map(({ line }) => String(line))
}
