// Messages that could not be handled: kept, so that somebody sees them and they can be played again.
import { batch, type JobsDatabase } from './client.ts'
import { deadLetters } from '../../drizzle/tables/operations.ts'

export interface DeadLetter {
  readonly queue: string
  readonly messageId: string
  readonly itemProductId: string | null
  readonly reason: string
  /** Ids only. */
  readonly payload: Readonly<Record<string, unknown>>
}

/** Records a message once, however often it is delivered. */
export async function recordDeadLetter(jobs: JobsDatabase, letter: DeadLetter): Promise<void> {
  await batch(jobs, [jobs.connection.insert(deadLetters).values(letter).onConflictDoNothing()])
}
