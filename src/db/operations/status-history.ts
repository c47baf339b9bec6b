// Why the status of an item changes, for its history. A trigger of `items` writes the history, whichever statement
// changes the status; it reads the cause from a setting of the transaction. Without one, the audit trail has the
// reason.
import { type SQL, sql } from 'drizzle-orm'

export interface StatusCause {
  readonly kind: 'sync_run' | 'webhook'
  readonly id: string | SQL
  readonly requestIds: readonly string[]
}

/** A run can have hundreds of calls; the last ones led to its result. */
const keptRequestIds = 5

/** A select expression. */
export const becauseOf = ({ kind, id, requestIds }: StatusCause): SQL =>
  sql`set_config('app.status_cause', jsonb_build_object('kind', ${kind}::text, 'id', ${id}::uuid, 'plaid_request_ids',
    to_jsonb(${sql.param(requestIds.slice(-keptRequestIds))}::text[]))::text, true)`
