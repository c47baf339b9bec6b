// The errors of the limits on items and links.
import type { Reached } from '../db/link/caps.ts'
import { AppError } from '../errors.ts'

export function capError(reached: Reached): AppError {
  const { kind, limit } = reached
  if (kind === 'too_many_items')
    return new AppError(kind, `At most ${limit} items can be linked. Remove an item before you link another.`, {
      extensions: { limit },
    })
  return new AppError(kind, `At most ${limit} links are allowed in 24 hours. Try again later.`, {
    extensions: { limit },
    retryAfterSeconds: reached.retryAfterSeconds,
  })
}
