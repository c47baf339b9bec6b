// How long each kind of stored data is kept, why, and who may read it. docs/retention.md shows the same table. A test compares
// it with the schema, so that no table is without a line.

import { lostDays } from '../db/items/removal.ts'
import { absenceDays } from '../db/privacy/absence.ts'

/** A number of days, or the variable that sets it. */
type Days = number | 'RETENTION_DAYS' | 'RETENTION_REMOVED_DAYS'

/** What deletes the rows. */
type Purge =
  /** `app.purge_rows`: each row by its own time. */
  | 'rows'
  /** `app.purge_history`: by account and day. */
  | 'history'
  /** `app.purge_removals`: removals of the change feed. */
  | 'feed'
  /** `app.prune_audit`: the audit trail, which keeps a signature in place of the deleted rows. */
  | 'audit'
  /** `identity.purge_expired`: each row at the time that it names. */
  | 'expiry'
  /** `src/privacy/absence.ts`: the erasure of the person. */
  | 'absence'
  /** `src/items/remove-lost.ts`: the removal of the item. */
  | 'removal'
  /** The reconciler, five minutes after the time has come. */
  | 'reconciler'
  /** The weekly cleanup of backups. */
  | 'cleanup'
  /** The sweep, every five minutes. */
  | 'sweep'
  /** Goes with the row that it belongs to. */
  | 'owner'
  /** Nothing: the number of rows is bounded and none is about a person. */
  | 'none'

type Reader = 'user' | 'administrator' | 'jobs' | 'sign-in'

export interface DataClass {
  readonly tables: readonly string[]
  readonly purge: Purge
  /** Null where age does not matter. */
  readonly days: Days | null
  /** What the days count from, or when the rows go. */
  readonly from: string
  readonly reason: string
  readonly readers: readonly Reader[]
}

const books =
  'Records for taxes: claims from bad debts and worthless securities have seven years (26 U.S.C. 6511(d)(1))'
const shortLived = 'Needed only until it ends; data that is not needed is not kept (16 CFR 314.4(c)(6)(ii))'
const operations = 'Finding the cause of failures and of disputes with Plaid; a quarter is enough'

