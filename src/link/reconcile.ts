// Resumes what was begun and not finished: exchanges, removals at Plaid, hosted sessions whose webhook was lost, and items
// that Plaid lists for a user and no row knows. One piece that fails, or hangs, does not hold up the others.
import type { Ctx } from '../context.ts'
import {
  claimExchanges,
  claimUsersToCheck,
  type DueExchange,
  type Exchange,
  loseExchange,
  recheckUsers,
  releaseExchanges,
  type UserToCheck,
} from '../db/link-exchanges.ts'
import { claimLinkSessions } from '../db/link-sessions.ts'
import { claimOrphans, findOrphans } from '../db/orphans.ts'
import { claimRemovals, releaseRemovals, type Removal, retireItems } from '../db/plaid-removals.ts'
import { purgeItems, purgeRevokedAccounts } from '../db/purge.ts'
import { markStuckRotations } from '../db/rotations.ts'
import { orphanMode } from '../db/safety-switches.ts'
import { AppError } from '../errors.ts'
import { endClaimed } from '../items/end-at-plaid.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import { finishExchange, giveUpExchange } from './finish-exchange.ts'
import { finishLinkSession } from './finish-session.ts'
import { takeTurns } from './take-turns.ts'

/** Of each kind in one run. With a run every five minutes, 144,000 users are checked in a day. */
const most = 500
/** Deleting an item with all its rows is the slow part; orphans have a limit for the day. */
const mostPurged = 50
const mostOrphans = 50
/** Pieces of work at a time. Each uses one of the six connections of an invocation. */
const parallel = 5
/** For so long pieces of one kind are started, and of all kinds together. A call that hangs ends 90 s later. */
const kindMs = 45_000
const runMs = 240_000
/** Tries of an exchange whose token is here; they are spread over half a day. */
const mostExchangeTries = 8
/** When a user's list could not be read because Plaid did not answer. */
const recheckSeconds = 3600

/** Starts nothing after `endMs`. */
type Step = (ctx: Ctx, endMs: number) => Promise<void>

interface Kind<Work extends { readonly userId: string }> {
  readonly name: string
  readonly claim: (ctx: Ctx) => Promise<readonly Work[]>
  readonly act: (ctx: Ctx, work: Work) => Promise<void>
  /** Gives back what was claimed and not started; without it, that waits as if it had been tried. */
  readonly release?: (ctx: Ctx, left: readonly Work[]) => Promise<void>
}

function worksOff<Work extends { readonly userId: string }>(kind: Kind<Work>): Step {
  return async (ctx, endMs) => {
    const attempt = async (work: Work): Promise<void> => {
      try {
        await kind.act(ctx, work)
      } catch (error) {
        ctx.log.error('not_reconciled', { reason: kind.name, error })
      }
    }
    const nowMs = (): number => ctx.now().getTime()
    const lastStartMs = Math.min(endMs, nowMs() + kindMs)
    const left = await takeTurns(await kind.claim(ctx), attempt, { parallel, isOver: () => nowMs() >= lastStartMs })
    if (left.length === 0) return
    ctx.log.warn('reconcile_out_of_time', { reason: kind.name, count: left.length })
    await kind.release?.(ctx, left)
  }
}

const idsOf = (works: readonly { readonly id: string }[]): string[] => works.map(({ id }) => id)

async function removeAtPlaid(ctx: Ctx, removal: Removal): Promise<void> {
  await endClaimed(ctx, removal)
}

