// Compares the items that Plaid lists for many users with the stored ones: a few hundred in the cron itself, more by
// messages, which several consumers process at the same time.
import type { Ctx } from '../context.ts'
import { claimUsersToCheck, findUsersToCheck, recheckUsers, type UserToCheck } from '../db/link/user-checks.ts'
import { servingUser } from '../items/serving-user.ts'
import { limitsWith } from '../plaid/rate-limit/limits.ts'
import { checkUser, recheckSeconds } from './reconcile-exchange.ts'
import { takeTurns } from './take-turns.ts'

/** Users that one run of the cron compares itself. */
export const mostInCron = 400
/** The time between two runs of the cron. */
const runMinutes = 5
/** Less than the share of Plaid's limit that background calls may use, so that a slow run does not delay the next. */
const limitShare = 0.7
const parallel = 5
/** A consumer that is not done by then leaves the rest to the next run of the cron. */
const longestMs = 120_000

/**
 * How many users a run claims at most. With Plaid's documented limit of 500 calls a minute, 504,000 users a day; with a
 * limit of 1,000 (`PLAID_LIMITS`), a million.
 */
export const mostUsersOf = (limitPerMinute: number): number => Math.floor(limitPerMinute * limitShare * runMinutes)

/** Claims the users beyond those that the cron compares itself, and spreads them over the time until its next run. */
export async function enqueueMoreUsers(ctx: Ctx): Promise<void> {
  const { jobs, config, enqueueUserChecks } = ctx.services
  const most = mostUsersOf(limitsWith(config.plaid.limits).user_items.client) - mostInCron
  if (most <= 0) return
  const claimed = await claimUsersToCheck(jobs, most)
  if (claimed.length === 0) return
  const refused = await enqueueUserChecks(idsOf(claimed), most / (runMinutes * 60))
  if (refused.length > 0) await recheckUsers(jobs, refused, 0)
  ctx.log.info('user_checks_queued', { count: claimed.length - refused.length, failed: refused.length })
}

/** Compares the users of a message. A user whose comparison fails is due again in an hour. */
export async function checkUsers(ctx: Ctx, userIds: readonly string[]): Promise<void> {
  const { jobs } = ctx.services
  const endMs = ctx.now().getTime() + longestMs
  const failed: string[] = []
  const check = async (user: UserToCheck): Promise<void> => {
    try {
      await checkUser(servingUser(ctx, user.userId, 'background'), user)
    } catch (error) {
      ctx.log.error('not_reconciled', { reason: 'user_items', error })
      failed.push(user.userId)
    }
  }
  const users = await findUsersToCheck(jobs, userIds)
  const left = await takeTurns(users, check, { parallel, isOver: () => ctx.now().getTime() >= endMs })
  if (failed.length > 0) await recheckUsers(jobs, failed, recheckSeconds)
  if (left.length > 0) await recheckUsers(jobs, idsOf(left), 0)
}

const idsOf = (users: readonly UserToCheck[]): string[] => users.map(({ userId }) => userId)
