// Built-in accounts: who can sign in, and with what. The Worker's logins cannot read or write these tables directly;
// the functions of schema `identity` do. Passwords, tokens and codes are stored as hashes, TOTP secrets sealed.
import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  customType,
  index,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'

export const identity = pgSchema('identity')

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' })
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** Created when an address is verified. The id is `sub` of the account's access tokens. */
export const accounts = identity.table(
  'accounts',
  {
    id: uuid().primaryKey(),
    /** In lower case. */
    email: text().notNull(),
    passwordHash: text('password_hash').notNull(),
    /** Set only by the operator. */
    role: text().notNull().default('user'),
    totpSecretSealed: text('totp_secret_sealed'),
    /** Before this, the secret is enrolled and not required. */
    totpConfirmedAt: instant('totp_confirmed_at'),
    /** The newest time step whose code was used. Its code and all earlier ones are refused. */
    totpLastStep: bigint('totp_last_step', { mode: 'number' }),
    createdAt: instant('created_at').notNull().defaultNow(),
    passwordChangedAt: instant('password_changed_at').notNull().defaultNow(),
    /** Device tokens issued before this time are no longer accepted; null if none was revoked. */
    devicesValidFrom: instant('devices_valid_from'),
  },
  (table) => [
    unique('accounts_email').on(table.email),
    check('accounts_email_lower', sql`${table.email} = lower(${table.email})`),
    check('accounts_role', sql`${table.role} in ('user', 'admin')`),
  ],
)

/** Single-use codes for a user without the second factor. */
export const recoveryCodes = identity.table(
  'recovery_codes',
  {
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    codeHash: bytea('code_hash').notNull(),
  },
  (table) => [primaryKey({ name: 'recovery_codes_key', columns: [table.accountId, table.codeHash] })],
)

/** A registration whose address is not verified yet: its password, and the token in the e-mail. */
export const registrations = identity.table(
  'registrations',
  {
    tokenHash: bytea('token_hash').primaryKey(),
    email: text().notNull(),
    passwordHash: text('password_hash').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [index('registrations_email').on(table.email), index('registrations_expires_at').on(table.expiresAt)],
)

/**
 * Tokens of e-mails that allow setting a new password. Keyed by address, so that an unknown address costs the same
 * rows.
 */
export const passwordResets = identity.table(
  'password_resets',
  {
    tokenHash: bytea('token_hash').primaryKey(),
    email: text().notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [index('password_resets_email').on(table.email), index('password_resets_expires_at').on(table.expiresAt)],
)

/**
 * One row for each sign-in. A refresh token has a selector, which stays, and a verifier, which changes at every use.
 */
export const sessions = identity.table(
  'sessions',
  {
    id: uuid().primaryKey(),
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    selectorHash: bytea('selector_hash').notNull(),
    verifierHash: bytea('verifier_hash').notNull(),
    /** The previous verifier. For a few seconds it still gets the same successor. */
    previousVerifierHash: bytea('previous_verifier_hash'),
    rotatedAt: instant('rotated_at'),
    scope: text().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    lastUsedAt: instant('last_used_at').notNull().defaultNow(),
    idleExpiresAt: instant('idle_expires_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [
    unique('sessions_selector_hash').on(table.selectorHash),
    index('sessions_account').on(table.accountId),
    index('sessions_idle_expires_at').on(table.idleExpiresAt),
  ],
)

/** Times of rate-limited actions: a sliding log under a hash of the limited value. */
export const throttles = identity.table(
  'throttles',
  {
    key: bytea().primaryKey(),
    takenAt: timestamp('taken_at', { withTimezone: true }).array().notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [index('throttles_expires_at').on(table.expiresAt)],
)
