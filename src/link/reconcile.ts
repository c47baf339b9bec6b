// Goes on with what was begun and never ended: exchanges, removals at Plaid, hosted sessions whose webhook was lost, and items
// that Plaid holds for a user and nobody here knows of. Each is tried by itself; one that fails waits for the next time.
import type { Ctx } from '../context.ts'
import {
  claimExchanges,
  claimUsersToCheck,
  type DueExchange,
  type Exchange,
  loseExchange,
} from '../db/link-exchanges.ts'
import { claimLinkSessions } from '../db/link-sessions.ts'
import { claimOrphans, findOrphans } from '../db/orphans.ts'
import { claimRemovals, retireItems } from '../db/plaid-removals.ts'
import { purgeItems, purgeRevokedAccounts } from '../db/purge.ts'
import { markStuckRotations } from '../db/rotations.ts'
import { orphanMode } from '../db/safety-switches.ts'
import { AppError } from '../errors.ts'
import { endClaimed } from '../items/end-at-plaid.ts'
import { finishExchange, giveUpExchange } from './finish-exchange.ts'
import { finishLinkSession } from './finish-session.ts'

/** Of each kind in one sweep. */
const most = 50
/** Tries of an exchange whose token is here; they are spread over half a day. */
const mostExchangeTries = 8

/** Safe to run at any time, and twice at once. */
export async function reconcile(ctx: Ctx): Promise<void> {
  const { jobs, config } = ctx.services
  await each(ctx, 'exchange', await claimExchanges(jobs, most), goOn)
  await each(ctx, 'link_session', await claimLinkSessions(jobs, most), finishLinkSession)
  await each(ctx, 'user_items', await claimUsersToCheck(jobs, most), checkUser)
  await retireItems(jobs, config.retention.removedDays)
  await each(ctx, 'removal', await claimRemovals(jobs, most), async (each_, removal) => {
    await endClaimed(each_, removal)
  })
  await removeOrphans(ctx)
  await markStuckRotations(jobs)
  const purged = (await purgeItems(jobs, most)) + (await purgeRevokedAccounts(jobs, config.retention.removedDays, most))
  if (purged > 0) ctx.log.info('purged', { count: purged })
}

async function each<Work>(
  ctx: Ctx,
  what: string,
  found: readonly Work[],
  act: (ctx: Ctx, work: Work) => Promise<void>,
): Promise<void> {
  for (const work of found)
    try {
      await act(ctx, work)
    } catch (error) {
      ctx.log.error('not_reconciled', { reason: what, error })
    }
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
  } else await checkUser(ctx, { id: due.userId, plaidUserId: due.plaidUserId })
}

/**
 * Finds items that Plaid holds for a user and no row knows. Their removal is queued where it is allowed, and happens unless
 * an exchange claims them soon.
 */
async function checkUser(ctx: Ctx, user: { readonly id: string; readonly plaidUserId: string }): Promise<void> {
  const { jobs, plaid, config } = ctx.services
  const mode = await orphanMode(jobs, config.orphanRemoval.mode)
  if (mode === 'off') return
  const listed = await plaid.getUserItems(user.plaidUserId)
  if (!listed.ok) {
    ctx.log.warn('user_items_not_told', { user_id: user.id, plaid_error_code: listed.failure.errorCode })
    return
  }
  const ids = listed.value.items.map(({ item_id: id }) => id)
  for (const plaidItemId of await findOrphans(jobs, user.id, ids, { queue: mode === 'end' }))
    ctx.log[mode === 'end' ? 'info' : 'error']('item_unclaimed', { plaid_item_id: plaidItemId, user_id: user.id, mode })
}

/** Removes the orphans that are due at Plaid, within the day's limit. */
async function removeOrphans(ctx: Ctx): Promise<void> {
  const { jobs, config } = ctx.services
  const { mode, perDay } = config.orphanRemoval
  if (mode !== 'end') return
  const { removals, newlyHeld } = await claimOrphans(jobs, most, perDay)
  if (newlyHeld > 0) ctx.log.error('orphan_removal_limit_reached', { count: newlyHeld, limit: perDay })
  await each(ctx, 'orphan', removals, async (each_, removal) => {
    await endClaimed(each_, removal)
  })
}
