// A user's spending by category.
import type { Ctx, User } from '../context.ts'
import { spending as readSpending, type Spending, type Window } from '../db/read/insights.ts'
import { type GivenWindow, windowOf } from './window.ts'

/**
 * Spending by currency and category, and the refunds in it; the user's category takes precedence over Plaid's. By
 * default for the last 30 days. The totals of a currency add up to the cash flow's outflow. Amounts are exact decimal
 * text.
 * @throws AppError `validation_failed`
 */
export async function spending(
  ctx: Ctx<User>,
  given: GivenWindow,
): Promise<Window & { categories: readonly Spending[] }> {
  const window = windowOf(ctx.now(), given, 'day')
  return { ...window, categories: await readSpending(ctx.services.api, ctx.actor.identity, window) }
}
