// Freezes the deployment in an incident, and ends the freeze. Takes effect for writes at once; an isolate calls Plaid for
// two more seconds at most (src/plaid/freeze-gate.ts).
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { type Freeze, type FreezeState, setFreeze } from '../db/operations/freeze.ts'
import { AppError } from '../errors.ts'

/**
 * Changes the state. Repeating it changes nothing.
 * @throws AppError `conflict` while the owner of the database has locked the deployment
 */
export async function changeFreeze(ctx: Ctx<User>, state: Exclude<FreezeState, 'locked'>): Promise<Freeze> {
  const row = await audit(ctx, { action: 'freeze_changed', target: state })
  const freeze = await setFreeze(ctx.services.jobs, state, row)
  if (freeze.state !== state)
    throw new AppError('conflict', 'The freeze is locked. Only `npm run freeze` can change it.')
  ctx.log.warn('freeze_changed', { reason: state })
  return freeze
}