const steps: Readonly<Record<string, Step>> = {
  exchanges: worksOff({
    name: 'exchange',
    claim: ({ services }) => claimExchanges(services.jobs, most),
    act: goOn,
    release: ({ services }, left) => releaseExchanges(services.jobs, idsOf(left)),
  }),
  link_sessions: worksOff({
    name: 'link_session',
    claim: ({ services }) => claimLinkSessions(services.jobs, most),
    act: (ctx, { id }) => finishLinkSession(ctx, id),
  }),
  users: worksOff({
    name: 'user_items',
    claim: ({ services }) => claimUsersToCheck(services.jobs, most),
    act: checkUser,
    release: ({ services }, left) =>
      recheckUsers(
        services.jobs,
        left.map(({ userId }) => userId),
        0,
      ),
  }),
  retired_items: ({ services }) => retireItems(services.jobs, services.config.retention.removedDays),
  removals: worksOff({
    name: 'removal',
    claim: ({ services }) => claimRemovals(services.jobs, most),
    act: removeAtPlaid,
    release: ({ services }, left) => releaseRemovals(services.jobs, idsOf(left)),
  }),
  orphans: worksOff({ name: 'orphan', claim: dueOrphans, act: removeAtPlaid }),
  rotations: ({ services }) => markStuckRotations(services.jobs),
  purge,
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

async function purge({ services, log }: Ctx): Promise<void> {
  const { jobs, config } = services
  const items = await purgeItems(jobs, mostPurged)
  const purged = items + (await purgeRevokedAccounts(jobs, config.retention.removedDays, mostPurged))
  if (purged > 0) log.info('purged', { count: purged })
}

/** The last try gives the exchange up, unless a fault of the operator's is what stands in the way. */
async function finishOrGiveUp(ctx: Ctx, exchange: Exchange, isLastTry: boolean): Promise<void> {
  try {
    await finishExchange(ctx, exchange)
  } catch (error) {
    if (!isLastTry || (error instanceof AppError && error.code === 'misconfigured')) throw error
    await giveUpExchange(ctx, exchange)
  }
}

async function goOn(ctx: Ctx, due: DueExchange): Promise<void> {
  const { jobs } = ctx.services
  if (due.exchange !== null) {
    await finishOrGiveUp(ctx, due.exchange, due.attempts > mostExchangeTries)
  } else if (due.plaidUserId === null) {
    // Whether Plaid has made an item of it cannot be found out: an operator has to look.
    ctx.log.error('exchange_lost', { exchange_id: due.id, user_id: due.userId })
    await loseExchange(jobs, due.id)
  } else await checkUser(ctx, { userId: due.userId, plaidUserId: due.plaidUserId })
}

/**
 * Finds items that Plaid holds for a user and no row knows. Their removal is queued where it is allowed, and happens unless
 * an exchange claims them soon.
 */
async function checkUser(ctx: Ctx, { userId, plaidUserId }: UserToCheck): Promise<void> {
  const { jobs, plaid, config } = ctx.services
  const mode = await orphanMode(jobs, config.orphanRemoval.mode)
  if (mode === 'off') return
  const listed = await plaid.getUserItems(plaidUserId)
  if (!listed.ok) {
    ctx.log.warn('user_items_not_told', { user_id: userId, plaid_error_code: listed.failure.errorCode })
    if (isTemporary(listed.failure)) await recheckUsers(jobs, [userId], recheckSeconds)
    return
  }
  const ids = listed.value.items.map(({ item_id: id }) => id)
  for (const plaidItemId of await findOrphans(jobs, userId, ids, { queue: mode === 'end' }))
    ctx.log[mode === 'end' ? 'info' : 'error']('item_unclaimed', { plaid_item_id: plaidItemId, user_id: userId, mode })
}

const isTemporary = ({ class: failureClass }: PlaidFailure): boolean =>
  failureClass === 'retry' || failureClass === 'rate_limited'

/** The orphans to remove now, within the day's limit. */
async function dueOrphans({ services, log }: Ctx): Promise<readonly Removal[]> {
  const { jobs, config } = services
  const { mode, perDay } = config.orphanRemoval
  if (mode !== 'end') return []
  const { removals, newlyHeld } = await claimOrphans(jobs, mostOrphans, perDay)
  if (newlyHeld > 0) log.error('orphan_removal_limit_reached', { count: newlyHeld, limit: perDay })
  return removals
}
