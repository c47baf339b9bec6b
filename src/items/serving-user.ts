// Selects the user whose share of Plaid's limits the calls of a use case count against.
import type { Actor, Ctx } from '../context.ts'
import type { Priority } from '../plaid/rate-limit/window.ts'

/** Returns the context with a Plaid client whose calls count against the user's share. */
export function servingUser<Who extends Actor>(
  ctx: Ctx<Who>,
  userId: string,
  priority: Priority = 'interactive',
): Ctx<Who> {
  const plaid = ctx.services.plaidFor({ priority, itemId: null, userId })
  return { ...ctx, services: { ...ctx.services, plaid } }
}
