// Resumes unfinished exchanges, and compares Plaid's list of a user's items with the stored ones.
import { aboutUser, type Ctx } from '../context.ts'
import { type DueExchange, type Exchange, loseExchange, noteExchangeFailure } from '../db/link/exchanges.ts'
import { recheckUsers, type UserToCheck } from '../db/link/user-checks.ts'
import { findOrphans } from '../db/link/orphans.ts'
import { orphanMode } from '../db/operations/safety-switches.ts'
import { AppError } from '../errors.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import { finishExchange, giveUpExchange } from './finish-exchange.ts'

/** Attempts after the request's own. The eighth is eleven hours after the start. */
const maxAttempts = 8
/** The delay before a user's list is read again after a temporary failure. */
export const recheckSeconds = 3600

/** An attempt that fails leaves the reason with the exchange, for operators. */
export async function reconcileExchange(given: Ctx, due: DueExchange): Promise<void> {
  const ctx = aboutUser(given, due.userId)
  try {
    await resumeExchange(ctx, due)
  } catch (error) {
    await noteFailure(ctx, due.id, error)
    throw error
  }
}

/** A note that cannot be written is logged: the failure of the attempt matters more. */
async function noteFailure(ctx: Ctx, id: string, error: unknown): Promise<void> {
  try {
    await noteExchangeFailure(ctx.services.jobs, id, error instanceof AppError ? codeOf(error) : 'internal')
  } catch (cause) {
    ctx.log.warn('exchange_failure_not_noted', { exchange_id: id, error: cause })
  }
}

/** Plaid's error code where the error has one (src/plaid/app-error.ts). */
const codeOf = ({ code, reason = '' }: AppError): string =>
  /^[A-Z_]+ ([A-Z][A-Z_0-9]{1,99})\b/.exec(reason)?.[1] ?? code

async function resumeExchange(ctx: Ctx, due: DueExchange): Promise<void> {
  const isLastAttempt = due.attempts >= maxAttempts
  if (due.exchange !== null) return await finishOrGiveUp(ctx, due.exchange, isLastAttempt)
  const { userId, plaidUserId } = due
  const checked = plaidUserId === null ? 'off' : await checkUser(ctx, { userId, plaidUserId })
  if (checked === 'compared' || (checked === 'not_listed' && !isLastAttempt)) return
  // It is unknown whether Plaid created an item. An operator has to check.
  ctx.log.error('exchange_lost', { exchange_id: due.id, user_id: userId })
  await loseExchange(ctx.services.jobs, due.id)
}

/** Gives the exchange up after the last attempt, unless the cause is a misconfiguration. */
async function finishOrGiveUp(ctx: Ctx, exchange: Exchange, isLastAttempt: boolean): Promise<void> {
  try {
    await finishExchange(ctx, exchange, { isLate: true })
  } catch (error) {
    if (!isLastAttempt || (error instanceof AppError && error.code === 'misconfigured')) throw error
    await giveUpExchange(ctx, exchange)
  }
}

/**
 * Finds items that Plaid lists for a user and that are not stored here, or that belong to another user here, which is
 * an alarm. Queues the removal of unknown items if it is allowed; an exchange can claim them until then. The user's
 * exchanges without a response become `lost`. Returns `off` if orphan removal is off, `not_listed` if Plaid did not
 * return the list.
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
