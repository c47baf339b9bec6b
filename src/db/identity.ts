// Built-in accounts in the database: each call is one function of schema `identity`, one round trip and one transaction.
// Takes hashes and sealed text only.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type Bytes, encodeHex } from '../crypto/encoding.ts'
import { type ApiDatabase, batch, rows } from './client.ts'

/** Of an address; so many in any window of so many seconds. */
export interface Throttle {
  readonly limit: number
  readonly windowSeconds: number
}

/** A session that is to be. */
export interface NewSession {
  readonly id: string
  readonly selectorHash: Bytes
  readonly verifierHash: Bytes
  readonly scope: string
  readonly idleSeconds: number
  readonly absoluteSeconds: number
  /** Sessions that the account may have, this one included. */
  readonly most: number
}

/** The account and session that a verified access token names. */
export interface SessionKey {
  readonly accountId: string
  readonly sessionId: string
}

/** A code that was shown to fit: a time step, or a recovery code's hash; neither when it was wrong. */
export interface SecondFactor {
  readonly step: number | null
  readonly recoveryHash: Bytes | null
}

const bytea = (bytes: Bytes | null): SQL => sql`${bytes === null ? null : `\\x${encodeHex(bytes)}`}::bytea`
const byteas = (list: readonly Bytes[]): SQL =>
  sql`${`{${list.map((bytes) => `"\\\\x${encodeHex(bytes)}"`).join(',')}}`}::bytea[]`
const throttled = ({ limit, windowSeconds }: Throttle): SQL => sql`${limit}::int, ${windowSeconds}::int`
const session = (given: NewSession): SQL =>
  sql`${given.id}::uuid, ${bytea(given.selectorHash)}, ${bytea(given.verifierHash)}, ${given.scope},
    ${given.idleSeconds}::int, ${given.absoluteSeconds}::int, ${given.most}::int`
const keyOf = ({ accountId, sessionId }: SessionKey): SQL => sql`${accountId}::uuid, ${sessionId}::uuid`
const factor = ({ step, recoveryHash }: SecondFactor): SQL => sql`${step}::bigint, ${bytea(recoveryHash)}`

async function ask<Row>(database: ApiDatabase, row: z.ZodType<Row>, query: SQL): Promise<Row[]> {
  const [found] = await batch(database, [rows(database, query)])
  return z.array(row).parse(found.rows)
}

async function askOne<Row>(database: ApiDatabase, row: z.ZodType<Row>, query: SQL): Promise<Row> {
  const [first] = await ask(database, row, query)
  if (first === undefined) throw new TypeError('a function of schema identity gave no row')
  return first
}

const mailAsked = z
  .object({ retry_after: z.int(), has_account: z.boolean() })
  .transform((row) => ({ retryAfterSeconds: row.retry_after, hasAccount: row.has_account }))

/** What became of asking for a mail; over the limit nothing was stored. */
export type MailAsked = z.output<typeof mailAsked>

const outcomeOf = <const Outcomes extends readonly string[]>(outcomes: Outcomes) =>
  z.object({ outcome: z.enum(outcomes) })
const happened = z.object({ happened: z.boolean() })

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

const signInBegun = z
  .object({
    retry_after: z.int(),
    account_id: z.string().nullable(),
    password_hash: z.string().nullable(),
    totp_secret_sealed: z.string().nullable(),
  })
  .transform((row) => ({
    retryAfterSeconds: row.retry_after,
    accountId: row.account_id,
    passwordHash: row.password_hash,
    totpSecretSealed: row.totp_secret_sealed,
  }))

/** Takes a place of the address's password checks and reads what to check; nulls where there is no account. */
export async function beginSignIn(
  database: ApiDatabase,
  email: string,
  throttle: Throttle,
): Promise<z.output<typeof signInBegun>> {
  return await askOne(
    database,
    signInBegun,
    sql`select * from identity.begin_sign_in(${email}, ${throttled(throttle)})`,
  )
}

const signedIn = outcomeOf(['done', 'refused', 'limited', 'changed']).extend({
  role: z.enum(['user', 'admin']).nullable(),
})

export interface SignIn {
  readonly accountId: string
  /** The hash that the password was compared with. */
  readonly passwordHash: string
  /** A hash at today's cost to keep instead, or null. */
  readonly newPasswordHash: string | null
  /** The sealed secret that the code was compared with; null for an account without a second factor. */
  readonly totpSecretSealed: string | null
  readonly secondFactor: SecondFactor
}

/** Uses the second factor up and starts the session. Nothing is written when the account changed since `beginSignIn`. */
export async function finishSignIn(
  database: ApiDatabase,
  given: SignIn,
  throttle: Throttle,
  started: NewSession,
): Promise<z.output<typeof signedIn>> {
  return await askOne(
    database,
    signedIn,
    sql`select * from identity.finish_sign_in(${given.accountId}::uuid, ${given.passwordHash}, ${given.newPasswordHash},
      ${given.totpSecretSealed}, ${factor(given.secondFactor)}, ${throttled(throttle)}, ${session(started)})`,
  )
}

const refreshed = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('done'),
    account_id: z.string(),
    session_id: z.string(),
    scope: z.string(),
    role: z.enum(['user', 'admin']),
  }),
  z.object({ outcome: z.enum(['unknown', 'expired', 'reused']) }),
])

/** Replaces the verifier of a session's token, once; a verifier of before ends the session. */
export async function refresh(
  database: ApiDatabase,
  given: { readonly selectorHash: Bytes; readonly verifierHash: Bytes; readonly newVerifierHash: Bytes },
  idleSeconds: number,
): Promise<z.output<typeof refreshed>> {
  return await askOne(
    database,
    refreshed,
    sql`select * from identity.refresh(${bytea(given.selectorHash)}, ${bytea(given.verifierHash)},
      ${bytea(given.newVerifierHash)}, ${idleSeconds}::int)`,
  )
}

/** Ends the session of a refresh token; nothing happens where there is none. */
export async function logOut(database: ApiDatabase, selectorHash: Bytes): Promise<void> {
  await ask(database, z.unknown(), sql`select identity.log_out(${bytea(selectorHash)})`)
}

/** Ends every session of an account. */
export async function logOutEverywhere(database: ApiDatabase, accountId: string): Promise<void> {
  await ask(database, z.unknown(), sql`select identity.log_out_everywhere(${accountId}::uuid)`)
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

/** The account's live sessions, oldest first; empty when the asking one is over. */
export async function listSessions(database: ApiDatabase, key: SessionKey): Promise<Session[]> {
  return await ask(
    database,
    listed,
    sql`select id, scope, (extract(epoch from created_at) * 1000)::bigint as created_ms,
      (extract(epoch from last_used_at) * 1000)::bigint as last_used_ms,
      (extract(epoch from expires_at) * 1000)::bigint as expires_ms from identity.list_sessions(${keyOf(key)})`,
  )
}

const ended = outcomeOf(['done', 'unknown', 'over'])

/** Ends one session of the account; `over` when the asking one is. */
export async function endSession(
  database: ApiDatabase,
  key: SessionKey,
  target: string,
): Promise<z.output<typeof ended>['outcome']> {
  const answer = await askOne(
    database,
    ended,
    sql`select identity.end_session(${keyOf(key)}, ${target}::uuid) as outcome`,
  )
  return answer.outcome
}
