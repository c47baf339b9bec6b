// The audit trail: what was done, by whom, when. `audit_log` and its people are written by `app.record_audit` alone, in
// the transaction of the change. A row of `audit_log` never changes and says nothing about a person that the hash of its
// salted actor does not.
import { bigint, check, customType, index, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' })
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

export const auditLog = pgTable(
  'audit_log',
  {
    /** Made by the Worker, so that a batch that is sent again writes no second row. */
    id: uuid().primaryKey(),
    at: instant('at').notNull(),
    actorKind: text('actor_kind').notNull(),
    /** SHA-256 of the salt in `audit_people`, the actor's identity and API key; null for an actor that is no person. */
    actorHash: bytea('actor_hash'),
    action: text().notNull(),
    targetKind: text('target_kind').notNull(),
    targetId: text('target_id'),
    requestId: text('request_id').notNull(),
    correlationId: text('correlation_id'),
    /** Pseudonym of the client's network, which changes every day. */
    network: text(),
    keyId: text('key_id').notNull(),
    /** HMAC of all the fields above but the key's id (src/audit/signed-row.ts). */
    mac: bytea().notNull(),
  },
  (table) => [
    index('audit_log_at').on(table.at, table.id),
    index('audit_log_action').on(table.action, table.at, table.id),
    index('audit_log_request').on(table.requestId, table.at, table.id),
    index('audit_log_target').on(table.targetId, table.at, table.id),
  ],
)

/** The people of a row: who acted, and in whose trail it is. An erasure deletes the person's rows here, with the salts. */
export const auditPeople = pgTable(
  'audit_people',
  {
    auditId: uuid('audit_id')
      .notNull()
      .references(() => auditLog.id, { onDelete: 'cascade' }),
    part: text().notNull(),
    /** `app.person_of` their issuer and subject. */
    person: text().notNull(),
    /** Of the actor's hash. */
    salt: bytea(),
    /** The first characters of the API key of the actor; null without one. Part of the actor's hash. */
    apiKey: text('api_key'),
    /** The row's, for pages of one person's trail. */
    at: instant('at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'audit_people_key', columns: [table.auditId, table.part] }),
    index('audit_people_person').on(table.person, table.part, table.at, table.auditId),
    check('audit_people_part', sql`${table.part} in ('actor', 'owner')`),
  ],
)

/** Rows that are in no chain yet. */
export const auditUnchained = pgTable(
  'audit_unchained',
  {
    auditId: uuid('audit_id')
      .primaryKey()
      .references(() => auditLog.id, { onDelete: 'cascade' }),
    /** The row's. */
    at: instant('at').notNull(),
  },
  (table) => [index('audit_unchained_at').on(table.at, table.auditId)],
)

/** The end of each chain. Only the chaining job reads it; what the checkpoints say is what counts. */
export const auditChains = pgTable('audit_chains', {
  id: uuid().primaryKey(),
  /** Whose chain it is; `system` for the system's; null once the person is erased. */
  person: text().unique('audit_chains_person'),
  number: bigint({ mode: 'number' }).notNull(),
  head: bytea().notNull(),
})

/** Each row's place in its chain. No foreign key: where a row is missing, its link says which one. */
export const auditLinks = pgTable(
  'audit_links',
  {
    chain: uuid().notNull(),
    number: bigint({ mode: 'number' }).notNull(),
    /** The MAC of the link before; null for the first one. */
    previous: bytea(),
    auditId: uuid('audit_id').notNull().unique('audit_links_row'),
    /** The checkpoint that was signed with it. */
    checkpoint: bigint({ mode: 'number' }).notNull(),
    keyId: text('key_id').notNull(),
    /** HMAC of the fields above and of the row's own HMAC (src/audit/signed-chain.ts). */
    mac: bytea().notNull(),
  },
  (table) => [primaryKey({ name: 'audit_links_key', columns: [table.chain, table.number] })],
)

/** The heads that each run of the chaining job signed. Copies of them elsewhere show that the database was put back. */
export const auditCheckpoints = pgTable('audit_checkpoints', {
  number: bigint({ mode: 'number' }).primaryKey(),
  at: instant('at').notNull(),
  previous: bytea(),
  heads: text().notNull(),
  keyId: text('key_id').notNull(),
  mac: bytea().notNull(),
})

/** Where a chain begins after retention deleted its oldest rows. */
export const auditPrunings = pgTable('audit_prunings', {
  chain: uuid().primaryKey(),
  /** The last link that is gone, and its MAC. */
  number: bigint({ mode: 'number' }).notNull(),
  head: bytea().notNull(),
  at: instant('at').notNull(),
  keyId: text('key_id').notNull(),
  mac: bytea().notNull(),
})
