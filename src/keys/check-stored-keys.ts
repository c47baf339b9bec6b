// Checks whether the configured keys open the stored access tokens.
import type { Ctx } from '../context.ts'
import { whileReadinessWaits } from '../db/operations/health.ts'
import { listItemKeyIds } from '../db/operations/sealed-values.ts'
import { AppError } from '../errors.ts'

/** Problems with key ids, for the log; empty if there are none. */
export async function checkStoredKeys({
  keyring,
  jobs,
}: Pick<Ctx['services'], 'keyring' | 'jobs'>): Promise<{ ok: boolean; problems: string[] }> {
  try {
    const ids = await whileReadinessWaits(listItemKeyIds(jobs))
    const unreadable = ids.filter((id) => !keyring.readableKeyIds.includes(id))
    const problems = unreadable.map((id) => `Access tokens need the key ${id}, which is missing or below the minimum.`)
    return { ok: problems.length === 0, problems }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { ok: false, problems: ['The keys of the stored access tokens could not be read.'] }
  }
}
