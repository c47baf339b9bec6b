// Sessions in the database: sign-in, refresh, end.
import { type AuditRow, recorded, recordedFor } from '../audit/record.ts'
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
  factor,
  happened,
  sessionKey,
  type NewSession,
  outcomeOf,
  type SecondFactor,
  session,
  type SessionKey,
} from './credentials.ts'

const signInBegun = z
  .object({
    retry_after: z.int(),
    account_id: z.string().nullable(),
    password_hash: z.string().nullable(),
    totp_secret_sealed: z.string().nullable(),
    known: z.boolean(),
  })
  .transform((row) => ({
    retryAfterSeconds: row.retry_after,
    accountId: row.account_id,
    passwordHash: row.password_hash,
    totpSecretSealed: row.totp_secret_sealed,
    isKnownDevice: row.known,
  }))

/** A sign-in attempt and the buckets that count it. */
export interface SignInAttempt {
  readonly email: string
  /** When the device's token was issued; null without a valid one. */
  readonly deviceIssuedAt: Date | null
  /** The device's buckets, used if its token was not revoked. */
  readonly known: readonly Bucket[]
  readonly strangers: readonly Bucket[]
}

/** Counts a password check and reads the data for it; null if there is no account. */
export async function beginSignIn(
  database: IdentityDatabase,
  { email, deviceIssuedAt, known, strangers }: SignInAttempt,
): Promise<z.output<typeof signInBegun>> {
  return await askOne(
    database,
    signInBegun,
    sql`select * from identity.begin_sign_in(${email}, ${deviceIssuedAt?.toISOString() ?? null}::timestamptz,
      ${bucketsOf(known)}, ${bucketsOf(strangers)})`,
  )
}

const signedIn = outcomeOf(['done', 'refused', 'limited', 'changed']).extend({
  retry_after: z.int(),
  role: z.enum(['user', 'admin']).nullable(),
})

export interface SignIn {
  readonly accountId: string
  /** The hash that the password was compared with. */
  readonly passwordHash: string
  /** A hash with the current cost to store instead, or null. */
  readonly newPasswordHash: string | null
  /** The sealed secret that verified the code; null for an account without a second factor. */
  readonly totpSecretSealed: string | null
  readonly secondFactor: SecondFactor
  /** The buckets that counted the sign-in. */
  readonly admitted: readonly Bucket[]
  /** The buckets that counted its second factor. */
  readonly factorBuckets: readonly Bucket[]
}

/**
 * Uses the second factor's code up and creates the session. Writes nothing if the account changed since `beginSignIn`.
 */
export async function finishSignIn(
  database: IdentityDatabase,
  given: SignIn,
  started: NewSession,
  audit: { readonly done: AuditRow; readonly refused: AuditRow },
): Promise<z.output<typeof signedIn>> {
  return await askOne(
    database,
    signedIn,
    sql`select s.*, ${recorded(audit.done, sql`outcome = 'done'`)},
        ${recorded(audit.refused, sql`outcome = 'refused'`)}
      from identity.finish_sign_in(${given.accountId}::uuid, ${given.passwordHash}, ${given.newPasswordHash},
      ${given.totpSecretSealed}, ${factor(given.secondFactor)}, ${bucketsOf(given.admitted)},
      ${bucketsOf(given.factorBuckets)}, ${session(started)}) s`,
  )
}

const refreshed = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('done'),
    account_id: z.string(),
    session_id: z.string(),
    scope: z.string(),
    role: z.enum(['user', 'admin']),
    is_other: z.boolean(),
  }),
  z.object({ outcome: z.literal('reused'), account_id: z.string() }),
  z.object({ outcome: z.enum(['unknown', 'expired']) }),
  z.object({ outcome: z.literal('limited'), retry_after: z.int() }),
])