export const policy = {
  transactions: {
    tables: ['public.transactions'],
    purge: 'history',
    days: 'RETENTION_DAYS',
    from: 'the date of the transaction',
    reason: books,
    readers: ['user', 'jobs'],
  },
  investment_transactions: {
    tables: ['public.investment_transactions'],
    purge: 'history',
    days: 'RETENTION_DAYS',
    from: 'the date of the transaction',
    reason: books,
    readers: ['user', 'jobs'],
  },
  account_balances: {
    tables: ['public.account_balances'],
    purge: 'history',
    days: 'RETENTION_DAYS',
    from: 'the day of the balance',
    reason: books,
    readers: ['user', 'jobs'],
  },
  holding_days: {
    tables: ['public.holding_days'],
    purge: 'history',
    days: 'RETENTION_DAYS',
    from: 'the day of the position',
    reason: books,
    readers: ['user', 'jobs'],
  },
  transaction_tombstones: {
    tables: ['public.transaction_tombstones'],
    purge: 'feed',
    days: 180,
    from: 'the deletion of the transaction',
    reason: 'Clients of the change feed learn which transactions were deleted; holds ids alone',
    readers: ['user', 'jobs'],
  },
  changes: {
    tables: ['public.changes'],
    purge: 'feed',
    days: 180,
    from: 'the change',
    reason: 'Clients of the change feed learn what changed; holds ids alone',
    readers: ['user', 'jobs'],
  },
  sync_runs: {
    tables: ['public.sync_runs'],
    purge: 'rows',
    days: 90,
    from: 'the start of the run',
    reason: operations,
    readers: ['user', 'administrator', 'jobs'],
  },
  webhook_events: {
    tables: ['public.webhook_events'],
    purge: 'rows',
    days: 90,
    from: 'the receipt',
    reason: operations,
    readers: ['administrator', 'jobs'],
  },
  unmatched_webhooks: {
    tables: ['public.unmatched_webhooks'],
    purge: 'rows',
    days: 90,
    from: 'the day',
    reason: operations,
    readers: ['jobs'],
  },
  webhook_deliveries: {
    tables: ['public.webhook_deliveries'],
    purge: 'rows',
    days: 30,
    from: 'the event',
    reason:
      'Owners of endpoints see what was sent, with the latest 20 attempts, and can have it sent again; holds ids alone',
    readers: ['user', 'administrator', 'jobs'],
  },
  webhook_endpoints: {
    tables: ['public.webhook_endpoints'],
    purge: 'none',
    days: null,
    from: 'until its owner deletes it',
    reason: 'Where events are sent; a user has at most five, an application ten',
    readers: ['user', 'administrator', 'jobs'],
  },
  plaid_usage: {
    tables: ['public.plaid_usage'],
    purge: 'rows',
    days: 400,
    from: 'the day',
    reason: "Checking Plaid's invoices of a year; about no person",
    readers: ['administrator', 'jobs'],
  },
  dead_letters: {
    tables: ['public.dead_letters'],
    purge: 'rows',
    days: 30,
    from: 'the failure',
    reason: operations,
    readers: ['administrator', 'jobs'],
  },
  set_aside_rows: {
    tables: ['public.set_aside_rows'],
    purge: 'rows',
    days: 365,
    from: 'the first time that the row could not be read',
    reason: 'Stored as soon as an update can read it; after a year no update will come',
    readers: ['administrator', 'jobs'],
  },
  api_keys: {
    tables: ['public.api_keys'],
    purge: 'rows',
    days: 90,
    from: 'the revocation or the expiry of the key',
    reason: operations,
    readers: ['user', 'administrator', 'jobs'],
  },
  idempotent_requests: {
    tables: ['public.idempotent_requests'],
    purge: 'rows',
    days: 1,
    from: 'the first request with the `Idempotency-Key`',
    reason: shortLived,
    readers: ['user'],
  },
  applications: {
    tables: ['public.applications'],
    purge: 'none',
    days: null,
    from: 'never: a thousand rows at most',
    reason: 'The issuer of users for whom keys act; about no person',
    readers: ['administrator', 'jobs'],
  },
  link_sessions: {
    tables: ['public.link_sessions'],
    purge: 'rows',
    days: 7,
    from: 'the end of the link token',
    reason: shortLived,
    readers: ['user', 'jobs'],
  },
  ended_exchanges: {
    tables: ['public.link_exchanges'],
    purge: 'rows',
    days: 30,
    from: 'the end of an exchange that linked nothing',
    reason: shortLived,
    readers: ['user', 'jobs'],
  },
  finished_exchanges: {
    tables: ['public.link_exchanges'],
    purge: 'rows',
    days: 120,
    from: 'the end of an exchange that linked an item',
    reason: 'Assigns webhooks to an item, so it outlives them',
    readers: ['user', 'jobs'],
  },
  sessions: {
    tables: ['identity.sessions'],
    purge: 'expiry',
    days: null,
    from: 'the end of the session; holds the hash of its refresh token',
    reason: shortLived,
    readers: ['sign-in'],
  },
  registrations: {
    tables: ['identity.registrations'],
    purge: 'expiry',
    days: null,
    from: 'the end of the code in the e-mail',
    reason: shortLived,
    readers: ['sign-in'],
  },
  password_resets: {
    tables: ['identity.password_resets'],
    purge: 'expiry',
    days: null,
    from: 'the end of the code in the e-mail',
    reason: shortLived,
    readers: ['sign-in'],
  },
  throttles: {
    tables: ['identity.throttles'],
    purge: 'expiry',
    days: null,
    from: 'the end of the period that is counted; keys are hashes',
    reason: shortLived,
    readers: ['sign-in'],
  },
  items: {
    tables: ['public.items'],
    purge: 'reconciler',
    days: 'RETENTION_REMOVED_DAYS',
    from: 'the removal of the item or the end of its consent',
    reason: 'A new link restores the item until then',
    readers: ['user', 'administrator', 'jobs'],
  },
  lost_items: {
    tables: ['public.items'],
    purge: 'removal',
    days: lostDays,
    from: 'the day since when only a new link helps; then the item is removed',
    reason: 'The data are not updated or used: two years at most (16 CFR 314.4(c)(6)(i))',
    readers: ['user', 'administrator', 'jobs'],
  },
  accounts: {
    tables: ['public.accounts'],
    purge: 'reconciler',
    days: 'RETENTION_REMOVED_DAYS',
    from: 'the day on which the user stopped sharing the account',
    reason: 'Sharing it again restores the account until then',
    readers: ['user', 'jobs'],
  },
  plaid_removals: {
    tables: ['public.plaid_removals'],
    purge: 'reconciler',
    days: null,
    from: "Plaid's confirmation of the removal",
    reason: 'Plaid bills the item until then',
    readers: ['jobs'],
  },
  staging: {
    tables: ['public.sync_staging', 'public.investment_staging'],
    purge: 'sweep',
    days: null,
    from: 'the end of the sync, or an hour',
    reason: shortLived,
    readers: ['jobs'],
  },
  item_data: {
    tables: [
      'public.item_products',
      'public.holdings',
      'public.liabilities',
      'public.recurring_streams',
      'public.securities',
    ],
    purge: 'owner',
    days: null,
    from: 'the deletion of the item or account; each sync replaces it',
    reason: 'The current state of a linked account',
    readers: ['user', 'jobs'],
  },
  users: {
    tables: ['public.users', 'public.user_visits', 'public.rules'],
    purge: 'absence',
    days: absenceDays,
    from: 'the last day on which the user came; then the user is erased, with everything',
    reason: 'The data are not used: two years at most (16 CFR 314.4(c)(6)(i))',
    readers: ['user', 'jobs'],
  },
  audit_log: {
    tables: ['public.audit_log', 'public.audit_people', 'public.audit_links', 'public.audit_unchained'],
    purge: 'audit',
    days: 1095,
    from: 'the event',
    reason: 'Evidence of who did what: a year at least (PCI DSS 10.5.1), and the two years of a claim',
    readers: ['user', 'administrator', 'jobs'],
  },
  audit_chains: {
    tables: ['public.audit_chains', 'public.audit_checkpoints', 'public.audit_prunings'],
    purge: 'owner',
    days: null,
    from: 'the deletion of every row that is as old; the end of a chain, when no checkpoint names it',
    reason: 'Without them the rest of the trail could not be verified; holds no event',
    readers: ['jobs'],
  },
  erasures: {
    tables: ['public.erasures'],
    purge: 'none',
    days: null,
    from: 'never: identifies people whose data a restored backup must not bring back',
    reason: 'Keeps the erasure of a person effective; holds no data of the person',
    readers: ['jobs'],
  },
  consents: {
    tables: ['public.consents'],
    purge: 'none',
    days: null,
    from: 'the erasure of the user; the newest thousand decisions',
    reason: 'Proves what the user agreed to, and when',
    readers: ['user'],
  },
  backups: {
    tables: ['public.backups'],
    purge: 'cleanup',
    days: 400,
    from: 'the start of the backup',
    reason: 'Shows that backups were made and restored in the last year; about no person',
    readers: ['administrator', 'jobs'],
  },
  logins: {
    tables: ['identity.accounts', 'identity.recovery_codes'],
    purge: 'none',
    days: null,
    from: 'the erasure of the user',
    reason: 'Signing in',
    readers: ['sign-in'],
  },
  settings: {
    tables: ['public.safety_switches', 'public.webhook_keys', 'drizzle.__drizzle_migrations'],
    purge: 'none',
    days: null,
    from: 'never; a bounded number of rows',
    reason: 'Settings, public keys of Plaid and the version of the schema; about no person',
    readers: ['jobs'],
  },
} as const satisfies Readonly<Record<string, DataClass>>

export type ClassName = keyof typeof policy

/** The classes that a purge deletes, by how. */
export const classesBy = (purge: Purge): ClassName[] =>
  Object.entries(policy).flatMap(([name, line]) => (line.purge === purge && isClass(name) ? [name] : []))

export const isClass = (name: string): name is ClassName => Object.hasOwn(policy, name)

/** The days of a class under a configuration; null where age does not matter. */
export function daysOf(
  name: ClassName,
  { days, removedDays }: { readonly days: number; readonly removedDays: number },
): number | null {
  const set = policy[name].days
  if (set === 'RETENTION_DAYS') return days
  return set === 'RETENTION_REMOVED_DAYS' ? removedDays : set
}

/** The start of the UTC day so many days ago, as `app.kept_from` has it. */
export const dayBefore = (now: Date, days: number): Date =>
  new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() - days))
