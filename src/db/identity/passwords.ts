// Accounts, their addresses and their passwords in the database: registration, verification, changes, resets.
import { type AuditRow, recorded } from '../audit/record.ts'
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import type { Bytes } from '../../crypto/encoding.ts'
import { bytea } from '../core/bytea.ts'
import type { IdentityDatabase } from '../core/client.ts'
import {
  ask,
  askOne,
  type Bucket,
  bucketsOf,
  happened,
  sessionKey,
  type NewSession,
  session,
  type SessionKey,
} from './credentials.ts'

const mailAsked = z
  .object({ has_account: z.boolean(), spent: z.string().nullable() })
  .transform((row) => ({ hasAccount: row.has_account, spent: row.spent }))

/** The result of a request for an e-mail. `spent` names the limit that refused it; then nothing was stored. */
export type MailAsked = z.output<typeof mailAsked>

export interface Registration {
  readonly email: string
  readonly passwordHash: string
  readonly tokenHash: Bytes
  readonly ttlSeconds: number
}

const placeTaken = z.object({ spent: z.string().nullable() })

/** Counts a registration's e-mail. Returns the name of the limit that refuses it, else null. */
export async function beginRegistration(
  database: IdentityDatabase,
  buckets: readonly Bucket[],
): Promise<string | null> {
  const { spent } = await askOne(
    database,
    placeTaken,
    sql`select identity.begin_registration(${bucketsOf(buckets)}) as spent`,
  )
  return spent
}

/** Stores a registration until the address is verified. Returns whether the address already has an account. */
export async function register(database: IdentityDatabase, given: Registration, audit: AuditRow): Promise<boolean> {
  const { has_account: hasAccount } = await askOne(
    database,
    z.object({ has_account: z.boolean() }),
    sql`select r.*, ${recorded(audit)} from identity.register(${given.email}, ${given.passwordHash},
      ${bytea(given.tokenHash)},
      ${given.ttlSeconds}::int, ${bucketsOf([])}) r`,
  )
  return hasAccount
}

const verificationBegun = z
  .object({ retry_after: z.int(), email: z.string().nullable(), password_hash: z.string().nullable() })
  .transform((row) => ({ retryAfterSeconds: row.retry_after, email: row.email, passwordHash: row.password_hash }))

/** The address and the password hash of a registration; null for an unknown or expired token. */
export async function beginVerification(
  database: IdentityDatabase,
  tokenHash: Bytes,
  buckets: readonly Bucket[],
): Promise<z.output<typeof verificationBegun>> {
  return await askOne(
    database,
    verificationBegun,
    sql`select * from identity.begin_verification(${bytea(tokenHash)}, ${bucketsOf(buckets)})`,
  )
}

/**
 * Creates the account and its first session. Returns false if the registration is gone or the address has an account.
 */
export async function finishVerification(
  database: IdentityDatabase,
  given: { readonly tokenHash: Bytes; readonly passwordHash: string; readonly accountId: string },
  first: NewSession,
  audit: AuditRow,
): Promise<boolean> {
  const result = await askOne(
    database,
    happened,
    sql`select happened, ${recorded(audit, sql`happened`)}
      from identity.finish_verification(${bytea(given.tokenHash)}, ${given.passwordHash}, ${given.accountId}::uuid,
        ${session(first)}) as finished(happened)`,
  )
  return result.happened
}

const reauthenticationBegun = z
  .object({
    retry_after: z.int(),
    email: z.string(),
    password_hash: z.string(),
    totp_secret_sealed: z.string().nullable(),
    totp_confirmed: z.boolean(),
  })
  .transform((row) => ({
    retryAfterSeconds: row.retry_after,
    email: row.email,
    passwordHash: row.password_hash,
    totpSecretSealed: row.totp_secret_sealed,
    totpConfirmed: row.totp_confirmed,
  }))

/** Counts a password check and reads the data for it; null if the session has ended. */
export async function beginReauthentication(
  database: IdentityDatabase,
  key: SessionKey,
  buckets: readonly Bucket[],
): Promise<z.output<typeof reauthenticationBegun> | null> {
  const [found] = await ask(
    database,
    reauthenticationBegun,
    sql`select * from identity.begin_reauthentication(${sessionKey(key)}, ${bucketsOf(buckets)})`,
  )
  return found ?? null
}

/**
 * Sets the password and ends the account's other sessions. Returns false if the account changed or the session has
 * ended.
 */
export async function changePassword(
  database: IdentityDatabase,
  key: SessionKey,
  passwordHash: string,
  newPasswordHash: string,
  admitted: readonly Bucket[],
  audit: AuditRow,
): Promise<boolean> {
  const result = await askOne(
    database,
    happened,
    sql`select happened, ${recorded(audit, sql`happened`)}
      from identity.change_password(${sessionKey(key)}, ${passwordHash}, ${newPasswordHash},
        ${bucketsOf(admitted)}) as changed(happened)`,
  )
  return result.happened
}

/** Stores a token for a password reset. `unknown` counts only if the address has no account. */
export async function forgotPassword(
  database: IdentityDatabase,
  given: { readonly email: string; readonly tokenHash: Bytes; readonly ttlSeconds: number },
  buckets: readonly Bucket[],
  unknown: readonly Bucket[],
  audit: AuditRow,
): Promise<MailAsked> {
  return await askOne(
    database,
    mailAsked,
    sql`select f.*, ${recorded(audit, sql`f.spent is null`)}
      from identity.forgot_password(${given.email}, ${bytea(given.tokenHash)}, ${given.ttlSeconds}::int,
        ${bucketsOf(buckets)}, ${bucketsOf(unknown)}) f`,
  )
}

const addressed = z.object({ email: z.string().nullable() })

/** The address of the account of a reset token; null for an invalid token. Does not use the token up. */
export async function findReset(database: IdentityDatabase, tokenHash: Bytes): Promise<string | null> {
  const { email } = await askOne(database, addressed, sql`select identity.find_reset(${bytea(tokenHash)}) as email`)
  return email
}

/**
 * Sets the password with a reset token and ends every session. Returns the account's address; null for an invalid
 * token.
 */
export async function resetPassword(
  database: IdentityDatabase,
  tokenHash: Bytes,
  newPasswordHash: string,
  audit: AuditRow,
): Promise<string | null> {
  const { email } = await askOne(
    database,
    addressed,
    sql`select email, ${recorded(audit, sql`email is not null`)}
      from identity.set_password_by_mail(${bytea(tokenHash)}, ${newPasswordHash}) as reset(email)`,
  )
  return email
}