export interface Rotation {
  readonly selectorHash: Bytes
  readonly verifierHash: Bytes
  /** The same for each old verifier. */
  readonly newVerifierHash: Bytes
  /** What the previous SECRET_KEY made of the verifier; null outside a rotation of the key. */
  readonly otherVerifierHash: Bytes | null
  readonly idleSeconds: number
  /** How long the previous verifier still gets the same successor. */
  readonly graceSeconds: number
  readonly buckets: readonly Bucket[]
}

/**
 * Replaces the verifier of a session's token. An older verifier ends the session, unless it was replaced just now.
 * `is_other`: it was replaced just now, by the other verifier.
 */
export async function refresh(
  database: IdentityDatabase,
  given: Rotation,
  audit: AuditRow,
): Promise<z.output<typeof refreshed>> {
  return await askOne(
    database,
    refreshed,
    sql`select r.*, ${recordedFor(audit, sql`r.account_id`, sql`r.outcome = 'reused'`)}
      from identity.renew_session(${bytea(given.selectorHash)}, ${bytea(given.verifierHash)},
        ${bytea(given.newVerifierHash)}, ${bytea(given.otherVerifierHash)},
        ${given.idleSeconds}::int, ${given.graceSeconds}::int, ${bucketsOf(given.buckets)}) r`,
  )
}

/** Ends the session of a refresh token, if there is one. Returns the id of its account. */
export async function logOut(database: IdentityDatabase, selectorHash: Bytes, audit: AuditRow): Promise<string | null> {
  const [ended] = await ask(
    database,
    z.object({ account_id: z.string().nullable() }),
    sql`select e.account_id, ${recordedFor(audit, sql`e.account_id`, sql`true`)}
      from identity.end_session_of(${bytea(selectorHash)}) e`,
  )
  return ended?.account_id ?? null
}

/** Ends every session of an account and revokes its devices. Returns false if the caller's session has ended. */
export async function logOutEverywhere(database: IdentityDatabase, key: SessionKey, audit: AuditRow): Promise<boolean> {
  const result = await askOne(
    database,
    happened,
    sql`select happened, ${recorded(audit, sql`happened`)}
      from identity.log_out_everywhere(${sessionKey(key)}) as ended(happened)`,
  )
  return result.happened
}

/** Whether a session is still valid. */
export async function sessionLives(database: IdentityDatabase, key: SessionKey): Promise<boolean> {
  const result = await askOne(database, happened, sql`select identity.session_lives(${sessionKey(key)}) as happened`)
  return result.happened
}

const milliseconds = z.coerce.number().transform((value) => new Date(value))
const listed = z
  .object({
    id: z.string(),
    scope: z.string(),
    created_ms: milliseconds,
    last_used_ms: milliseconds,
    expires_ms: milliseconds,
  })
  .transform((row) => ({
    id: row.id,
    scope: row.scope,
    createdAt: row.created_ms,
    lastUsedAt: row.last_used_ms,
    expiresAt: row.expires_ms,
  }))

export type Session = z.output<typeof listed>

/** The account's valid sessions, oldest first; empty if the caller's has ended. */
export async function listSessions(database: IdentityDatabase, key: SessionKey): Promise<readonly Session[]> {
  return await ask(
    database,
    listed,
    sql`select id, scope, (extract(epoch from created_at) * 1000)::bigint as created_ms,
      (extract(epoch from last_used_at) * 1000)::bigint as last_used_ms,
      (extract(epoch from expires_at) * 1000)::bigint as expires_ms from identity.list_sessions(${sessionKey(key)})`,
  )
}

const ended = outcomeOf(['done', 'unknown', 'over'])

/** Ends one session of the account. Returns `over` if the caller's session has ended. */
export async function endSession(
  database: IdentityDatabase,
  key: SessionKey,
  target: string,
  audit: AuditRow,
): Promise<z.output<typeof ended>['outcome']> {
  const result = await askOne(
    database,
    ended,
    sql`select outcome, ${recorded(audit, sql`outcome = 'done'`)}
      from identity.end_session(${sessionKey(key)}, ${target}::uuid) as ended(outcome)`,
  )
  return result.outcome
}
