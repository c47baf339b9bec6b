// The history of sync runs, for users and operators.
import { and, desc, eq } from 'drizzle-orm'
import { syncRuns } from '../../../drizzle/tables/operations.ts'
import { type ApiDatabase, batch, type JobsDatabase } from '../core/client.ts'
import { ofShownItem, type RowOf } from '../core/columns.ts'
import { after, type Key, ofEveryUser, type Page, toPage } from '../core/page.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import { type Identity, me, pageAsUser } from '../core/scope.ts'

const runColumns = {
  id: syncRuns.id,
  itemId: syncRuns.itemId,
  product: syncRuns.product,
  trigger: syncRuns.trigger,
  outcome: syncRuns.outcome,
  errorCode: syncRuns.errorCode,
  pages: syncRuns.pages,
  restarts: syncRuns.restarts,
  upserted: syncRuns.upserted,
  removed: syncRuns.removed,
  /** How many rows of the product are set aside after the run. */
  setAside: syncRuns.setAside,
  startedAt: syncRuns.startedAt,
  finishedAt: syncRuns.finishedAt,
}

const newestFirst = [desc(syncRuns.startedAt), desc(syncRuns.id)] as const
const runKey = ({ startedAt, id }: SyncRun): Key => [startedAt.toISOString(), id]

export type SyncRun = RowOf<typeof runColumns>

/** A user's runs, newest first, of one item or of all. */
export async function listSyncRuns(
  database: ApiDatabase,
  identity: Identity,
  itemId: string | null,
  limit: number,
  from: Key | null,
): Promise<Page<SyncRun>> {
  const { found } = await pageAsUser(database, identity, {
    found: database.connection
      .select(runColumns)
      .from(syncRuns)
      .where(
        and(
          eq(syncRuns.userId, me),
          ofShownItem(syncRuns.itemId),
          itemId === null ? undefined : eq(syncRuns.itemId, itemId),
          after(from, syncRuns.startedAt, syncRuns.id, 'desc'),
        ),
      )
      .orderBy(...newestFirst)
      .limit(limit + 1),
  })
  return toPage(found, limit, runKey)
}

export interface AdminSyncRun extends SyncRun {
  readonly userId: string
  /** Needed by Plaid's support. */
  readonly plaidRequestIds: readonly string[]
}

export interface AdminRunFilters {
  readonly itemId?: string | undefined
  readonly outcome?: string | undefined
}

/** Every user's runs, newest first. */
export async function listAllSyncRuns(
  jobs: JobsDatabase,
  { itemId, outcome }: AdminRunFilters,
  limit: number,
  from: Key | null,
): Promise<Page<AdminSyncRun>> {
  const { found } = await batch(jobs, {
    planned: plan(inIndexOrder),
    found: jobs.connection
      .select({ ...runColumns, userId: syncRuns.userId, plaidRequestIds: syncRuns.plaidRequestIds })
      .from(syncRuns)
      .where(
        and(
          itemId === undefined ? undefined : eq(syncRuns.itemId, itemId),
          outcome === undefined ? undefined : eq(syncRuns.outcome, outcome),
          after(from, syncRuns.startedAt, syncRuns.id, 'desc'),
        ),
      )
      .orderBy(...(itemId === undefined ? [ofEveryUser(syncRuns.startedAt, 'desc'), desc(syncRuns.id)] : newestFirst))
      .limit(limit + 1),
  })
  return toPage(found, limit, runKey)
}
