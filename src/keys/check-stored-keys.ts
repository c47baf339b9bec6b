// Checks whether the configured keys open the stored secrets: a key that is missing, or below ENCRYPTION_MIN_KEY_ID, would
// strand them.
import type { Ctx } from '../context.ts'
import { type SealedPlace, sealedPlaces } from '../custody/rewrap.ts'
import { listTotpKeyIds } from '../db/identity/totp.ts'
import { whileReadinessWaits } from '../db/operations/health.ts'
import { listNeededKeyIds } from '../db/operations/sealed-values.ts'
import { AppError } from '../errors.ts'

/** What a problem calls the values of each place; every sealed place has one. */
const names: Readonly<Record<SealedPlace, string>> = {
  items: 'Access tokens',
  link_exchanges: 'Exchanges',
  plaid_removals: 'Removals',
  link_sessions: 'Link tokens',
  webhook_secrets: 'Secrets of webhook endpoints',
  previous_webhook_secrets: 'Previous secrets of webhook endpoints',
  totp_secrets: 'Second factors',
}

type Given = Pick<Ctx['services'], 'keyring' | 'jobs' | 'identity'>

async function neededKeys({ jobs, identity }: Given): Promise<Readonly<Record<SealedPlace, readonly string[]>>> {
  const [stored, totp] = await Promise.all([
    listNeededKeyIds(jobs),
    identity?.().then(({ database }) => listTotpKeyIds(database)) ?? [],
  ])
  return { ...stored, totp_secrets: totp }
}

/** Problems with key ids, for the log; empty if there are none. */
export async function checkStoredKeys(given: Given): Promise<{ ok: boolean; problems: string[] }> {
  try {
    const needed = await whileReadinessWaits(neededKeys(given))
    const { readableKeyIds } = given.keyring
    const problems = sealedPlaces.flatMap((place) =>
      needed[place]
        .filter((id) => !readableKeyIds.includes(id))
        .map((id) => `${names[place]} need the key ${id}, which is missing or below the minimum.`),
    )
    return { ok: problems.length === 0, problems }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { ok: false, problems: ['The keys of the stored secrets could not be read.'] }
  }
}
