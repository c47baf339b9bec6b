// What an export of a user's data reads: each table with its columns, in an order by which pages follow one another.
// A test compares the lists with the schema, so that a new table or column is either exported or left out for a reason.
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { accountBalances, accounts } from '../../../drizzle/tables/accounts.ts'
import { apiKeys, idempotentRequests } from '../../../drizzle/tables/applications.ts'
import { changes } from '../../../drizzle/tables/changes.ts'
import { holdingDays, holdings, investmentTransactions, securities } from '../../../drizzle/tables/investments.ts'
import { itemProducts, items } from '../../../drizzle/tables/items.ts'
import { liabilities } from '../../../drizzle/tables/liabilities.ts'
import { webhookDeliveries, webhookEndpoints } from '../../../drizzle/tables/events.ts'
import { consents } from '../../../drizzle/tables/privacy.ts'
import { linkExchanges, linkSessions, plaidRemovals } from '../../../drizzle/tables/links.ts'
import { setAsideRows, syncRuns, webhookEvents } from '../../../drizzle/tables/operations.ts'
import { rules } from '../../../drizzle/tables/rules.ts'
import { recurringStreams, transactions, transactionTombstones } from '../../../drizzle/tables/transactions.ts'
import { users, userVisits } from '../../../drizzle/tables/users.ts'

export interface ExportedTable {
  readonly table: PgTable
  readonly owner: PgColumn
  /** The order of the rows, which is unique within a user, or within an account. */
  readonly key: readonly PgColumn[]
  /** The column of the account: the table is read account by account, because no index leads by user in this order. */
  readonly byAccount?: PgColumn
  /** Whether an index has the rows in this order; few rows are sorted. */
  readonly isIndexed?: true
  /** Rows with a document each come in smaller pages. */
  readonly pageSize?: number
  /** Column → why it is not exported. */
  readonly leftOut?: Readonly<Record<string, string>>
}

const secret = 'A sealed credential of this service at Plaid. It is not data about the person.'
const digest = 'A digest by which this service recognizes a token or a request. It contains no data.'
const eventSecret = 'A sealed secret that signs events. It is not data about the person.'
const perDocument = 50

/** In the order of the export. */
export const exportedTables: Readonly<Record<string, ExportedTable>> = {
  users: { table: users, owner: users.id, key: [users.id] },
  user_visits: { table: userVisits, owner: userVisits.userId, key: [userVisits.userId] },
  consents: { table: consents, owner: consents.userId, key: [consents.version], isIndexed: true },
  items: { table: items, owner: items.userId, key: [items.id], leftOut: { access_token_sealed: secret } },
  item_products: {
    table: itemProducts,
    owner: itemProducts.userId,
    key: [itemProducts.id],
    leftOut: { cursor: 'Plaid’s mark of what was read. It contains no data and works only with the credential.' },
  },
  accounts: { table: accounts, owner: accounts.userId, key: [accounts.id] },
  account_balances: {
    table: accountBalances,
    owner: accountBalances.userId,
    key: [accountBalances.day],
    byAccount: accountBalances.accountId,
    isIndexed: true,
  },
  // By the number of the last change, which no two rows of a user share. A row that changes while it is exported moves
  // to the end, so it is exported again and never missed.
  transactions: { table: transactions, owner: transactions.userId, key: [transactions.changeSeq], isIndexed: true },
  changes: { table: changes, owner: changes.userId, key: [changes.seq], isIndexed: true },
  transaction_tombstones: {
    table: transactionTombstones,
    owner: transactionTombstones.userId,
    key: [transactionTombstones.changeSeq],
    isIndexed: true,
  },
  rules: { table: rules, owner: rules.userId, key: [rules.id] },
  recurring_streams: { table: recurringStreams, owner: recurringStreams.userId, key: [recurringStreams.id] },
  securities: { table: securities, owner: securities.userId, key: [securities.id] },
  holdings: { table: holdings, owner: holdings.userId, key: [holdings.id] },
  holding_days: {
    table: holdingDays,
    owner: holdingDays.userId,
    key: [holdingDays.day, holdingDays.securityId],
    byAccount: holdingDays.accountId,
    isIndexed: true,
  },
  investment_transactions: {
    table: investmentTransactions,
    owner: investmentTransactions.userId,
    key: [investmentTransactions.date, investmentTransactions.id],
    byAccount: investmentTransactions.accountId,
    isIndexed: true,
  },
  liabilities: { table: liabilities, owner: liabilities.userId, key: [liabilities.id] },
  sync_runs: { table: syncRuns, owner: syncRuns.userId, key: [syncRuns.startedAt, syncRuns.id], isIndexed: true },
  set_aside_rows: {
    table: setAsideRows,
    owner: setAsideRows.userId,
    key: [setAsideRows.id],
    pageSize: perDocument,
  },
  webhook_events: {
    table: webhookEvents,
    owner: webhookEvents.userId,
    key: [webhookEvents.id],
    pageSize: perDocument,
    leftOut: { replay_key: digest },
  },
  link_sessions: {
    table: linkSessions,
    owner: linkSessions.userId,
    key: [linkSessions.id],
    leftOut: { token_digest: digest, token_sealed: secret },
  },
  link_exchanges: {
    table: linkExchanges,
    owner: linkExchanges.userId,
    key: [linkExchanges.id],
    leftOut: { public_token_digest: digest, access_token_sealed: secret },
  },
  webhook_endpoints: {
    table: webhookEndpoints,
    owner: webhookEndpoints.userId,
    key: [webhookEndpoints.id],
    leftOut: { secret_sealed: eventSecret, previous_sealed: eventSecret },
  },
  webhook_deliveries: {
    table: webhookDeliveries,
    owner: webhookDeliveries.userId,
    key: [webhookDeliveries.id],
  },
  plaid_removals: {
    table: plaidRemovals,
    owner: plaidRemovals.userId,
    key: [plaidRemovals.id],
    leftOut: { access_token_sealed: secret },
  },
  api_keys: {
    table: apiKeys,
    owner: apiKeys.userId,
    key: [apiKeys.id],
    leftOut: { digest, request_digest: digest },
  },
  idempotent_requests: {
    table: idempotentRequests,
    owner: idempotentRequests.userId,
    key: [idempotentRequests.runId],
    pageSize: perDocument,
    leftOut: { key_digest: digest, request_digest: digest },
  },
}

