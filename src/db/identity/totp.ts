// Second factors in the database, sealed, and their used codes.
import { type AuditRow, recorded } from '../audit/record.ts'
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import type { Bytes } from '../../crypto/encoding.ts'
import type { IdentityDatabase } from '../core/client.ts'
import { type Replacement, replacementArrays } from '../operations/sealed-values.ts'
import {
  ask,
  askOne,
  type Bucket,
  bucketsOf,
  byteas,
  factor,
  sessionKey,
  outcomeOf,
  type SecondFactor,
  type SessionKey,
} from './credentials.ts'

const enrollment = outcomeOf(['done', 'enabled', 'changed'])

/** Stores a sealed secret that is not required until it is confirmed. */
export async function enrollTotp(
  database: IdentityDatabase,
  key: SessionKey,
  passwordHash: string,
  sealed: string,
  admitted: readonly Bucket[],
  audit: AuditRow,
): Promise<z.output<typeof enrollment>['outcome']> {
  const result = await askOne(
    database,
    enrollment,
    sql`select outcome, ${recorded(audit, sql`outcome = 'done'`)}
      from identity.enroll_totp(${sessionKey(key)}, ${passwordHash}, ${sealed}, ${bucketsOf(admitted)}) as e(outcome)`,
  )
  return result.outcome
}

const enrolled = z
  .object({ totp_secret_sealed: z.string().nullable(), totp_confirmed: z.boolean() })
  .transform((row) => ({ sealed: row.totp_secret_sealed, confirmed: row.totp_confirmed }))

/** The account's second factor; null if the session has ended. */
export async function enrolledTotp(
  database: IdentityDatabase,
  key: SessionKey,
): Promise<z.output<typeof enrolled> | null> {
  const [found] = await ask(database, enrolled, sql`select * from identity.enrolled_totp(${sessionKey(key)})`)
  return found ?? null
}

const enabled = z.object({ email: z.string().nullable() })

/**
 * Confirms the enrolled secret and ends the account's other sessions. Returns the account's address; null if another
 * secret was enrolled or the session has ended.
 */
export async function enableTotp(
  database: IdentityDatabase,
  key: SessionKey,
  given: { readonly sealed: string; readonly step: number; readonly recoveryHashes: readonly Bytes[] },
  audit: AuditRow,
): Promise<string | null> {
  const { email } = await askOne(
    database,
    enabled,
    sql`select email, ${recorded(audit, sql`email is not null`)}
      from identity.enable_totp(${sessionKey(key)}, ${given.sealed}, ${given.step}::bigint,
        ${byteas(given.recoveryHashes)}) as enabled(email)`,
  )
  return email
}

const disabled = outcomeOf(['done', 'refused', 'limited', 'changed']).extend({ retry_after: z.int() })

export interface TotpDisabling {
  readonly passwordHash: string
  readonly sealed: string
  readonly secondFactor: SecondFactor
  /** The buckets that counted the password check. */
  readonly admitted: readonly Bucket[]
  /** The buckets that count the code. */
  readonly factorBuckets: readonly Bucket[]
}

/** Uses a code up and removes the second factor. */
export async function disableTotp(
  database: IdentityDatabase,
  key: SessionKey,
  given: TotpDisabling,
  audit: AuditRow,
): Promise<z.output<typeof disabled>> {
  return await askOne(
    database,
    disabled,
    sql`select d.*, ${recorded(audit, sql`outcome = 'done'`)}
      from identity.disable_totp(${sessionKey(key)}, ${given.passwordHash}, ${given.sealed},
      ${factor(given.secondFactor)}, ${bucketsOf(given.admitted)}, ${bucketsOf(given.factorBuckets)}) d`,
  )
}

const keyCountRow = z
  .object({ key_id: z.string(), count: z.coerce.number() })
  .transform(({ key_id: keyId, count }) => ({ keyId, count }))

/** The number of sealed secrets, by the id of their key. */
export const countTotpKeys = (database: IdentityDatabase) =>
  ask(database, keyCountRow, sql`select * from identity.totp_keys()`)

/** The ids of the keys that sealed second factors, with one step of an index for each key. */
export const listTotpKeyIds = async (database: IdentityDatabase): Promise<readonly string[]> =>
  (await ask(database, z.object({ id: z.string() }), sql`select id from identity.totp_key_ids()`)).map(({ id }) => id)

const sealedRow = z
  .object({ account_id: z.string(), sealed: z.string() })
  .transform(({ account_id: accountId, sealed }) => ({ accountId, sealed }))

/** The next sealed secrets under another key than `keyId`, by the id of their account. */
export const listTotpSecrets = (
  database: IdentityDatabase,
  { keyId, after, limit }: { readonly keyId: string; readonly after: string | null; readonly limit: number },
) => ask(database, sealedRow, sql`select * from identity.totp_of_other_keys(${keyId}, ${after}::uuid, ${limit}::int)`)

const replacedRow = z.object({ replaced: z.coerce.number() })

/** Replaces sealed secrets that have not changed. Returns how many. */
export async function replaceTotpSecrets(
  database: IdentityDatabase,
  replacements: readonly Replacement[],
): Promise<number> {
  const { replaced } = await askOne(
    database,
    replacedRow,
    sql`select identity.replace_totp(${replacementArrays(replacements)}) as replaced`,
  )
  return replaced
}
