// Replaces stored rows with a snapshot or a window of Plaid's, in one statement.
import { type SQL, sql } from 'drizzle-orm'
import { command, type Statement } from '../core/statement.ts'
import { countUnknown, storeUnknown } from '../sync/set-aside.ts'
import type { Lease } from '../sync/work.ts'

interface Replacement {
  /** CTEs with the incoming rows. */
  readonly read: SQL
  /** Incoming rows with an unknown account, which are set aside. */
  readonly unknown: SQL
  /** More CTEs, on top of both. */
  readonly and?: SQL
  /** Deletes or marks the stored rows without an incoming row. */
  readonly remove: SQL
  readonly upsert: SQL
  /** CTEs that write further tables. */
  readonly also?: SQL
}

/** Also leaves the numbers of written and removed rows in `app.upserted` and `app.removed` for the run's record. */
export function replaceRows(lease: Lease, { read, unknown, and, remove, upsert, also }: Replacement): Statement {
  return command(sql`with ${read}, ${storeUnknown(lease, unknown)}${and === undefined ? sql`` : sql`, ${and}`},
    gone as (${remove} returning 1), merged as (${upsert} returning 1)${also === undefined ? sql`` : sql`, ${also}`}
    select ${countUnknown}, set_config('app.upserted', (select count(*) from merged)::text, true),
      set_config('app.removed', (select count(*) from gone)::text, true)`)
}
