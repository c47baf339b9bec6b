// What a user owned and owed, day by day. Nothing is said of days to come.
import type { Ctx, User } from '../context.ts'
import { netWorth as readNetWorth, type Window, type Worth } from '../db/insights.ts'
import { type GivenWindow, todayAt, windowOf } from './window.ts'

/**
 * Assets (every account but those of credit), liabilities (credit and loan accounts, positive what is owed) and their
 * difference, by day and currency; the last 30 days unless said otherwise. Amounts are exact decimal text.
 * @throws AppError `validation_failed`
 */
export async function netWorth(ctx: Ctx<User>, given: GivenWindow): Promise<Window & { days: readonly Worth[] }> {
  const window = windowOf(ctx.now(), given, 'day')
  const today = todayAt(ctx.now())
  const past = { from: window.from, to: window.to < today ? window.to : today }
  return { ...window, days: await readNetWorth(ctx.services.api, ctx.actor.identity, past) }
}
