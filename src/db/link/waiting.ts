// What waits between this database and Plaid: exchanges that have not ended, and items to remove at Plaid. Ids, states,
// times and counts.
import { and, asc, eq } from 'drizzle-orm'
import { linkExchanges, plaidRemovals } from '../../../drizzle/tables/links.ts'
import { batch, type JobsDatabase } from '../core/client.ts'
import type { RowOf } from '../core/columns.ts'
import { after, type Key, type Page, toPage } from '../core/page.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import { isOpen, type openStates } from '../operations/open-exchanges.ts'

const exchangeColumns = {
  id: linkExchanges.id,
  userId: linkExchanges.userId,
  state: linkExchanges.state,
  plaidItemId: linkExchanges.plaidItemId,
  attempts: linkExchanges.attempts,
  lastError: linkExchanges.lastError,
  createdAt: linkExchanges.createdAt,
  nextAttemptAt: linkExchanges.nextAttemptAt,
}
export type OpenExchange = RowOf<typeof exchangeColumns>

const pageKey = ({ createdAt, id }: { readonly createdAt: Date; readonly id: string }): Key => [
  createdAt.toISOString(),
  id,
]

/** Exchanges that have not ended, oldest first. */
export async function listOpenExchanges(
  jobs: JobsDatabase,
  { state, userId }: { readonly state?: (typeof openStates)[number] | undefined; readonly userId?: string | undefined },
  limit: number,
  from: Key | null,
): Promise<Page<OpenExchange>> {
  const table = linkExchanges
  const { found } = await batch(jobs, {
    planned: plan(inIndexOrder),
    found: jobs.connection
      .select(exchangeColumns)
      .from(table)
      .where(
        and(
          isOpen,
          state === undefined ? undefined : eq(table.state, state),
          userId === undefined ? undefined : eq(table.userId, userId),
          after(from, table.createdAt, table.id, 'asc'),
        ),
      )
      .orderBy(asc(table.createdAt), asc(table.id))
      .limit(limit + 1),
  })
  return toPage(found, limit, pageKey)
}

const removalColumns = {
  id: plaidRemovals.id,
  userId: plaidRemovals.userId,
  itemId: plaidRemovals.itemId,
  plaidItemId: plaidRemovals.plaidItemId,
  reason: plaidRemovals.reason,
  attempts: plaidRemovals.attempts,
  lastError: plaidRemovals.lastError,
  createdAt: plaidRemovals.createdAt,
  nextAttemptAt: plaidRemovals.nextAttemptAt,
}
export type WaitingRemoval = RowOf<typeof removalColumns>

/** Items that wait for their removal at Plaid, oldest first. */
export async function listRemovals(
  jobs: JobsDatabase,
  { reason, userId }: { readonly reason?: string | undefined; readonly userId?: string | undefined },
  limit: number,
  from: Key | null,
): Promise<Page<WaitingRemoval>> {
  const table = plaidRemovals
  const { found } = await batch(jobs, {
    planned: plan(inIndexOrder),
    found: jobs.connection
      .select(removalColumns)
      .from(table)
      .where(
        and(
          reason === undefined ? undefined : eq(table.reason, reason),
          userId === undefined ? undefined : eq(table.userId, userId),
          after(from, table.createdAt, table.id, 'asc'),
        ),
      )
      .orderBy(...(reason === undefined ? [] : [asc(table.reason)]), asc(table.createdAt), asc(table.id))
      .limit(limit + 1),
  })
  return toPage(found, limit, pageKey)
}
