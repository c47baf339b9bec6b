// Which user a use case's calls of Plaid are counted for.
import type { Actor, Ctx } from '../context.ts'
import type { Priority } from '../plaid/rate-limit/window.ts'

/** The same context, whose calls of Plaid count against the user's share. */
export function servingUser<Who extends Actor>(
  ctx: Ctx<Who>,
  userId: string,
  priority: Priority = 'interactive',
): Ctx<Who> {
  const plaid = ctx.services.plaidFor({ priority, itemId: null, userId })
  return { ...ctx, services: { ...ctx.services, plaid } }
}
