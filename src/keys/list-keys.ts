// Lists the encryption keys that the stored secrets need.
import type { Ctx } from '../context.ts'
import { countTotpKeys } from '../db/identity/totp.ts'
import { countSealedValues, type KeyCount } from '../db/operations/sealed-values.ts'

interface KeyReport {
  readonly currentKeyId: string
  /** Each key that is configured or sealed a value, by id. */
  readonly keys: readonly {
    readonly id: string
    /** Whether the Worker can open values of the key. */
    readonly readable: boolean
    /** Place → number of its values under the key. */
    readonly values: Readonly<Record<string, number>>
  }[]
  /** The number of values that a rotation would seal again. */
  readonly remaining: number
}

/** Counts the sealed values by key. Reads every sealed value of the database. */
export async function listKeys({ services }: Ctx): Promise<KeyReport> {
  const { keyring, jobs, identity } = services
  const totp = identity === null ? [] : await countTotpKeys((await identity()).database)
  const counts: KeyCount[] = [
    ...(await countSealedValues(jobs)),
    ...totp.map((each) => ({ place: 'totp_secrets', ...each, outdated: 0 })),
  ]
  const ids = new Set([...keyring.readableKeyIds, ...counts.map(({ keyId }) => keyId)])
  return {
    currentKeyId: keyring.currentKeyId,
    keys: [...ids].toSorted().map((id) => ({
      id,
      readable: keyring.readableKeyIds.includes(id),
      values: Object.fromEntries(counts.filter(({ keyId }) => keyId === id).map(({ place, count }) => [place, count])),
    })),
    remaining: counts.reduce(
      (sum, { keyId, count, outdated }) => sum + (keyId === keyring.currentKeyId ? outdated : count),
      0,
    ),
  }
}
