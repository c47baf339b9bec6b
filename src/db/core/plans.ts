// The planner's settings for one transaction, if the cost of a statement must not depend on statistics: a young table
// has none, a copied one has wrong ones, and Neon forgets the counters that renew them. JIT is off whenever a plan is
// forced: before PostgreSQL 18 a disabled plan step has a cost of 1e10, and a query with such a cost would be compiled.
import { type SQL, sql } from 'drizzle-orm'
import { command } from './statement.ts'

const off = (settings: readonly string[]): SQL =>
  sql.raw(settings.map((setting) => `set_config('${setting}', 'off', true)`).join(', '))

/** Select expressions, after which rows are found by an index if there is one. */
export const byIndex = off(['enable_seqscan', 'jit'])

/** The same, and rows come in the order of an index: a page reads only its own rows. */
export const inIndexOrder = off([
  'enable_seqscan',
  'enable_bitmapscan',
  'enable_sort',
  'enable_incremental_sort',
  'enable_hashjoin',
  'enable_mergejoin',
  'jit',
])

/** Rows of a subquery come in the order of an index, if there is one with that order. */
export const unsorted = off(['enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'enable_incremental_sort', 'jit'])

/** One of them as a separate statement. */
export const plan = (settings: SQL) => command(sql`select ${settings}`)