/** What `identity.export_account` returns of a built-in account: data set → its columns. */
export const exportedLogins = {
  login: [
    'id',
    'email',
    'role',
    'created_at',
    'password_changed_at',
    'totp_confirmed_at',
    'devices_valid_from',
    'unused_recovery_codes',
  ],
  login_sessions: ['id', 'scope', 'created_at', 'last_used_at', 'rotated_at', 'idle_expires_at', 'expires_at'],
  login_registrations: ['email', 'expires_at'],
  login_password_resets: ['email', 'expires_at'],
} as const

const hash = 'A hash by which this service recognizes a secret of the person.'

/** Tables and columns of built-in accounts that are not exported, and why. */
export const leftOutOfLogins: Readonly<Record<string, string>> = {
  'accounts.password_hash': hash,
  'accounts.totp_secret_sealed': 'The sealed secret of the authenticator app, which the person has.',
  'accounts.totp_last_step': 'Prevents that a code of the authenticator app works twice.',
  'recovery_codes.account_id': 'The export has the number of unused codes.',
  'recovery_codes.code_hash': hash,
  'registrations.token_hash': hash,
  'registrations.password_hash': hash,
  'password_resets.token_hash': hash,
  'sessions.account_id': 'The id of the account, which the export has in its row.',
  'sessions.selector_hash': hash,
  'sessions.verifier_hash': hash,
  'sessions.previous_verifier_hash': hash,
  'throttles.key': 'A hash under which attempts are counted, for a day at most. It does not show whose they are.',
  'throttles.taken_at': 'Times of attempts under such a hash.',
  'throttles.expires_at': 'When such a hash is deleted.',
}

const signed = 'Signatures that show a change of the audit trail. They contain no data about a person.'

/** Tables that are not exported, and why. */
export const leftOutTables: Readonly<Record<string, string>> = {
  audit_log: 'The audit trail, which has a route of its own. It names no person.',
  audit_people: 'Which rows of the audit trail are whose, with the salts of the hashes in them.',
  audit_unchained: 'Rows of the audit trail that wait to be signed.',
  audit_chains: signed,
  audit_links: signed,
  audit_checkpoints: signed,
  audit_prunings: signed,
  sync_staging:
    'Pages of a sync in progress. Its commit stores them as transactions, or they are deleted within a day.',
  investment_staging: 'The same for investment transactions.',
  erasures: 'Holds a hash of the login and the state of an erasure. The person gets the certificate.',
  dead_letters: 'Ids of messages to this service that failed. No row names a person.',
  applications: 'Applications of the operator, with an issuer each. No row names a person.',
  backups: 'Which backups of the whole database were made.',
  plaid_usage: 'Counts of calls to Plaid by all users together.',
  safety_switches: 'States of this service.',
  unmatched_webhooks: 'Counts of webhooks about items of no user.',
  webhook_keys: 'Public keys of Plaid.',
}
