// A user asks Plaid to read the bank now. Plaid bills each call, so it is off unless the operator allows it, limited by day,
// counted before it is made, and recorded.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { openAccessToken } from '../custody/access-token.ts'
import { readRefreshed, type Refreshable, takePaidCalls } from '../db/items/paid-calls.ts'
import { AppError } from '../errors.ts'
import { stoppedStatuses } from '../item-status.ts'
import { toAppError } from '../plaid/app-error.ts'

const noSuchItem = (): AppError => new AppError('not_found', 'There is no such item.')

/** Seconds until the counts of the day end. */
const untilTomorrow = (now: Date): number => Math.ceil((86_400_000 - (now.getTime() % 86_400_000)) / 1000)

/**
 * Plaid reads the bank in the background; a webhook announces what changed, and a sync reads it. Returns the products.
 * @throws AppError `refresh_off` where the operator does not allow it; `not_found`; `item_needs_attention`;
 *   `too_many_refreshes`; `plaid_unavailable`, `plaid_rejected`
 */
export async function refreshItem(ctx: Ctx<User>, id: string): Promise<readonly Refreshable[]> {
  const { api, config, keyring, plaidFor } = ctx.services
  const limits = config.plaid.refreshes
  const item = await readRefreshed(api, ctx.actor.identity, id)
  if (item === null) throw noSuchItem()
  if (limits.perDay === 0)
    throw new AppError(
      'refresh_off',
      'Plaid bills each refresh, and this deployment does not allow them. An operator allows them with PLAID_REFRESHES_PER_DAY.',
    )
  const isStopped = stoppedStatuses.some((status) => status === item.status)
  if (isStopped || item.products.length === 0)
    throw new AppError(
      'item_needs_attention',
      'The item has no data that Plaid could refresh. See its status and action_required.',
    )
  const token = await openAccessToken(keyring, item.sealed, item)
  const row = await audit(ctx, { action: 'refresh_requested', target: id })
  const taken = await takePaidCalls(api, ctx.actor.identity, id, item.products.length, limits, row)
  if (taken === 'gone') throw noSuchItem()
  if (taken !== 'taken') throw tooMany(taken, untilTomorrow(ctx.now()))
  const plaid = plaidFor({ priority: 'interactive', itemId: id, userId: item.userId })
  for (const product of item.products) {
    const result = await (product === 'transactions'
      ? plaid.refreshTransactions(token)
      : plaid.refreshInvestments(token))
    if (!result.ok) throw toAppError(result.failure)
  }
  return item.products
}

const details = {
  item: 'The item has been refreshed as often as a day allows. Plaid also reads the bank by itself; try again tomorrow (UTC).',
  user: 'You have refreshed items as often as a day allows. Plaid also reads the banks by itself; try again tomorrow (UTC).',
  day:
    'The refreshes of this deployment are used up for today. Try again tomorrow (UTC), or ask the operator for ' +
    'a higher PLAID_REFRESHES_PER_DAY.',
} as const

const tooMany = (limit: keyof typeof details, retryAfterSeconds: number): AppError =>
  new AppError('too_many_refreshes', details[limit], { retryAfterSeconds })
