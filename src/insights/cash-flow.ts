// A user's income and spending over time.
import type { Ctx, User } from '../context.ts'
import { cashFlow as readCashFlow, type Flow, type Interval, type Window } from '../db/read/insights.ts'
import { type GivenWindow, windowOf } from './window.ts'

/**
 * Income, spending and their difference, by interval and currency; by default for the last 30 days, 12 weeks or 12
 * months. Transfers between the user's accounts do not count (src/db/read/insights.ts). Amounts are exact decimal text.
 * @throws AppError `validation_failed`
 */
export async function cashFlow(
  ctx: Ctx<User>,
  given: GivenWindow,
  interval: Interval,
): Promise<Window & { intervals: readonly Flow[] }> {
  const window = windowOf(ctx.now(), given, interval)
  return { ...window, intervals: await readCashFlow(ctx.services.api, ctx.actor.identity, window, interval) }
}
