// Errors of built-in accounts. An unknown address and a wrong password have the same error.
import { AppError } from '../errors.ts'

/** @param reason for the log only */
export function invalidCredentials(reason: string): AppError {
  return new AppError('invalid_credentials', 'The e-mail address or the password is wrong.', { reason })
}

export function invalidCode(reason: string): AppError {
  return new AppError('invalid_code', 'The code is wrong, was used before, or is no longer valid.', { reason })
}

/** For codes from e-mails. */
export function invalidToken(reason: string): AppError {
  return new AppError('invalid_token', 'The code is unknown, was used before, or has expired.', { reason })
}

export function sessionEnded(reason: string): AppError {
  return new AppError('unauthorized', 'The session has ended. Sign in again.', { reason })
}

/** @throws AppError `rate_limited` if the attempt exceeded a limit */
export function requireAttempt(retryAfterSeconds: number, reason: string): void {
  if (retryAfterSeconds > 0)
    throw new AppError('rate_limited', 'Too many attempts. Try again later.', {
      reason,
      retryAfterSeconds,
    })
}
