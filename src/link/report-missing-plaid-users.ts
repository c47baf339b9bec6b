// An hourly alarm for users without a Plaid user: what Plaid bills for them cannot be compared with what is stored here.
import type { Ctx } from '../context.ts'
import { countRecentLinkUsers } from '../db/link/sessions.ts'

const fewest = 5
const percent = 20

/**
 * Logs an error where at least 5 of the users who got a link token in the last hour, and at least 20 % of them, have no
 * Plaid user. Counts users, not link tokens: repeating a request does not raise the alarm.
 */
export async function reportMissingPlaidUsers(ctx: Ctx): Promise<void> {
  const { users, missing } = await countRecentLinkUsers(ctx.services.jobs)
  if (missing < fewest || missing * 100 < users * percent) return
  ctx.log.error('plaid_users_missing', { count: users, failed: missing })
}
