// Deletes what is kept no longer (./policy.ts), in small steps, one of each class in turn, so that no class waits for another
// and no transaction holds rows for long. It stores no state: it can end at any step, and the next run continues.
import type { Ctx } from '../context.ts'
import { audit } from '../audit/audit.ts'
import { pruneAudit, pruneAuditCheckpoints } from '../audit/prune.ts'
import { recordAudit } from '../db/audit/record.ts'
import { execute } from '../db/core/client.ts'
import { AppError } from '../errors.ts'
import { purgeExpiredLogins } from '../db/identity/retention.ts'
import { noteUnusedAccounts } from '../db/privacy/absence.ts'
import { purgeFeed, purgeHistory, purgeRows } from '../db/records/retention.ts'
import { removeLostItems } from '../items/remove-lost.ts'
import { eraseAbsent, notifyAbsent } from '../privacy/absence.ts'
import { classesBy, type ClassName, dayBefore, daysOf } from './policy.ts'

/** Rows that one step deletes at most: about a tenth of a second. */
const stepRows = 5000

/** How many rows of each class were deleted. */
export type Purged = Readonly<Record<string, number>>

export interface PurgeRun {
  readonly purged: Purged
  /** Whether everything that was due is deleted, apart from rows that were locked. */
  readonly isDone: boolean
}

/** Part of the deletion of one kind of data. */
interface Task {
  readonly name: string
  /** Deletes some rows; adds how many of each class. Returns whether nothing is left. */
  readonly step: (count: (name: string, rows: number) => void) => Promise<boolean>
}

/**
 * Runs until nothing is due or the time is used up. Safe to run concurrently.
 * @throws AggregateError if a class failed; the other classes were purged. AppError `frozen` during a freeze
 */
export async function purgeExpired(ctx: Ctx, budgetMs: number): Promise<PurgeRun> {
  const endMs = ctx.now().getTime() + budgetMs
  const purged: Record<string, number> = {}
  const count = (name: string, rows: number): void => {
    if (rows > 0) purged[name] = (purged[name] ?? 0) + rows
  }
  const failures: unknown[] = []
  // The rows go in many transactions: a run that dies has its row too.
  await execute(ctx.services.jobs, [recordAudit(await audit(ctx, { action: 'retention_started', target: null }))])
  let open = await tasksOf(ctx)
  while (open.length > 0 && ctx.now().getTime() < endMs) {
    const unfinished: Task[] = []
    for (const task of open)
      try {
        // A task that has had no turn stays open.
        if (ctx.now().getTime() >= endMs || !(await task.step(count))) unfinished.push(task)
      } catch (error) {
        // A freeze refuses every class on purpose: that is no failure of this one.
        if (error instanceof AppError && error.code === 'frozen') throw error
        ctx.log.error('retention_failed', { action: task.name, error })
        failures.push(error)
      }
    open = unfinished
  }
  const deleted = Object.values(purged).reduce((sum, rows) => sum + rows, 0)
  await execute(ctx.services.jobs, [
    recordAudit(await audit(ctx, { action: 'retention_finished', target: `${deleted}` })),
  ])
  for (const [name, rows] of Object.entries(purged)) ctx.log.info('retention_purged', { action: name, rows })
  const isDone = open.length === 0 && failures.length === 0
  ctx.log[open.length === 0 ? 'info' : 'warn']('retention', { ok: isDone, count: open.length, failed: failures.length })
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} classes of data were not purged`, { cause: failures[0] })
  return { purged, isDone }
}

async function tasksOf(ctx: Ctx): Promise<Task[]> {
  const { services } = ctx
  const { jobs, config } = services
  const expiring = (purge: 'rows' | 'history' | 'feed' | 'audit') =>
    classesBy(purge).flatMap((name) => {
      const days = daysOf(name, config.retention)
      return days === null ? [] : [{ name, days }]
    })
  const rows = expiring('rows').map((expired): Task => ({
    name: expired.name,
    step: async (count) => {
      const deleted = await purgeRows(jobs, expired, stepRows)
      count(expired.name, deleted)
      return deleted < stepRows
    },
  }))
  const feeds = expiring('feed').map((expired): Task => ({
    name: expired.name,
    step: async (count) => {
      const deleted = await purgeFeed(jobs, expired, stepRows)
      count(expired.name, deleted)
      return deleted < stepRows
    },
  }))
  const trails = expiring('audit').map(({ name, days }): Task => ({
    name,
    step: async (count) => {
      const deleted = await pruneAudit(ctx, dayBefore(ctx.now(), days), stepRows)
      count(name, deleted)
      return deleted === 0
    },
  }))
  const checkpoints = expiring('audit').map(({ days }): Task => ({
    name: 'audit_checkpoints',
    step: async (count) => {
      const deleted = await pruneAuditCheckpoints(ctx, dayBefore(ctx.now(), days), stepRows)
      count('audit_checkpoints', deleted)
      return deleted === 0
    },
  }))
  const history = expiring('history').map((expired) => historyTask(ctx, expired))
  const lost: Task = {
    name: 'lost_items',
    step: async (count) => {
      const { removed, isDone } = await removeLostItems(ctx)
      count('lost_items', removed)
      return isDone
    },
  }
  return [
    ...absenceTasks(ctx),
    lost,
    ...rows,
    ...feeds,
    ...history,
    ...trails,
    ...checkpoints,
    ...(await loginTasks(ctx)),
  ]
}

/** Counts unused accounts as absent users, notifies all of those once, and begins the erasures that are due. */
function absenceTasks(ctx: Ctx): Task[] {
  let after: string | null = null
  return [
    {
      name: 'unused_accounts',
      step: async () => (await noteUnusedAccounts(ctx.services.jobs, stepRows)) < stepRows,
    },
    {
      name: 'absent_users_notified',
      step: async () => {
        after = await notifyAbsent(ctx, after)
        return after === null
      },
    },
    {
      name: 'users',
      step: async (count) => {
        const { begun, isDone } = await eraseAbsent(ctx)
        count('users', begun)
        return isDone
      },
    },
  ]
}

/**
 * Goes through all accounts once, from a random one on, so that no account comes last every day when the time is not
 * enough.
 */
function historyTask({ services }: Ctx, expired: { readonly name: ClassName; readonly days: number }): Task {
  const start = services.newId()
  let after: string | null = start
  let isSecondPass = false
  return {
    name: expired.name,
    step: async (count) => {
      const step = await purgeHistory(services.jobs, expired, after, stepRows)
      count(expired.name, step.purged)
      if (step.after === null) {
        if (isSecondPass) return true
        isSecondPass = true
      }
      after = step.after
      return isSecondPass && after !== null && after >= start
    },
  }
}

async function loginTasks({ services }: Ctx): Promise<Task[]> {
  if (services.identity === null) return []
  const { database } = await services.identity()
  return [
    {
      name: 'logins',
      step: async (count) => {
        const deleted = await purgeExpiredLogins(database, stepRows)
        for (const each of deleted) count(each.name, each.count)
        return deleted.every((each) => each.count < stepRows)
      },
    },
  ]
}
