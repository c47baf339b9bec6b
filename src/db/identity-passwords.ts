// Accounts, their addresses and their passwords in the database: registering, verifying, changing, forgetting.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import type { Bytes } from '../crypto/encoding.ts'
import type { ApiDatabase } from './client.ts'
import {
  ask,
  askOne,
  bytea,
  happened,
  keyOf,
  type NewSession,
  session,
  type SessionKey,
  throttled,
  type Throttle,
} from './identity.ts'

const mailAsked = z
  .object({ retry_after: z.int(), has_account: z.boolean() })
  .transform((row) => ({ retryAfterSeconds: row.retry_after, hasAccount: row.has_account }))

/** What became of asking for a mail; over the limit nothing was stored. */
export type MailAsked = z.output<typeof mailAsked>

export interface Registration {
  readonly email: string
  readonly passwordHash: string
  readonly tokenHash: Bytes
  readonly ttlSeconds: number
}

/** Keeps the wish for an account until the address is verified. */
export async function register(database: ApiDatabase, given: Registration, throttle: Throttle): Promise<MailAsked> {
  return await askOne(
    database,
    mailAsked,
    sql`select * from identity.register(${given.email}, ${given.passwordHash}, ${bytea(given.tokenHash)},
      ${given.ttlSeconds}::int, ${throttled(throttle)})`,
  )
}

const verificationBegun = z
  .object({ retry_after: z.int(), password_hash: z.string().nullable() })
  .transform((row) => ({ retryAfterSeconds: row.retry_after, passwordHash: row.password_hash }))

/** The password hash that goes with a registration's token; null for an unknown or expired token. */
export async function beginVerification(
  database: ApiDatabase,
  tokenHash: Bytes,
  throttle: Throttle,
): Promise<z.output<typeof verificationBegun>> {
  return await askOne(
    database,
    verificationBegun,
    sql`select * from identity.begin_verification(${bytea(tokenHash)}, ${throttled(throttle)})`,
  )
}

/** Makes the account and its first session; false when the registration is gone or the address has an account. */
export async function finishVerification(
  database: ApiDatabase,
  given: { readonly tokenHash: Bytes; readonly passwordHash: string; readonly accountId: string },
  first: NewSession,
): Promise<boolean> {
  const answer = await askOne(
    database,
    happened,
    sql`select identity.finish_verification(${bytea(given.tokenHash)}, ${given.passwordHash}, ${given.accountId}::uuid,
      ${session(first)}) as happened`,
  )
  return answer.happened
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

/** Takes a place of the account's password checks and reads what to check; null when the session is over. */
export async function beginReauthentication(
  database: ApiDatabase,
  key: SessionKey,
  throttle: Throttle,
): Promise<z.output<typeof reauthenticationBegun> | null> {
  const [found] = await ask(
    database,
    reauthenticationBegun,
    sql`select * from identity.begin_reauthentication(${keyOf(key)}, ${throttled(throttle)})`,
  )
  return found ?? null
}

/** Sets the password and ends the account's other sessions; false when the account changed or the session is over. */
export async function changePassword(
  database: ApiDatabase,
  key: SessionKey,
  passwordHash: string,
  newPasswordHash: string,
): Promise<boolean> {
  const answer = await askOne(
    database,
    happened,
    sql`select identity.change_password(${keyOf(key)}, ${passwordHash}, ${newPasswordHash}) as happened`,
  )
  return answer.happened
}

/** Keeps a token by which the password can be set anew. */
export async function forgotPassword(
  database: ApiDatabase,
  given: { readonly email: string; readonly tokenHash: Bytes; readonly ttlSeconds: number },
  throttle: Throttle,
): Promise<MailAsked> {
  return await askOne(
    database,
    mailAsked,
    sql`select * from identity.forgot_password(${given.email}, ${bytea(given.tokenHash)}, ${given.ttlSeconds}::int,
      ${throttled(throttle)})`,
  )
}

/** Sets the password by a mailed token and ends every session; false for an unknown, used or expired token. */
export async function resetPassword(
  database: ApiDatabase,
  tokenHash: Bytes,
  newPasswordHash: string,
): Promise<boolean> {
  const answer = await askOne(
    database,
    happened,
    sql`select identity.reset_password(${bytea(tokenHash)}, ${newPasswordHash}) as happened`,
  )
  return answer.happened
}
