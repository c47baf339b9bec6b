// Resumes exchanges that did not end, and compares Plaid's list of a user's items with ours.
import { aboutUser, type Ctx } from '../context.ts'
import { type DueExchange, type Exchange, loseExchange, recheckUsers, type UserToCheck } from '../db/link/exchanges.ts'
import { findOrphans } from '../db/link/orphans.ts'
import { orphanMode } from '../db/operations/safety-switches.ts'
import { AppError } from '../errors.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import { finishExchange, giveUpExchange } from './finish-exchange.ts'

/** Tries of an exchange after the request's own; the eighth is eleven hours after the start. */
const mostTries = 8
/** When a user's list could not be read because Plaid did not answer. */
const recheckSeconds = 3600

export async function reconcileExchange(given: Ctx, due: DueExchange): Promise<void> {
  const ctx = aboutUser(given, due.userId)
  const isLastTry = due.attempts >= mostTries
  if (due.exchange !== null) return await finishOrGiveUp(ctx, due.exchange, isLastTry)
  const { userId, plaidUserId } = due
  const checked = plaidUserId === null ? 'off' : await checkUser(ctx, { userId, plaidUserId })
  if (checked === 'compared' || (checked === 'not_listed' && !isLastTry)) return
  // Whether Plaid has made an item of it was not found out: an operator has to look.
  ctx.log.error('exchange_lost', { exchange_id: due.id, user_id: userId })
  await loseExchange(ctx.services.jobs, due.id)
}

/** The last try gives the exchange up, unless a fault of the operator's is what stands in the way. */
async function finishOrGiveUp(ctx: Ctx, exchange: Exchange, isLastTry: boolean): Promise<void> {
  try {
    await finishExchange(ctx, exchange, { isLate: true })
  } catch (error) {
    if (!isLastTry || (error instanceof AppError && error.code === 'misconfigured')) throw error
    await giveUpExchange(ctx, exchange)
  }
}

/**
 * Finds items that Plaid holds for a user and no row knows, and those that another user has here, which is an alarm. Their removal is queued where it is allowed, and happens unless
 * an exchange claims them soon. The user's exchanges without a response become `lost`. `off`: Plaid is not asked, because orphan
 * removal is off · `not_listed`: Plaid did not list the items
 */
export async function checkUser(
  ctx: Ctx,
  { userId, plaidUserId }: UserToCheck,
): Promise<'compared' | 'off' | 'not_listed'> {
  const { jobs, plaid, config } = ctx.services
  const mode = await orphanMode(jobs, config.orphanRemoval.mode)
  if (mode === 'off') return 'off'
  const listed = await plaid.getUserItems(plaidUserId)
  if (!listed.ok) {
    ctx.log.warn('user_items_not_told', { user_id: userId, plaid_error_code: listed.failure.errorCode })
    if (isTemporary(listed.failure)) await recheckUsers(jobs, [userId], recheckSeconds)
    return 'not_listed'
  }
  const ids = listed.value.items.map(({ item_id: id }) => id)
  const { unknown, ofOthers } = await findOrphans(jobs, userId, ids, { queue: mode === 'end' })
  for (const plaidItemId of ofOthers)
    ctx.log.error('item_of_another_user', { plaid_item_id: plaidItemId, user_id: userId })
  for (const plaidItemId of unknown)
    ctx.log[mode === 'end' ? 'info' : 'error']('item_unclaimed', { plaid_item_id: plaidItemId, user_id: userId, mode })
  return 'compared'
}

const temporary: ReadonlySet<PlaidFailure['class']> = new Set(['retry', 'rate_limited', 'deferred'])
const isTemporary = ({ class: failureClass }: PlaidFailure): boolean => temporary.has(failureClass)
