// An hourly alarm for users without a Plaid user, whose billed items cannot be compared with the stored ones.
import type { Ctx } from '../context.ts'
import { countRecentLinkUsers } from '../db/link/sessions.ts'

const fewest = 5
const percent = 20

/**
 * Logs an error if at least 5 users who created a link token in the last hour, and at least 20 % of them, have no Plaid
 * user. Counts users, not link tokens, so repeated requests cannot cause the alarm.
 */
export async function reportMissingPlaidUsers(ctx: Ctx): Promise<void> {
  const { users, missing } = await countRecentLinkUsers(ctx.services.jobs)
  if (missing < fewest || missing * 100 < users * percent) return
  ctx.log.error('plaid_users_missing', { count: users, failed: missing })
}
