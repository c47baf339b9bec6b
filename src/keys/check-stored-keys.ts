// Whether the configured keys open the access tokens that are stored.
import type { Ctx } from '../context.ts'
import { listItemKeyIds } from '../db/operations/sealed-values.ts'
import { AppError } from '../errors.ts'

/** Problems that name key ids, for the log. Finds none while the database does not answer: `checkDatabase` reports that. */
export async function checkStoredKeys({
  keyring,
  jobs,
}: Pick<Ctx['services'], 'keyring' | 'jobs'>): Promise<{ ok: boolean; problems: string[] }> {
  try {
    const unreadable = (await listItemKeyIds(jobs)).filter((id) => !keyring.readableKeyIds.includes(id))
    const problems = unreadable.map((id) => `Access tokens need the key ${id}, which is missing or below the minimum.`)
    return { ok: problems.length === 0, problems }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { ok: true, problems: [] }
  }
}
