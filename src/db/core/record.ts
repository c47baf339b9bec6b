// One of Plaid's entities as a row: its columns come from drizzle's tables, and the lists for its statements are
// derived from them. Rows use the columns' names, which are mostly Plaid's.
import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { arrayText } from './array-text.ts'

type Columns = Readonly<Record<string, PgColumn>>
type DataOf<Column extends PgColumn> = Column['_']['notNull'] extends true
  ? Column['_']['data']
  : Column['_']['data'] | null
type RowOf<C extends Columns> = { readonly [Key in keyof C as C[Key]['_']['name']]: DataOf<C[Key]> }

export interface Entity<Row extends object> {
  /** The names of the stored columns without the ids, each after the prefix, or an expression in its place. */
  readonly list: (prefix?: string, expressions?: Readonly<Record<string, SQL>>) => SQL
  /** The same as `name = excluded.name`. */
  readonly updates: SQL
  /** Whether the stored row with that name differs from the incoming one. */
  readonly differs: (stored: string, incoming?: string) => SQL
  /** Incoming rows as `r`, from one JSON parameter. */
  readonly recordset: (rows: readonly { readonly [Name in keyof Row]: Row[Name] | null }[]) => SQL
  /** The names of the ids and the stored columns, in the order of `recordset` and `unnest`. */
  readonly incoming: SQL
  /** Incoming rows from one array parameter for each column; a missing value is null. */
  readonly unnest: (rows: readonly Partial<Row>[]) => SQL
}

export type IncomingRow<E> = E extends Entity<infer Row> ? Row : never

interface Declaration<Ids extends Columns, Stored extends Columns, Own extends keyof Stored> {
  /** Columns that only incoming rows have, among them the key by which Plaid identifies the row. */
  readonly ids: Ids
  readonly table: Stored
  /** Columns that do not come from Plaid. */
  readonly own: readonly Own[]
}

/** @throws TypeError for a value that is not scalar: an array column needs one array for each row */
function fieldOf(row: object, name: string): string | number | boolean | null {
  const value: unknown = Reflect.get(row, name)
  if (value === undefined || value === null) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  throw new TypeError(`The column ${name} is not scalar.`)
}

const joined = (parts: readonly string[]): SQL => sql.raw(parts.join(', '))

export function entity<Ids extends Columns, Stored extends Columns, Own extends keyof Stored>(
  declaration: Declaration<Ids, Stored, Own>,
): Entity<RowOf<Ids> & RowOf<Omit<Stored, Own>>> {
  const left = new Set<PropertyKey>([...declaration.own, ...Object.keys(declaration.ids)])
  const ids = Object.values(declaration.ids)
  const stored = Object.entries(declaration.table).flatMap(([key, column]) => (left.has(key) ? [] : [column]))
  const incoming = [...ids, ...stored]
  const arrayTypes = incoming.map((column) => sql.raw(`${column.getSQLType()}[]`))
  const list = (prefix = '', expressions: Readonly<Record<string, SQL>> = {}) =>
    sql.join(
      stored.map(({ name }) => expressions[name] ?? sql.raw(prefix + name)),
      sql`, `,
    )
  return {
    list,
    updates: joined(stored.map(({ name }) => `${name} = excluded.${name}`)),
    differs: (before, after = 'excluded') => sql`(${list(`${before}.`)}) is distinct from (${list(`${after}.`)})`,
    recordset: (rows) => {
      const types = joined(incoming.map((column) => `${column.name} ${column.getSQLType()}`))
      return sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(${types})`
    },
    incoming: joined(incoming.map(({ name }) => name)),
    unnest: (rows) => {
      const arrays = incoming.map(
        ({ name }, index) => sql`${arrayText(rows.map((row) => fieldOf(row, name)))}::${arrayTypes[index]}`,
      )
      return sql`unnest(${sql.join(arrays, sql`, `)}) as u(${joined(incoming.map(({ name }) => name))})`
    },
  }
}

interface Upsert {
  readonly table: string
  /** The table's name within the statement. */
  readonly as: string
  /** Columns outside the entity, with their values in `from`. */
  readonly own: Readonly<Record<string, SQL>>
  readonly key: readonly string[]
  /** Those of `own` that are also updated on conflict. */
  readonly updated?: readonly string[]
  readonly from: SQL
  /** Sorted by a unique key, so that concurrent statements lock rows in the same order. */
  readonly order: readonly string[]
  /** Additional assignments on conflict. */
  readonly set?: SQL
  /** An additional condition under which a stored row differs. */
  readonly or?: SQL
}

/** Inserts rows and updates those that differ. */
export function upsert<Row extends object>(
  { list, updates, differs }: Entity<Row>,
  { table, as, own, key, updated = [], from, order, set, or }: Upsert,
): SQL {
  const changes = [...updated.map((name) => sql.raw(`${name} = excluded.${name}`)), updates, ...(set ? [set] : [])]
  const differences = [
    differs(as),
    ...updated.map((name) => sql.raw(`${as}.${name} is distinct from excluded.${name}`)),
    ...(or ? [or] : []),
  ]
  return sql`insert into ${sql.raw(`${table} as ${as} (${Object.keys(own).join(', ')}`)}, ${list()})
    select ${sql.join(Object.values(own), sql`, `)}, ${list()} from ${from} order by ${joined(order)}
    on conflict (${joined(key)}) do update set ${sql.join(changes, sql`, `)}
    where ${sql.join(differences, sql` or `)}`
}
