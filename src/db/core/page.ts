// Keyset pages: the next page starts after the last row's sort key, so a page costs the same at any depth.
import { type Column, type SQL, sql } from 'drizzle-orm'

/** A row's position: its sort value as text, then its id. */
export type Key = readonly [sortValue: string, id: string]

export interface Page<Row> {
  readonly rows: readonly Row[]
  readonly next: Key | null
}

/** The rows after a position, in the given order; all rows without a position. */
export function after(from: Key | null, sortColumn: Column, idColumn: Column, order: 'asc' | 'desc'): SQL | undefined {
  if (from === null) return undefined
  const type = sql.raw(sortColumn.getSQLType())
  const place = sql`(${from[0]}::${type}, ${from[1]}::uuid)`
  return order === 'asc' ? sql`(${sortColumn}, ${idColumn}) > ${place}` : sql`(${sortColumn}, ${idColumn}) < ${place}`
}

/**
 * The order of a list over all users, oldest or newest first. There are no nulls, but the index of such a list has them
 * on the unusual side, so that the planner cannot use it for a list of one user's rows, which has a separate index.
 */
export const ofEveryUser = (time: Column, order: 'asc' | 'desc'): SQL =>
  order === 'asc' ? sql`${time} asc nulls first` : sql`${time} desc nulls last`

/** Removes the extra row that shows whether there are more. */
export function toPage<Row>(found: readonly Row[], limit: number, toKey: (row: Row) => Key): Page<Row> {
  const last = found.length > limit ? found[limit - 1] : undefined
  return { rows: found.slice(0, limit), next: last === undefined ? null : toKey(last) }
}
