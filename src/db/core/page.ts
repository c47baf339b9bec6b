// Keyset pages: the last row's sort key is where the next page starts, so a page costs the same at any depth.
import { type Column, type SQL, sql } from 'drizzle-orm'

/** A row's place: its sort value as text, then its id. */
export type Key = readonly [sortValue: string, id: string]

export interface Page<Row> {
  readonly rows: readonly Row[]
  readonly next: Key | null
}

/** The rows after a place, in the given order; everything when there is no place. */
export function after(from: Key | null, sortColumn: Column, idColumn: Column, order: 'asc' | 'desc'): SQL | undefined {
  if (from === null) return undefined
  const type = sql.raw(sortColumn.getSQLType())
  const place = sql`(${from[0]}::${type}, ${from[1]}::uuid)`
  return order === 'asc' ? sql`(${sortColumn}, ${idColumn}) > ${place}` : sql`(${sortColumn}, ${idColumn}) < ${place}`
}

/**
 * The order of a list over all users, oldest or newest first. There are no nulls, but the index of such a list puts
 * them on the other side than usual: so the planner cannot use it for a list of one user's rows, which has an index
 * of its own.
 */
export const ofEveryUser = (time: Column, order: 'asc' | 'desc'): SQL =>
  order === 'asc' ? sql`${time} asc nulls first` : sql`${time} desc nulls last`

/** Cuts the extra row that tells whether there are more. */
export function toPage<Row>(found: readonly Row[], limit: number, toKey: (row: Row) => Key): Page<Row> {
  const last = found.length > limit ? found[limit - 1] : undefined
  return { rows: found.slice(0, limit), next: last === undefined ? null : toKey(last) }
}
