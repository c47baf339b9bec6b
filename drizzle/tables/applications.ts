// Applications of the operator, API keys, and the responses that are kept for repeated requests.
import { sql } from 'drizzle-orm'
import {
  check,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { ofUser, users } from './users.ts'

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' })
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** An application, whose keys act for every user of its issuer. */
export const applications = pgTable(
  'applications',
  {
    id: uuid().primaryKey(),
    name: text().notNull(),
    /** The issuer of the application's users. Two applications with the same issuer share them. */
    issuer: text().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [index('applications_issuer').on(table.issuer)],
)

/** API keys. A key belongs to an application, or to a user who made it for their own data. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid().primaryKey(),
    applicationId: uuid('application_id').references(() => applications.id),
    userId: uuid('user_id').references(() => users.id),
    name: text().notNull(),
    /** The first characters of the key, by which its owner recognizes it. */
    prefix: text().notNull(),
    /** SHA-256 of the key. */
    digest: bytea().notNull(),
    scopes: text().array().notNull(),
    /** Canonical CIDR blocks from which the key may be used; empty for any address. */
    networks: text()
      .array()
      .notNull()
      .default(sql`'{}'`),
    createdAt: instant('created_at').notNull().defaultNow(),
    expiresAt: instant('expires_at'),
    /** Within a minute. */
    lastUsedAt: instant('last_used_at'),
    revokedAt: instant('revoked_at'),
    /** SHA-256 of the creator and their `Idempotency-Key`: the same request makes no second key. */
    requestDigest: bytea('request_digest'),
  },
  (table) => [
    unique('api_keys_digest').on(table.digest),
    unique('api_keys_request').on(table.requestDigest),
    index('api_keys_application').on(table.applicationId),
    index('api_keys_user').on(table.userId),
    index('api_keys_created').on(table.createdAt.asc().nullsFirst(), table.id),
    index('api_keys_ended').on(sql`least(revoked_at, expires_at)`),
    check('api_keys_owner', sql`num_nonnulls(application_id, user_id) = 1`),
  ],
)

/** Requests with an `Idempotency-Key`, and the responses that their repetitions get. */
export const idempotentRequests = pgTable(
  'idempotent_requests',
  {
    ...ofUser(),
    route: text().notNull(),
    /** SHA-256 of the `Idempotency-Key`. */
    keyDigest: bytea('key_digest').notNull(),
    /** SHA-256 of the path and the body. */
    requestDigest: bytea('request_digest').notNull(),
    /** The run that may store its response. */
    runId: uuid('run_id').notNull(),
    startedAt: instant('started_at').notNull().defaultNow(),
    /** Null while the request is in progress. */
    status: integer(),
    body: jsonb(),
  },
  (table) => [
    primaryKey({ name: 'idempotent_requests_key', columns: [table.userId, table.route, table.keyDigest] }),
    index('idempotent_requests_started').on(table.startedAt),
  ],
)
