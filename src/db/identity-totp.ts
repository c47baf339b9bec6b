// Second factors in the database, sealed, and the codes that they use up.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import type { Bytes } from '../crypto/encoding.ts'
import type { ApiDatabase } from './client.ts'
import {
  ask,
  askOne,
  byteas,
  factor,
  happened,
  keyOf,
  outcomeOf,
  type SecondFactor,
  type SessionKey,
  throttled,
  type Throttle,
} from './identity.ts'

const enrollment = outcomeOf(['done', 'enabled', 'changed'])

/** Keeps a sealed secret that counts for nothing until it is confirmed. */
export async function enrollTotp(
  database: ApiDatabase,
  key: SessionKey,
  passwordHash: string,
  sealed: string,
): Promise<z.output<typeof enrollment>['outcome']> {
  const answer = await askOne(
    database,
    enrollment,
    sql`select identity.enroll_totp(${keyOf(key)}, ${passwordHash}, ${sealed}) as outcome`,
  )
  return answer.outcome
}

const enrolled = z
  .object({ totp_secret_sealed: z.string().nullable(), totp_confirmed: z.boolean() })
  .transform((row) => ({ sealed: row.totp_secret_sealed, confirmed: row.totp_confirmed }))

/** The account's second factor as it stands; null when the session is over. */
export async function enrolledTotp(database: ApiDatabase, key: SessionKey): Promise<z.output<typeof enrolled> | null> {
  const [found] = await ask(database, enrolled, sql`select * from identity.enrolled_totp(${keyOf(key)})`)
  return found ?? null
}

/** Makes the enrolled secret count; false when it is no longer the enrolled one or the session is over. */
export async function confirmTotp(
  database: ApiDatabase,
  key: SessionKey,
  given: { readonly sealed: string; readonly step: number; readonly recoveryHashes: readonly Bytes[] },
): Promise<boolean> {
  const answer = await askOne(
    database,
    happened,
    sql`select identity.confirm_totp(${keyOf(key)}, ${given.sealed}, ${given.step}::bigint,
      ${byteas(given.recoveryHashes)}) as happened`,
  )
  return answer.happened
}

const disabled = outcomeOf(['done', 'refused', 'limited', 'changed'])

/** Uses a code up and takes the second factor away. */
export async function disableTotp(
  database: ApiDatabase,
  key: SessionKey,
  given: { readonly passwordHash: string; readonly sealed: string; readonly secondFactor: SecondFactor },
  throttle: Throttle,
): Promise<z.output<typeof disabled>['outcome']> {
  const answer = await askOne(
    database,
    disabled,
    sql`select identity.disable_totp(${keyOf(key)}, ${given.passwordHash}, ${given.sealed},
      ${factor(given.secondFactor)}, ${throttled(throttle)}) as outcome`,
  )
  return answer.outcome
}
