// Resumes what was begun and not finished: exchanges, removals at Plaid, hosted sessions whose webhook was lost, and items
// that Plaid lists for a user and no row knows. One piece that fails, or hangs, does not hold up the others.
import type { Ctx } from '../context.ts'
import { claimExchanges, claimUsersToCheck, recheckUsers, releaseExchanges } from '../db/link/exchanges.ts'
import { claimLinkSessions } from '../db/link/sessions.ts'
import { claimOrphans } from '../db/link/orphans.ts'
import { claimRemovals, releaseRemovals, type Removal, queueRevokedItems } from '../db/items/plaid-removals.ts'
import { purgeItems, purgeRevokedAccounts } from '../db/items/purge.ts'
import { markStuckRotations } from '../db/items/rotations.ts'
import { processRemoval } from '../items/remove-at-plaid.ts'
import { servingUser } from '../items/serving-user.ts'
import type { Priority } from '../plaid/rate-limit/window.ts'
import { finishLinkSession } from './finish-session.ts'
import { checkUser, reconcileExchange } from './reconcile-exchange.ts'
import { takeTurns } from './take-turns.ts'

/** Of each kind in one run. */
const most = 500
/** What Plaid's limit leaves to background calls in a minute. With a run every five minutes, at most 115,000 in a day. */
const mostUsers = 400
/** Deleting an item with all its rows is the slow part; orphans have a limit for the day. */
const mostPurged = 50
const mostOrphans = 50
/** Pieces of work at a time. An invocation has six connections. Linking an item uses three at once, other work one. */
const parallel = 5
const parallelLinks = 2
/** For so long pieces of one kind are started, and of all kinds together. A call that hangs ends 90 s later. */
const kindMs = 45_000
const runMs = 240_000

/** Starts nothing after `endMs`. */
type Step = (ctx: Ctx, endMs: number) => Promise<void>

interface Kind<Work extends { readonly userId: string }> {
  readonly name: string
  readonly parallel: number
  /** `background` leaves a share of Plaid's limits to calls that a user waits for. */
  readonly priority: Priority
  readonly claim: (ctx: Ctx) => Promise<readonly Work[]>
  readonly act: (ctx: Ctx, work: Work) => Promise<void>
  /** Gives back what was claimed and not started; without it, that waits as if it had been tried. */
  readonly release?: (ctx: Ctx, left: readonly Work[]) => Promise<void>
}

function worksOff<Work extends { readonly userId: string }>(kind: Kind<Work>): Step {
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

/** Work without Plaid comes first: where Plaid hangs, the other steps use up the time. */
const steps: Readonly<Record<string, Step>> = {
  retired_items: ({ services }) => queueRevokedItems(services.jobs, services.config.retention.removedDays),
  rotations: ({ services }) => markStuckRotations(services.jobs),
  purge,
  exchanges: worksOff({
    name: 'exchange',
    parallel: parallelLinks,
    priority: 'background',
    claim: ({ services }) => claimExchanges(services.jobs, most),
    act: reconcileExchange,
    release: ({ services }, left) => releaseExchanges(services.jobs, idsOf(left)),
  }),
  link_sessions: worksOff({
    name: 'link_session',
    parallel: parallelLinks,
    // A user waits for the bank to appear, and the public token is valid for 30 minutes.
    priority: 'interactive',
    claim: ({ services }) => claimLinkSessions(services.jobs, most),
    act: (ctx, { id }) => finishLinkSession(ctx, id),
  }),
  users: worksOff({
    name: 'user_items',
    parallel,
    priority: 'background',
    claim: ({ services }) => claimUsersToCheck(services.jobs, mostUsers),
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
  removals: worksOff({
    name: 'removal',
    parallel,
    priority: 'background',
    claim: ({ services }) => claimRemovals(services.jobs, most),
    act: processRemoval,
    release: ({ services }, left) => releaseRemovals(services.jobs, idsOf(left)),
  }),
  orphans: worksOff({ name: 'orphan', parallel, priority: 'background', claim: dueOrphans, act: processRemoval }),
}

/**
 * Safe to run at any time, and twice at once. Ends within runMs and the time of one piece of work.
 * @throws AggregateError when a step failed; the other steps were run
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

/** The orphans to remove now, within the day's limit. */
async function dueOrphans({ services, log }: Ctx): Promise<readonly Removal[]> {
  const { jobs, config } = services
  const { mode, perDay } = config.orphanRemoval
  if (mode !== 'end') return []
  const { removals, newlyHeld } = await claimOrphans(jobs, mostOrphans, perDay)
  if (newlyHeld > 0) log.error('orphan_removal_limit_reached', { count: newlyHeld, limit: perDay })
  return removals
}
