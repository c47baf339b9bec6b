// Refuses a person who was erased, on routes that do not enter the database as that person.
import type { Ctx, User } from '../context.ts'
import { sqlState, sqlStateOf } from '../db/core/sql-state.ts'
import { refuseErased } from '../db/privacy/erasures.ts'
import { AppError } from '../errors.ts'

/** @throws AppError `unauthorized` for a token that was issued before the erasure of its person, or while it continues */
export async function requireNotErased({ services, actor }: Ctx<User>): Promise<void> {
  try {
    await refuseErased(services.jobs, actor.identity)
  } catch (error) {
    if (sqlStateOf(error) !== sqlState.erased) throw error
    throw new AppError('unauthorized', 'A valid access token is required.', { reason: 'the person was erased' })
  }
}
