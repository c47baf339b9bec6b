// The planner's settings for one transaction, where the cost of a statement must not depend on statistics: a young
// table has none, a copied one has wrong ones, and Neon forgets the counters that renew them. JIT is off wherever a
// plan is forced: before PostgreSQL 18 a step that is switched off is counted as 1e10, and so dear a query would be
// compiled.
import { type SQL, sql } from 'drizzle-orm'
import { command } from './statement.ts'

const off = (settings: readonly string[]): SQL =>
  sql.raw(settings.map((setting) => `set_config('${setting}', 'off', true)`).join(', '))

/** Expressions of a select list. From there on rows are found by an index where there is one. */
export const byIndex = off(['enable_seqscan', 'jit'])

/** The same, and rows come in the order of an index: a page reads as many rows as it has, however many there are. */
export const inIndexOrder = off([
  'enable_seqscan',
  'enable_bitmapscan',
  'enable_sort',
  'enable_incremental_sort',
  'enable_hashjoin',
  'enable_mergejoin',
  'jit',
])

/** Either of them as a statement of its own. */
export const plan = (settings: SQL) => command(sql`select ${settings}`)
