// The reconciler: resumes unfinished exchanges and removals, checks hosted sessions whose webhook was lost, and finds
// items that Plaid lists for a user and that are not stored here. A task that fails or hangs does not hold up the
// others.
import type { Ctx } from '../context.ts'
import { claimExchanges, releaseExchanges } from '../db/link/exchanges.ts'
import { claimUsersToCheck, recheckUsers } from '../db/link/user-checks.ts'
import { claimLinkSessions } from '../db/link/sessions.ts'
import { claimOrphans } from '../db/link/orphans.ts'
import { claimRemovals, releaseRemovals, type Removal } from '../db/items/plaid-removals.ts'
import { purgeItems, purgeRevokedAccounts } from '../db/items/purge.ts'
import { markStuckRotations } from '../db/items/rotations.ts'
import { queueUnusableItems } from '../items/queue-removal.ts'
import { processRemoval } from '../items/remove-at-plaid.ts'
import { servingUser } from '../items/serving-user.ts'
import type { Priority } from '../plaid/rate-limit/window.ts'
import { enqueueMoreUsers, mostInCron } from './check-users.ts'
import { finishLinkSession } from './finish-session.ts'
import { checkUser, reconcileExchange } from './reconcile-exchange.ts'
import { takeTurns } from './take-turns.ts'

/** Tasks of each kind in one run. */
const most = 500
/** Deleting an item with all its rows is slow. Orphans also have a daily limit. */
const mostPurged = 50
const mostOrphans = 50
/** Concurrent tasks. An invocation has six connections. Linking an item uses three at once, other tasks one. */
const parallel = 5
const parallelLinks = 2
/** How long tasks of one kind, and of all kinds, are started. A call that hangs ends 90 s later. */
const kindMs = 45_000
const runMs = 240_000

/** Starts nothing after `endMs`. */
type Step = (ctx: Ctx, endMs: number) => Promise<void>

interface Kind<Work extends { readonly userId: string }> {
  readonly name: string
  readonly parallel: number
  /** `background` leaves a share of Plaid's limits to interactive calls. */
  readonly priority: Priority
  readonly claim: (ctx: Ctx) => Promise<readonly Work[]>
  readonly act: (ctx: Ctx, work: Work) => Promise<void>
  /** Releases claimed tasks that were not started. Without it, they wait as long as attempted ones. */
  readonly release?: (ctx: Ctx, left: readonly Work[]) => Promise<void>
}

function taskStep<Work extends { readonly userId: string }>(kind: Kind<Work>): Step {
  return async (ctx, endMs) => {
    const attempt = async (work: Work): Promise<void> => {
      try {
        await kind.act(servingUser(ctx, work.userId, kind.priority), work)
      } catch (error) {
        ctx.log.error('not_reconciled', { reason: kind.name, error })
      }
    }
    const nowMs = (): number => ctx.now().getTime()
    const lastStartMs = Math.min(endMs, nowMs() + kindMs)
    const left = await takeTurns(await kind.claim(ctx), attempt, {
      parallel: kind.parallel,
      isOver: () => nowMs() >= lastStartMs,
    })
    if (left.length === 0) return
    ctx.log.warn('reconcile_out_of_time', { reason: kind.name, count: left.length })
    await kind.release?.(ctx, left)
  }
}

const idsOf = (works: readonly { readonly id: string }[]): string[] => works.map(({ id }) => id)

/** Steps without calls of Plaid come first: while Plaid hangs, the others use up the time. */
const steps: Readonly<Record<string, Step>> = {
  retired_items: queueUnusableItems,
  rotations: ({ services }) => markStuckRotations(services.jobs),
  purge,
  exchanges: taskStep({
    name: 'exchange',
    parallel: parallelLinks,
    priority: 'background',
    claim: ({ services }) => claimExchanges(services.jobs, most),
    act: reconcileExchange,
    release: ({ services }, left) => releaseExchanges(services.jobs, idsOf(left)),
  }),
  link_sessions: taskStep({
    name: 'link_session',
    parallel: parallelLinks,
    // A user waits for the bank to appear, and the public token is valid for 30 minutes.
    priority: 'interactive',
    claim: ({ services }) => claimLinkSessions(services.jobs, most),
    act: (ctx, { id }) => finishLinkSession(ctx, id),
  }),
  users: taskStep({
    name: 'user_items',
    parallel,
    priority: 'background',
    claim: ({ services }) => claimUsersToCheck(services.jobs, mostInCron),
    act: async (ctx, user) => {
      await checkUser(ctx, user)
    },
    release: ({ services }, left) =>
      recheckUsers(
        services.jobs,
        left.map(({ userId }) => userId),
        0,
      ),
  }),
  more_users: enqueueMoreUsers,
  removals: taskStep({
    name: 'removal',
    parallel,
    priority: 'background',
    claim: ({ services }) => claimRemovals(services.jobs, most),
    act: processRemoval,
    release: ({ services }, left) => releaseRemovals(services.jobs, idsOf(left)),
  }),
  orphans: taskStep({ name: 'orphan', parallel, priority: 'background', claim: dueOrphans, act: processRemoval }),
}

/**
 * Safe to run concurrently. Ends within `runMs` and the duration of one task.
 * @throws AggregateError if a step failed; the other steps have run
 */
export async function reconcile(ctx: Ctx): Promise<void> {
  const endMs = ctx.now().getTime() + runMs
  const failures: unknown[] = []
  for (const [name, step] of Object.entries(steps))
    try {
      if (ctx.now().getTime() < endMs) await step(ctx, endMs)
    } catch (error) {
      ctx.log.error('reconcile_step_failed', { action: name, error })
      failures.push(error)
    }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} steps of the reconciler failed`, { cause: failures[0] })
}

async function purge({ services, log, now }: Ctx): Promise<void> {
  const { jobs, config } = services
  const lastStartMs = now().getTime() + kindMs
  const items = await purgeItems(jobs, mostPurged, () => now().getTime() >= lastStartMs)
  const purged = items + (await purgeRevokedAccounts(jobs, config.retention.removedDays, mostPurged))
  if (purged > 0) log.info('purged', { count: purged })
}

/** Claims the orphans to remove now, within the daily limit. */
async function dueOrphans({ services, log }: Ctx): Promise<readonly Removal[]> {
  const { jobs, config } = services
  const { mode, perDay } = config.orphanRemoval
  if (mode !== 'end') return []
  const { removals, newlyHeld } = await claimOrphans(jobs, mostOrphans, perDay)
  if (newlyHeld > 0) log.error('orphan_removal_limit_reached', { count: newlyHeld, limit: perDay })
  return removals
}
