// What a user owned and owed, day by day. Nothing is said of days to come.
import type { Ctx, User } from '../context.ts'
import { netWorth as readNetWorth, type NetWorth, type Window } from '../db/read/insights.ts'
import { type GivenWindow, todayAt, windowOf } from './window.ts'

/**
 * Assets (every account but those of credit), liabilities (credit and loan accounts, positive what is owed) and their
 * difference, by day and currency, and the accounts that cannot count; the last 30 days unless said otherwise. Amounts
 * are exact decimal text.
 * @throws AppError `validation_failed`
 */
export async function netWorth(ctx: Ctx<User>, given: GivenWindow): Promise<Window & NetWorth> {
  const window = windowOf(ctx.now(), given, 'day')
  const today = todayAt(ctx.now())
  const past = { from: window.from, to: window.to < today ? window.to : today }
  return { ...window, ...(await readNetWorth(ctx.services.api, ctx.actor.identity, past)) }
}
