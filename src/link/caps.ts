// What a user reads whose deployment allows no more items or links.
import type { Reached } from '../db/link/caps.ts'
import { AppError } from '../errors.ts'

export function capError(reached: Reached): AppError {
  const { kind, limit } = reached
  if (kind === 'too_many_items')
    return new AppError(kind, `No more than ${limit} banks can be linked. Remove one before you link another.`, {
      extensions: { limit },
    })
  return new AppError(kind, `No more than ${limit} links are allowed in this time. Try again later.`, {
    extensions: { limit },
    retryAfterSeconds: reached.retryAfterSeconds,
  })
}
