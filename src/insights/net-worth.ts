// A user's assets and liabilities, day by day until today.
import type { Ctx, User } from '../context.ts'
import { netWorth as readNetWorth, type NetWorth, type Window } from '../db/read/insights.ts'
import { type GivenWindow, todayAt, windowOf } from './window.ts'

/**
 * Assets (all accounts except credit and loan accounts), liabilities (credit and loan accounts; a debt is positive) and
 * their difference, by day and currency, and the accounts that cannot count; by default for the last 30 days. Amounts
 * are exact decimal text.
 * @throws AppError `validation_failed`
 */
export async function netWorth(ctx: Ctx<User>, given: GivenWindow): Promise<Window & NetWorth> {
  const window = windowOf(ctx.now(), given, 'day')
  const today = todayAt(ctx.now())
  const past = { from: window.from, to: window.to < today ? window.to : today }
  return { ...window, ...(await readNetWorth(ctx.services.api, ctx.actor.identity, past)) }
}
