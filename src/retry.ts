// Retries with exponential backoff and jitter.
import { AppError } from './errors.ts'

/** The pause after the given attempt (1, 2, …): `firstMs` doubled with each further attempt, times 0.5 to 1.5. */
export const pauseMs = (attempt: number, firstMs: number, random: number): number =>
  (0.5 + random) * firstMs * 2 ** (attempt - 1)

export interface Retries {
  /** The number of attempts. */
  readonly attempts: number
  readonly firstPauseMs: number
  readonly wait: (milliseconds: number) => Promise<void>
  /** 0 ≤ x < 1. */
  readonly random: () => number
  /** Called before each pause. */
  readonly onRetry?: (attempt: number) => void
}

/**
 * Repeats an idempotent call of the database while its outcome is unknown (AppError `unavailable`).
 * @throws the last attempt's error, or the first one of another kind
 */
export async function retryWhileUnavailable<Result>(
  { attempts, firstPauseMs, wait, random, onRetry }: Retries,
  call: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await call()
    } catch (error) {
      if (attempt === attempts || !(error instanceof AppError) || error.code !== 'unavailable') throw error
      onRetry?.(attempt)
      await wait(pauseMs(attempt, firstPauseMs, random()))
    }
}
