// Made from docs/openapi.json by `npm run openapi`. Changes are lost.

/** Every code of a problem. */
export const problemCodes = [
  'bad_request',
  'validation_failed',
  'user_required',
  'invalid_token',
  'invalid_cursor',
  'public_token_refused',
  'link_token_refused',
  'unauthorized',
  'invalid_credentials',
  'totp_required',
  'invalid_code',
  'webhook_refused',
  'forbidden',
  'https_required',
  'refresh_off',
  'purpose_not_allowed',
  'not_found',
  'method_not_allowed',
  'duplicate_item',
  'too_many_items',
  'idempotency_key_in_use',
  'conflict',
  'feed_expired',
  'payload_too_large',
  'unsupported_media_type',
  'item_needs_attention',
  'idempotency_key_reused',
  'rate_limited',
  'too_many_refreshes',
  'too_many_links',
  'internal',
  'misconfigured',
  'token_undecryptable',
  'plaid_rejected',
  'webhook_unverified',
  'frozen',
  'plaid_unavailable',
  'unavailable',
] as const

/** The paths that need no access token. */
export const publicPaths = [
  '/health',
  '/api/v1/live',
  '/ready',
  '/openapi.json',
  '/.well-known/security.txt',
  '/.well-known/apple-app-site-association',
  '/.well-known/assetlinks.json',
  '/privacy',
  '/api/v1/privacy/erasures/{id}',
  '/api/v1/plaid/webhook',
  '/api/v1/auth/register',
  '/api/v1/auth/verify-email',
  '/api/v1/auth/login',
  '/api/v1/auth/refresh',
  '/api/v1/auth/logout',
  '/api/v1/auth/password/forgot',
  '/api/v1/auth/password/reset',
] as const

export type AccessTokens = {
  /** Tokens that were requested from Plaid before this time count as old. */
  before: string
  /** Items with an access token. */
  total: number
  /** Items with an old access token. */
  remaining: number
}

export type Account = {
  /** The id. */
  id: string
  /** Plaid’s id of the account. */
  plaid_account_id: string
  /** The id of the item. */
  item_id: string
  /** The name that the user gave the account; without one, `bank_name`. */
  name: string
  /** The name that the institution or the user gave the account at the institution. */
  bank_name: string
  /** The name that the institution uses. */
  official_name: string | null
  /** The last digits of the account number. */
  mask: string | null
  /** Plaid’s type. */
  type: string
  /** Plaid’s subtype. */
  subtype: string | null
  /** The newest balances. */
  balances: {
    /** Plaid’s current balance, without pending transactions. `depository`: the money in the account; negative when overdrawn. `credit`: the amount owed; negative when the institution owes the user. `loan`: the principal that remains to be paid. `investment`: the value of all assets. Null if the institution does not report it; then `available` is set. */
    current: Decimal | null
    /** The amount that can be withdrawn or spent. `depository`: usually `current` minus pending money out plus pending money in, without the overdraft limit. `credit`: usually `limit` minus `current`, adjusted in the same way. `investment`: the cash that can be withdrawn. Null if the institution does not calculate it. */
    available: Decimal | null
    /** `credit`: the credit limit. `depository`: the agreed overdraft limit. Otherwise null. */
    limit: Decimal | null
    /** The ISO 4217 code, or the unofficial code that the institution uses. */
    currency: string | null
    /** When the institution reported the balances; null if it did not. */
    as_of: string | null
  }
  /** Whether the account is closed or no longer shared. */
  closed: boolean
  /** Whether the user hid the account: lists leave it and its rows out unless the request includes them. */
  hidden: boolean
  /** Whether the account counts in net worth, cash flow and spending. */
  in_insights: boolean
  /** The id of the account that this one duplicates or may duplicate, or null. Only one of the two counts in sums. */
  duplicate_of: string | null
  /** Whether the user has to decide about the duplicate (see `/plaid/items/{id}/duplicates`). */
  possible_duplicate: boolean
}

/** An absent field stays as it is. */
export type AccountEdits = {
  /** The name of the account; null for the name of the institution. */
  name?: string | null | undefined
  /** Whether to leave the account and its rows out of lists. */
  hidden?: boolean | undefined
  /** Whether the account counts in net worth, cash flow and spending. */
  in_insights?: boolean | undefined
}

export type AccountList = {
  /** The rows of this page. */
  data: Array<Account>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type AdminApiKey = {
  /** The id. */
  id: string
  /** The name. */
  name: string
  /** The first characters of the key. */
  prefix: string
  /** What the key may do. */
  scopes: Array<string>
  /** The networks from which the key may be used; empty for any address. */
  networks: Array<string>
  /** When it was created. */
  created_at: string
  /** When the key expires; null for never. */
  expires_at: string | null
  /** When the key was used last, within a minute; null for never. */
  last_used_at: string | null
  /** When the key was revoked; null for a key that was not. */
  revoked_at: string | null
  /** The application of the key; null for a key of a user. */
  application_id: string | null
  /** The user of the key; null for a key of an application. */
  user_id: string | null
}

export type AdminApiKeyList = {
  /** The rows of this page. */
  data: Array<AdminApiKey>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type AdminAuditRow = {
  /** The id. */
  id: string
  /** When it was done. */
  at: string
  /** Who acted: `user`, `admin`, `anonymous`, `webhook`, `cron`, `queue` or `command`. */
  actor: string
  /** What was done. */
  action: string
  /** The kind of object that it was done to. */
  target_kind: string
  /** The id of that object; null if it has none. */
  target_id: string | null
  /** The first characters of the API key with which it was done, also by a token of the key; null without a key, and after an erasure. */
  api_key: string | null
  /** The `X-Request-Id` of the response, or the id of the job. */
  request_id: string
  /** The `X-Request-Id` that the client sent. */
  client_request_id: string | null
  /** A pseudonym of the client’s network, as in the log. */
  network: string | null
  /** The person who acted; null for a job, and after an erasure. */
  acted_by: {
    /** The issuer of the person’s access tokens. */
    issuer: string
    /** The issuer’s id of the person. */
    subject: string
  } | null
  /** The person whose trail contains the row; null for the system’s, and after an erasure. */
  user: {
    /** The issuer of the person’s access tokens. */
    issuer: string
    /** The issuer’s id of the person. */
    subject: string
  } | null
}

export type AdminAuditRowList = {
  /** The rows of this page. */
  data: Array<AdminAuditRow>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type AdminItem = {
  /** The id. */
  id: string
  /** The id of the user. */
  user_id: string
  /** Plaid’s id of the item. */
  plaid_item_id: string
  /** Plaid’s id of the institution. */
  institution_id: string | null
  /** The status. */
  status: string
  /** Plaid’s error code behind the status, or null. */
  status_reason: string | null
  /** Webhooks that Plaid sent and that did not arrive. */
  missed_webhooks: number
  /** When it was created. */
  created_at: string
  /** When the item was removed, or null. */
  removed_at: string | null
  /** The state of each product. */
  products: Array<{
    /** The id. */
    id: string
    /** The product: `item`, `balances`, `transactions` and so on. */
    product: string
    /** The status. */
    status: string
    /** Whether changes wait to be read. */
    dirty: boolean
    /** Failed attempts since the last success. */
    attempts: number
    /** When the product is due. */
    next_attempt_at: string
    /** When the product was read last. */
    last_synced_at: string | null
    /** The newest error of the product, or null. */
    last_error: string | null
  }>
}

export type AdminItemList = {
  /** The rows of this page. */
  data: Array<AdminItem>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type AdminSyncRun = {
  /** The id. */
  id: string
  /** The id of the item. */
  item_id: string
  /** The product: `item`, `balances`, `transactions` and so on. */
  product: string
  /** What started the run. */
  trigger: string
  /** `committed`, `failed`, `waiting`, `absent` or `consent_needed`. */
  outcome: string
  /** The code of the error, or null. */
  error_code: string | null
  /** The pages that were read. */
  pages: number
  /** How often reading started again. */
  restarts: number
  /** The rows that were written. */
  upserted: number
  /** The rows that were removed. */
  removed: number
  /** Rows of the product that could not be read and wait for another attempt. */
  set_aside: number
  /** When the run started. */
  started_at: string
  /** When the run finished. */
  finished_at: string
  /** The id of the user. */
  user_id: string
  /** Plaid’s request ids, for Plaid’s support. */
  plaid_request_ids: Array<string>
}

export type AdminSyncRunList = {
  /** The rows of this page. */
  data: Array<AdminSyncRun>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type AdminWebhook = {
  /** The id. */
  id: string
  /** The signature that was verified: Plaid’s, or the relay’s. */
  scheme: string
  /** Plaid’s type of the webhook. */
  webhook_type: string
  /** Plaid’s code of the webhook. */
  webhook_code: string
  /** Plaid’s id of the item. */
  plaid_item_id: string | null
  /** The id of the item. */
  item_id: string | null
  /** The id of the user. */
  user_id: string | null
  /** When the webhook arrived. */
  received_at: string
}

export type AdminWebhookList = {
  /** The rows of this page. */
  data: Array<AdminWebhook>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type Alarm = {
  /** The name of the alarm. */
  name: string
  /** `page` calls someone at any hour, `ticket` waits for the next working day. */
  severity: 'page' | 'ticket'
  /** What is wrong while it fires. */
  summary: string
  /** `pending`: the condition holds, but not long enough yet. `ok` before the first evaluation. */
  state: 'ok' | 'pending' | 'firing'
  /** Since when the state lasts. */
  since: string | null
  /** The value that was measured last; null without data. */
  value: number | null
  /** The value from which on the alarm fires. */
  threshold: number
  /** The unit of both. */
  unit: 'count' | 'percent' | 'seconds' | 'minutes' | 'hours'
  /** The page of the alarm. */
  runbook: string
}

export type AlarmStates = {
  /** The last evaluation; null before the first one. */
  evaluated_at: string | null
  /** Notifications that the receiver has not accepted yet. */
  waiting: number
  /** Every alarm, in the order of the runbook. */
  data: Array<Alarm>
}

export type ApiKey = {
  /** The id. */
  id: string
  /** The name. */
  name: string
  /** The first characters of the key. */
  prefix: string
  /** What the key may do. */
  scopes: Array<string>
  /** The networks from which the key may be used; empty for any address. */
  networks: Array<string>
  /** When it was created. */
  created_at: string
  /** When the key expires; null for never. */
  expires_at: string | null
  /** When the key was used last, within a minute; null for never. */
  last_used_at: string | null
  /** When the key was revoked; null for a key that was not. */
  revoked_at: string | null
}

export type ApiKeyList = {
  /** The rows of this page. */
  data: Array<ApiKey>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type ApiKeyRequest = {
  /** A name, by which people recognize the key. */
  name: string
  /** The networks from which the key may be used (CIDR). Empty for any address. */
  networks?: Array<string> | undefined
  /** The application for which the key acts. */
  application_id: string
  /** What the key may do. */
  scopes: Array<'read' | 'write' | 'link' | 'webhooks' | 'admin:read' | 'admin:write' | 'admin:metrics'>
  /** The life of the key in days; null for a key that does not expire. */
  expires_in_days?: number | null | undefined
}

export type Application = {
  /** The id. */
  id: string
  /** The name. */
  name: string
  /** The issuer of the users for whom the keys of the application act. */
  issuer: string
  /** When it was created. */
  created_at: string
}

export type ApplicationList = {
  /** The rows of this page. */
  data: Array<Application>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type ApplicationRequest = {
  /** A name, by which people recognize the application. */
  name: string
  /** The issuer of its users: that of the identity provider (`AUTH_ISSUER`), so that a person is the same user with a token and with a key, or any other https URL. Without it, the application gets a separate issuer. */
  issuer?: string | undefined
}

export type AppliedRules = {
  /** The transactions of this step, at most 5000. */
  checked: number
  /** Those of them that changed. */
  changed: number
  /** The `cursor` of the next step; null at the end. */
  next_cursor: string | null
}

export type AuditFault = {
  /** What is wrong. */
  what: string
  /** The row of the trail. */
  audit_id: string | null
  /** The chain of the trail. */
  chain: string | null
  /** The place in the chain. */
  number: number | null
  /** The number of the checkpoint. */
  checkpoint: number | null
}

export type AuditRow = {
  /** The id. */
  id: string
  /** When it was done. */
  at: string
  /** Who acted: `user`, `admin`, `anonymous`, `webhook`, `cron`, `queue` or `command`. */
  actor: string
  /** What was done. */
  action: string
  /** The kind of object that it was done to. */
  target_kind: string
  /** The id of that object; null if it has none. */
  target_id: string | null
  /** The first characters of the API key with which it was done, also by a token of the key; null without a key, and after an erasure. */
  api_key: string | null
  /** The `X-Request-Id` of the response, or the id of the job. */
  request_id: string
}

export type AuditRowList = {
  /** The rows of this page. */
  data: Array<AuditRow>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type AuditVerification = {
  /** The result of the last `npm run audit -- verify`; null before the first. */
  last: {
    /** When it was verified. */
    verified_at: string
    /** Whether every row, chain and checkpoint was as signed. */
    valid: boolean
    /** Rows whose place in a chain was verified. */
    rows: number
    /** Chains: one for each person, and one for the system. */
    chains: number
    /** Rows that had no place in a chain yet. */
    waiting: number
    /** The last checkpoint, as `NUMBER:MAC`. */
    checkpoint: string | null
    /** The first thing that was wrong. */
    fault: AuditFault | null
  } | null
  /** Rows that have no place in a chain now; counted up to 10,000. */
  waiting: number
  /** The time of the oldest of them. */
  waiting_since: string | null
}

export type Backup = {
  /** The time of the snapshot and a random suffix. */
  id: string
  /** Who made it: the Worker, into the `bucket`, or the `command`. */
  place: 'bucket' | 'command'
  /** Whether it is complete. */
  state: 'running' | 'complete' | 'failed'
  /** Why it failed: `time_limit` if the database is too large for the cron, `interrupted` if the Worker ended without a trace, `error` otherwise. */
  problem: 'time_limit' | 'error' | 'interrupted' | null
  /** The time of the snapshot. */
  started_at: string
  /** When it was complete or failed. */
  finished_at: string | null
  /** The number of rows. */
  rows: number | null
  /** The size, compressed and encrypted. */
  bytes: number | null
  /** When it was last restored and compared; null if it never was. */
  verified_at: string | null
}

export type BackupStates = {
  /** Whether the Worker makes backups itself: `BACKUP_RECIPIENT` is not `none`. */
  enabled: boolean
  /** Whether the last complete backup is more than 26 hours old. */
  overdue: boolean
  /** The last complete backup. */
  last_backup: Backup | null
  /** The backup that was last restored and compared. */
  last_verified: Backup | null
  /** The newest 100 backups, newest first. */
  data: Array<Backup>
}

export type CashFlow = {
  /** The first day of the interval between `from` and `to`. */
  start: string
  /** The last day of the interval. */
  end: string
  /** The currency; null if the institution did not report one. */
  currency: string | null
  /** Money in. */
  inflow: Decimal
  /** Money out. */
  outflow: Decimal
  /** Inflow minus outflow. */
  net: Decimal
}

export type CashFlowIntervals = {
  /** The first day, inclusive. */
  from: string
  /** The last day, inclusive. */
  to: string
  /** The sums, in order. */
  data: Array<CashFlow>
}

export type Change = {
  /** The number of the change. A later change has a higher number. Rows of a read from the start have the number of the newest change at its beginning. */
  seq: number
  /** `upsert`: the row is new or changed. `remove`: its list no longer shows it. */
  op: 'upsert'
  /** The id of the row. */
  id: string
  /** The kind of row. */
  kind: 'item'
  /** The item. */
  item: Item
} | {
  /** The number of the change. A later change has a higher number. Rows of a read from the start have the number of the newest change at its beginning. */
  seq: number
  /** `upsert`: the row is new or changed. `remove`: its list no longer shows it. */
  op: 'upsert'
  /** The id of the row. */
  id: string
  /** The kind of row. */
  kind: 'account'
  /** The account. */
  account: Account
} | {
  /** The number of the change. A later change has a higher number. Rows of a read from the start have the number of the newest change at its beginning. */
  seq: number
  /** `upsert`: the row is new or changed. `remove`: its list no longer shows it. */
  op: 'upsert'
  /** The id of the row. */
  id: string
  /** The kind of row. */
  kind: 'holding'
  /** The holding. */
  holding: Holding
} | {
  /** The number of the change. A later change has a higher number. Rows of a read from the start have the number of the newest change at its beginning. */
  seq: number
  /** `upsert`: the row is new or changed. `remove`: its list no longer shows it. */
  op: 'upsert'
  /** The id of the row. */
  id: string
  /** The kind of row. */
  kind: 'liability'
  /** The liability. */
  liability: Liability
} | {
  /** The number of the change. A later change has a higher number. Rows of a read from the start have the number of the newest change at its beginning. */
  seq: number
  /** `upsert`: the row is new or changed. `remove`: its list no longer shows it. */
  op: 'upsert'
  /** The id of the row. */
  id: string
  /** The kind of row. */
  kind: 'recurring_stream'
  /** The stream. */
  recurring_stream: RecurringStream
} | {
  /** The number of the change. A later change has a higher number. Rows of a read from the start have the number of the newest change at its beginning. */
  seq: number
  /** `upsert`: the row is new or changed. `remove`: its list no longer shows it. */
  op: 'upsert'
  /** The id of the row. */
  id: string
  /** The kind of row. */
  kind: 'investment_transaction'
  /** The investment transaction. */
  investment_transaction: InvestmentTransaction
} | {
  /** The number of the change. A later change has a higher number. Rows of a read from the start have the number of the newest change at its beginning. */
  seq: number
  /** `upsert`: the row is new or changed. `remove`: its list no longer shows it. */
  op: 'upsert'
  /** The id of the row. */
  id: string
  /** The kind of row. */
  kind: 'transaction'
  /** The transaction. */
  transaction: Transaction
} | {
  /** The number of the change. A later change has a higher number. Rows of a read from the start have the number of the newest change at its beginning. */
  seq: number
  /** `upsert`: the row is new or changed. `remove`: its list no longer shows it. */
  op: 'remove'
  /** The id of the row. */
  id: string
  /** The kind of row. */
  kind: 'item' | 'account' | 'holding' | 'liability' | 'recurring_stream' | 'investment_transaction' | 'transaction'
}

export type Changes = {
  /** The rows of this page. */
  data: Array<Change>
  /** The `since` of the next request. */
  next_since: string
  /** Whether more can be read now. */
  has_more: boolean
}

export type Consents = {
  /** Raised by each change; 0 before the first. */
  version: number
  /** What is allowed now. */
  purposes: {
    /** Links banks and keeps their data in sync. */
    linking_and_sync: boolean
    /** Computes sums over accounts and transactions. */
    insights: boolean
    /** Sends e-mails about the product. E-mails about security are always sent. */
    product_emails: boolean
    /** Reports errors of this person’s requests to the error monitoring. */
    diagnostics: boolean
  }
  /** The last 100 decisions, newest first. */
  history: Array<Decision>
}

export type ConsentsChange = {
  /** The version that the client has read. */
  version: number
  /** What is allowed from now on; all purposes. */
  purposes: {
    /** Links banks and keeps their data in sync. */
    linking_and_sync: boolean
    /** Computes sums over accounts and transactions. */
    insights: boolean
    /** Sends e-mails about the product. E-mails about security are always sent. */
    product_emails: boolean
    /** Reports errors of this person’s requests to the error monitoring. */
    diagnostics: boolean
  }
}

export type CreatedAdminApiKey = {
  /** The id. */
  id: string
  /** The name. */
  name: string
  /** The first characters of the key. */
  prefix: string
  /** What the key may do. */
  scopes: Array<string>
  /** The networks from which the key may be used; empty for any address. */
  networks: Array<string>
  /** When it was created. */
  created_at: string
  /** When the key expires; null for never. */
  expires_at: string | null
  /** When the key was used last, within a minute; null for never. */
  last_used_at: string | null
  /** When the key was revoked; null for a key that was not. */
  revoked_at: string | null
  /** The application of the key; null for a key of a user. */
  application_id: string | null
  /** The user of the key; null for a key of an application. */
  user_id: string | null
  /** The key. It is shown once and cannot be read again. */
  key: string
}

export type CreatedApiKey = {
  /** The id. */
  id: string
  /** The name. */
  name: string
  /** The first characters of the key. */
  prefix: string
  /** What the key may do. */
  scopes: Array<string>
  /** The networks from which the key may be used; empty for any address. */
  networks: Array<string>
  /** When it was created. */
  created_at: string
  /** When the key expires; null for never. */
  expires_at: string | null
  /** When the key was used last, within a minute; null for never. */
  last_used_at: string | null
  /** When the key was revoked; null for a key that was not. */
  revoked_at: string | null
  /** The key. It is shown once and cannot be read again. */
  key: string
}

export type Crons = {
  /** The rows of this page. */
  data: Array<{
    /** The name of the job. */
    job: string
    /** When it last succeeded; null if it never has. */
    last_success_at: string | null
    /** Runs that succeeded since the metrics exist. */
    succeeded: number
    /** Runs that failed. */
    failed: number
  }>
}

export type DayBalance = {
  /** The day. */
  date: string
  /** Plaid’s current balance, without pending transactions. `depository`: the money in the account; negative when overdrawn. `credit`: the amount owed; negative when the institution owes the user. `loan`: the principal that remains to be paid. `investment`: the value of all assets. Null if the institution does not report it; then `available` is set. */
  current: Decimal | null
  /** The amount that can be withdrawn or spent. `depository`: usually `current` minus pending money out plus pending money in, without the overdraft limit. `credit`: usually `limit` minus `current`, adjusted in the same way. `investment`: the cash that can be withdrawn. Null if the institution does not calculate it. */
  available: Decimal | null
  /** `credit`: the credit limit. `depository`: the agreed overdraft limit. Otherwise null. */
  limit: Decimal | null
  /** The ISO 4217 code, or the unofficial code that the institution uses. */
  currency: string | null
  /** When the institution reported the balances; null if it did not. */
  as_of: string | null
  /** Whether `current` follows from later balances and transactions, because the institution reported none. */
  estimated: boolean
}

export type DayBalanceList = {
  /** The rows of this page. */
  data: Array<DayBalance>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
  /** The first estimated day; null if no day is estimated. */
  estimated_from: string | null
  /** Why earlier days are not estimated. `oldest_transaction`: there are no earlier transactions. `history_incomplete`: Plaid has not sent all of them yet. `currency`: a transaction or a balance has another currency. `balance_mismatch`: the transactions do not explain the next reported balance. `pending_in_doubt`: the reported balance may include pending transactions. `unreadable_transactions`: some could not be read. `no_transactions`: there are none. `no_balance`: the first report has no current balance. `account_type`: accounts of this type are not estimated. Null if no balance was reported. */
  estimate_ends: 'oldest_transaction' | 'history_incomplete' | 'currency' | 'balance_mismatch' | 'pending_in_doubt' | 'unreadable_transactions' | 'no_transactions' | 'no_balance' | 'account_type' | null
}

export type DeadLetter = {
  /** The id. */
  id: string
  /** The queue that gave the message up. */
  queue: string
  /** The id of the queue message. */
  message_id: string
  /** The id of the product of the item. */
  item_product_id: string | null
  /** Why the message failed. */
  reason: string
  /** When it was created. */
  created_at: string
  /** When the message was replayed last, or null. */
  replayed_at: string | null
  /** How often the message was replayed. */
  replays: number
}

export type DeadLetterList = {
  /** The rows of this page. */
  data: Array<DeadLetter>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

/** An exact decimal number, without exponent or padding. */
export type Decimal = string

export type Decision = {
  /** The version of the decisions. */
  version: number
  /** What is allowed. */
  purposes: {
    /** Links banks and keeps their data in sync. */
    linking_and_sync: boolean
    /** Computes sums over accounts and transactions. */
    insights: boolean
    /** Sends e-mails about the product. E-mails about security are always sent. */
    product_emails: boolean
    /** Reports errors of this person’s requests to the error monitoring. */
    diagnostics: boolean
  }
  /** When the person decided. */
  decided_at: string
}

export type DeploymentStatus = {
  /** Whether changes are paused while an incident is handled. They then get 503 `frozen`. */
  read_only: boolean
}

export type Duplicate = {
  /** An account of the item. It does not count in sums while the other account counts. */
  account_id: string
  /** The account that counts. */
  duplicate_of: string
  /** `possible`: the user has to decide. `same`: another item reports the same account. */
  state: 'possible' | 'same'
}

/** Exactly one of the two fields. */
export type DuplicateDecision = {
  /** The target account: `duplicate_of`, or another account of the user. */
  merge_into?: string | undefined
  /** Keeps both accounts. The account counts in sums from now on. */
  keep?: true | undefined
}

export type DuplicateList = {
  /** The rows of this page. */
  data: Array<Duplicate>
}

export type Empty = Record<string, never>

export type EncryptionKeys = {
  /** The id of the key that encrypts. */
  current_key_id: string
  /** The keys, by id. */
  keys: Array<{
    /** The id of the key. */
    id: string
    /** Whether the Worker can decrypt what the key encrypted: it is configured and not below `ENCRYPTION_MIN_KEY_ID`. */
    readable: boolean
    /** Place of the database → how many of its secrets the key encrypted. */
    values: Record<string, number>
  }>
  /** The secrets that a key other than the current one encrypted. */
  remaining: number
}

export type Erasure = {
  /** The reference of the erasure. With it, the certificate can be read without a token. */
  id: string
  /** `erasing` while it continues in the background. */
  status: 'erasing' | 'erased'
  /** When the user requested it. */
  requested_at: string
  /** When everything was deleted; null until then. */
  completed_at: string | null
  /** The signed certificate, a JWS in compact form; null until it is complete. */
  certificate: string | null
}

export type ExchangeRequest = {
  /** The public token that Link returned. */
  public_token: string
  /** The link token of the session. Required in staging and production. */
  link_token?: string | undefined
  /** The institution from the metadata of Link. */
  institution?: {
    /** Plaid’s id of the institution. */
    institution_id?: string | null | undefined
    /** The name. */
    name?: string | null | undefined
  } | null | undefined
  /** The accounts from the metadata of Link. */
  accounts?: Array<{
    /** The name. */
    name?: string | null | undefined
    /** The last digits of the account number. */
    mask?: string | null | undefined
    /** Plaid’s subtype. */
    subtype?: string | null | undefined
  }> | null | undefined
  /** Links an institution that is linked already. The deployment must allow it (`ALLOW_DUPLICATE_ITEMS`). */
  allow_duplicate?: boolean | undefined
}

export type FoundId = {
  /** What the id names, or what names it: a run by Plaid’s request id, and so on. */
  kind: 'item' | 'item_product' | 'account' | 'transaction' | 'investment_transaction' | 'link_session' | 'exchange' | 'removal' | 'sync_run' | 'webhook' | 'dead_letter' | 'delivery' | 'audit_row' | 'user'
  /** Our id of it. */
  id: string
  /** The item that it belongs to; null for none. */
  item_id: string | null
  /** The user that it belongs to; null for none. */
  user_id: string | null
  /** When it was created, received or started; null if that is not stored. */
  at: string | null
  /** The path of the route that shows it; null if none does. */
  see: string | null
}

export type FoundIds = {
  /** The rows of this page. */
  data: Array<FoundId>
}

export type Freeze = {
  /** The state of the freeze. */
  state: 'off' | 'recovery' | 'frozen' | 'locked'
  /** When the state changed; null if it is unknown. */
  changed_at: string | null
}

export type Health = {
  /** The status. */
  status: 'ok'
}

export type Holding = {
  /** The id. */
  id: string
  /** The id of the account. */
  account_id: string
  /** The security. */
  security: Security
  /** The number of units. */
  quantity: Decimal
  /** The price of a unit; null if the institution does not report it. */
  institution_price: Decimal | null
  /** The day of the price. */
  institution_price_as_of: string | null
  /** The value of the holding by the price of the institution. */
  institution_value: Decimal
  /** What the user paid for all units of the holding, usually with fees, as the institution reports it: for the whole position, not for a unit. Null if it is unknown. */
  cost_basis: Decimal | null
  /** The ISO 4217 code, or the unofficial code that the institution uses. */
  currency: string | null
}

export type HoldingList = {
  /** The rows of this page. */
  data: Array<Holding>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type InvestmentTransaction = {
  /** The id. */
  id: string
  /** Plaid’s id of the investment transaction. */
  plaid_investment_transaction_id: string
  /** The id of the account. */
  account_id: string
  /** The security. */
  security: Security | null
  /** The day. */
  date: string
  /** The name. */
  name: string
  /** The number of units. */
  quantity: Decimal
  /** Positive amounts are money out. */
  amount: Decimal
  /** The price of a unit; null if the institution does not report it. */
  price: Decimal | null
  /** The fees of the transaction. */
  fees: Decimal | null
  /** Plaid’s type. */
  type: string
  /** Plaid’s subtype. */
  subtype: string
  /** The ISO 4217 code, or the unofficial code that the institution uses. */
  currency: string | null
}

export type InvestmentTransactionList = {
  /** The rows of this page. */
  data: Array<InvestmentTransaction>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type Item = {
  /** The id. */
  id: string
  /** Plaid’s id of the item. */
  plaid_item_id: string
  /** The institution of the item. */
  institution: {
    /** Plaid’s id of the institution. */
    id: string | null
    /** The name. */
    name: string | null
  }
  /** The status. */
  status: 'initializing' | 'healthy' | 'needs_update' | 'pending_disconnect' | 'pending_expiration' | 'bank_action_required' | 'institution_down' | 'revoked' | 'relink_required' | 'removed'
  /** Plaid’s error code behind the status, or null. */
  status_reason: string | null
  /** What the user has to do, or null. `update`, `give_consent`: open Link with this `item_id`, then call `/repaired`. `add_accounts`: the same with `account_selection`. `contact_bank`: resolve the problem at the institution. `relink`: link the institution again. */
  action_required: 'update' | 'give_consent' | 'add_accounts' | 'contact_bank' | 'relink' | null
  /** Whether an account of the item may duplicate another account of the user (see `/plaid/items/{id}/duplicates`). */
  possible_duplicate: boolean
  /** The state of each product. */
  products: Array<{
    /** The product: `item`, `balances`, `transactions` and so on. */
    product: string
    /** `pending`, `ok`, `error`, `consent_needed`, or `absent`: Plaid does not offer the product for this item; it is requested again about once a week. */
    status: string
    /** When the product was read last. */
    last_synced_at: string | null
    /** The newest error of the product, or null. */
    last_error: string | null
  }>
  /** When Plaid last updated the transactions of the item. */
  last_successful_update: string | null
  /** When the consent of the user expires. */
  consent_expires_at: string | null
  /** When the connection ends unless the user logs in again. */
  disconnect_at: string | null
  /** When the item and its data are removed unless the user links the institution again; null otherwise. */
  removal_at: string | null
  /** When it was created. */
  created_at: string
}

export type ItemList = {
  /** The rows of this page. */
  data: Array<Item>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type LeftOutAccount = {
  /** The id of the account. */
  account_id: string
  /** `no_balance`: the institution reported no balance. */
  reason: 'no_balance'
}

export type Liability = {
  /** The id. */
  id: string
  /** The id of the account. */
  account_id: string
  /** The kind of the liability. */
  kind: 'credit' | 'mortgage' | 'student'
  /** Plaid’s object of that kind. Every number in it is an exact decimal string. */
  details: Record<string, unknown>
}

export type LiabilityList = {
  /** The rows of this page. */
  data: Array<Liability>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type LinkToken = {
  /** The token to open Link with. */
  link_token: string
  /** When the link token expires. */
  expiration: string
  /** The page of the hosted session. Present only with `hosted`. */
  hosted_link_url?: string | undefined
}

export type LinkTokenRequest = {
  /** Opens Link in update mode for this item. */
  item_id?: string | undefined
  /** An https URL that is registered at Plaid, without a query. Not for Android. */
  redirect_uri?: string | undefined
  /** For Link on Android, instead of `redirect_uri`: a package that the deployment lists. */
  android_package_name?: string | undefined
  /** Products that the institution must support. In update mode: products to request consent for, in addition to those that lack it. */
  products?: Array<'transactions' | 'investments' | 'liabilities'> | undefined
  /** Creates a Hosted Link session: Link runs on a page of Plaid. */
  hosted?: boolean | undefined
  /** Options of a Hosted Link session. Needs `hosted`. */
  hosted_link?: {
    /** Where Plaid redirects the user at the end: a URL that the deployment lists. */
    completion_redirect_uri?: string | undefined
    /** Whether a mobile app opens the page in a secure browser window. */
    is_mobile_app?: boolean | undefined
    /** How long the page can be opened, in seconds. The default is 1800. */
    url_lifetime_seconds?: number | undefined
  } | undefined
  /** In update mode: lets the user select accounts again. */
  account_selection?: boolean | undefined
  /** The language of Link (ISO 639-1). */
  language?: string | undefined
  /** The countries whose institutions Link offers (ISO 3166-1 alpha-2). */
  country_codes?: Array<string> | undefined
}

export type LiveTicket = {
  /** The `ticket` of `GET /live`. It works once. */
  ticket: string
  /** When the ticket expires. */
  expires_at: string
}

export type MailSent = {
  /** The status. */
  status: 'mail_sent'
}

export type NetWorth = {
  /** The day. */
  date: string
  /** The currency; null if the institution did not report one. */
  currency: string | null
  /** Whether a balance of the day is estimated, because the institution had not reported one by then. */
  estimated: boolean
  /** How many accounts of this currency count on the day. An account counts from its first balance or estimate until it closes. */
  accounts: number
  /** The sum of all assets. */
  assets: Decimal
  /** The sum of all liabilities. Positive amounts are owed. */
  liabilities: Decimal
  /** Assets minus liabilities. */
  net: Decimal
}

export type NetWorthDays = {
  /** The first day, inclusive. */
  from: string
  /** The last day, inclusive. */
  to: string
  /** The sums, in order. */
  data: Array<NetWorth>
  /** Open accounts that count on none of the days. */
  left_out: Array<LeftOutAccount>
}

/** An OpenAPI 3.1 document. */
export type OpenApi = Record<string, unknown>

export type OpenExchange = {
  /** The id of the exchange, which becomes the id of the item. */
  id: string
  /** The user who linked the item. */
  user_id: string
  /** `started`: Plaid was called, and its response is not known. `exchanged`: the access token is stored, the item is not yet. */
  state: 'started' | 'exchanged'
  /** Plaid’s id of the item; null until it is known. */
  plaid_item_id: string | null
  /** Attempts of the reconciler. */
  attempts: number
  /** Why the last attempt failed: Plaid’s error code, or one of this API; null for none. */
  last_error: string | null
  /** When the exchange began. */
  created_at: string
  /** When the reconciler tries again. */
  next_attempt_at: string
}

export type OpenExchangeList = {
  /** The rows of this page. */
  data: Array<OpenExchange>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type Orphans = {
  /** What happens to an orphan: the stricter of the variable and the switch. */
  mode: 'off' | 'report' | 'end'
  /** `ORPHAN_REMOVAL`. */
  variable: 'off' | 'report' | 'end'
  /** The switch in the database. */
  switch: 'off' | 'report' | 'end'
  /** When the switch was changed; null if it is missing. */
  switch_changed_at: string | null
  /** How many orphans are removed on a UTC day at most: `ORPHAN_REMOVALS_PER_DAY`. */
  per_day: number
  /** How many removals began today. */
  removed_today: number
  /** When the day of the limit ends. */
  resets_at: string
  /** Orphans in the queue, counted up to 10,000. */
  waiting: number
  /** Of these, how many are not touched yet, because their link may not be finished. */
  too_new: number
  /** Since when the oldest one waits; null without orphans. */
  oldest_at: string | null
  /** Users whose items at Plaid were not compared with the stored ones for a day, counted up to 10,000. */
  unchecked_users: number
}

export type OwnApiKeyRequest = {
  /** A name, by which people recognize the key. */
  name: string
  /** The networks from which the key may be used (CIDR). Empty for any address. */
  networks?: Array<string> | undefined
  /** What the key may do. */
  scopes: Array<'read' | 'write' | 'link'>
  /** The life of the key in days. The default is 90. */
  expires_in_days?: number | undefined
}

export type PlaidLimit = {
  /** The name of the limit, as in `PLAID_LIMITS`. */
  limit: string
  /** Whether the object that counts the limit responded. If not, what is used is not known. */
  responded: boolean
  /** All calls of this Plaid client. */
  client: {
    /** Calls of the client in a minute; background calls use at most 80 % of them. */
    most: number
    /** Those that count now, or an upper bound; null if that is not known. */
    used: number | null
    /** When the oldest of these calls no longer counts; null for none. */
    frees_at: string | null
  }
  /** Calls of each item. */
  item: {
    /** Calls of one item in a minute. */
    most: number
    /** The ten items with the most calls now. */
    busiest: Array<{
      /** The id of the item. */
      item_id: string
      /** Calls that count now; an upper bound after the object that counts was evicted. */
      used: number
      /** When the oldest of these calls no longer counts; null for none. */
      frees_at: string | null
    }>
  }
  /** Only of endpoints that Plaid bills for each call. */
  day: {
    /** Billed calls of an item and endpoint on a UTC day; this deployment’s own limit. */
    most: number
    /** When the day ends. */
    resets_at: string
    /** The ten items with the most billed calls today. */
    busiest: Array<{
      /** The endpoint of Plaid. */
      endpoint: string
      /** The id of the item. */
      item_id: string
      /** The number of calls. */
      calls: number
    }>
  } | null
  /** What Plaid refused with 429, and until when. */
  refused: Array<{
    /** The endpoint of Plaid. */
    endpoint: string
    /** The item; null if no item may be read. */
    item_id: string | null
    /** No call is made before. */
    until: string
  }>
}

export type PlaidUsage = {
  /** The first day, inclusive. */
  from: string
  /** The last day, inclusive. */
  to: string
  /** The counts, in order. */
  data: Array<{
    /** The day (UTC). */
    day: string
    /** The endpoint of Plaid. */
    endpoint: string
    /** `ok`, or the error code. */
    outcome: string
    /** The number of calls. */
    calls: number
    /** The estimated cost by `PLAID_PRICES`; null without a price. */
    cost: Decimal | null
  }>
  /** The number of calls. */
  calls: number
  /** The estimated cost of all calls. */
  cost: Decimal
}

/** RFC 9457 problem details. */
export type Problem = {
  /** A URI reference that is stable for each code. */
  type: string
  /** The title of the code. */
  title: string
  /** The HTTP status. */
  status: number
  /** What is wrong, in one sentence. */
  detail: string
  /** The request: `urn:uuid:` and its `X-Request-Id`. */
  instance: string
  /** A stable code of the error. */
  code: 'bad_request' | 'validation_failed' | 'user_required' | 'invalid_token' | 'invalid_cursor' | 'public_token_refused' | 'link_token_refused' | 'unauthorized' | 'invalid_credentials' | 'totp_required' | 'invalid_code' | 'webhook_refused' | 'forbidden' | 'https_required' | 'refresh_off' | 'purpose_not_allowed' | 'not_found' | 'method_not_allowed' | 'duplicate_item' | 'too_many_items' | 'idempotency_key_in_use' | 'conflict' | 'feed_expired' | 'payload_too_large' | 'unsupported_media_type' | 'item_needs_attention' | 'idempotency_key_reused' | 'rate_limited' | 'too_many_refreshes' | 'too_many_links' | 'internal' | 'misconfigured' | 'token_undecryptable' | 'plaid_rejected' | 'webhook_unverified' | 'frozen' | 'plaid_unavailable' | 'unavailable'
  /** The fields that are wrong, at most 20. */
  errors?: Array<{
    /** The field in the body: a JSON pointer as a URI fragment. */
    pointer?: string | undefined
    /** The parameter in the path, the query or the headers. */
    parameter?: string | undefined
    /** What is wrong, in one sentence. */
    detail: string
  }> | undefined
  [name: string]: unknown
}

export type Queued = {
  /** The number of products whose sync was scheduled. */
  queued: number
}

export type Quota = {
  /** Plaid’s limits; null where they are not counted, because `PLAID_QUOTA` is not bound. */
  plaid: Array<PlaidLimit> | null
  /** The limits of requests to this API; null with `RATE_LIMIT_ENABLED=false`. */
  requests: Array<RequestLimit> | null
  /** Null without built-in accounts or without limits. */
  password_hashes: {
    /** Password checks of unknown clients in a minute: `AUTH_HASHES_PER_MINUTE`. */
    most: number
    /** Those of the last minute; null if that is not known. */
    used: number | null
  } | null
  /** How much one user may link. */
  links: {
    /** `MAX_ITEMS_PER_USER`. */
    items_per_user: number
    /** `MAX_LINKS_PER_DAY`, of each user. */
    links_per_day: number
  }
}

export type Ready = {
  /** The status. */
  status: 'ready'
  /** Whether an operator has frozen the deployment. */
  frozen: boolean
  /** The version of the Worker at Cloudflare; absent on a development machine. */
  version?: string | undefined
  /** The result of each check. */
  checks: {
    /** The login that serves users. */
    api_database: 'ok' | 'failed'
    /** The login that serves the queue and the crons. */
    jobs_database: 'ok' | 'failed'
    /** The login that serves built-in accounts. Present only with built-in accounts. */
    identity_database?: 'ok' | 'failed' | undefined
    /** The login that reads the daily backup; absent where the Worker makes none. */
    backup_database?: 'ok' | 'failed' | undefined
    /** The keys that encrypt stored secrets: they work, and every stored secret has its key. */
    encryption_key: 'ok' | 'failed'
  }
}

export type Rechecked = {
  /** Whether the item exists at Plaid. */
  known: boolean
  /** The number of products whose sync was scheduled. */
  queued: number
}

export type RecoveryCodes = {
  /** Each code works once in place of a code from the app. */
  recovery_codes: Array<string>
}

export type RecurringStream = {
  /** The id. */
  id: string
  /** Plaid’s id of the stream. */
  plaid_stream_id: string
  /** The id of the account. */
  account_id: string
  /** Whether money comes in or goes out. */
  direction: 'inflow' | 'outflow'
  /** The description of the stream. */
  description: string
  /** The name of the merchant. */
  merchant_name: string | null
  /** Plaid’s category. */
  category: {
    /** The primary category. */
    primary: string | null
    /** The detailed category. */
    detailed: string | null
  }
  /** The day of the first transaction. */
  first_date: string
  /** The day of the newest transaction. */
  last_date: string
  /** The day on which Plaid expects the next transaction. */
  predicted_next_date: string | null
  /** Plaid’s frequency: `WEEKLY`, `MONTHLY` and so on. */
  frequency: string
  /** The average amount. Positive amounts are money out. */
  average_amount: Decimal | null
  /** The amount of the newest transaction. Positive amounts are money out. */
  last_amount: Decimal | null
  /** The ISO 4217 code, or the unofficial code that the institution uses. */
  currency: string | null
  /** Whether Plaid expects more transactions of the stream. */
  active: boolean
  /** Plaid’s status: `MATURE`, `EARLY_DETECTION`, `TOMBSTONED` and so on. */
  status: string
  /** The ids of the stored transactions of the stream, oldest first. */
  transaction_ids: Array<string>
  /** Plaid’s ids of all transactions of the stream. */
  plaid_transaction_ids: Array<string>
}

export type RecurringStreamList = {
  /** The rows of this page. */
  data: Array<RecurringStream>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type Refresh = {
  /** The products that Plaid reads now. */
  products: Array<'transactions' | 'investments'>
}

export type ReplayedDeliveries = {
  /** How many deliveries are attempted again. Repeat the request until it is 0. */
  replayed: number
}

export type RequestLimit = {
  /** The name of the limit, as in `RATE_LIMITS` and in `RateLimit-Policy`. */
  policy: string
  /** Requests of one user, address or key in the window. */
  most: number
  /** The length of the window. */
  window_seconds: number
  /** Requests that it refused in the last hour, of all users and addresses; null if that is not known. */
  refused_hour: number | null
}

export type RetentionPlan = {
  /** The classes of data that are deleted after a time. */
  data: Array<{
    /** The class of data. */
    name: string
    /** The tables that hold the class. */
    tables: Array<string>
    /** How long rows are kept; null where each row names its own time. */
    days: number | null
    /** Rows from before this time are deleted. */
    before: string | null
    /** Rows that would be deleted; counted up to 1000000. */
    due: number
  }>
}

export type RetentionRun = {
  /** How many rows of each class were deleted. */
  purged: Record<string, number>
  /** Whether nothing that was due is left. If not, repeat the request. */
  done: boolean
}

export type Rule = {
  /** The id. */
  id: string
  /** Text in the name or the merchant of the transaction; null for any. */
  contains: string | null
  /** The least amount, inclusive; positive is money out. Null for any. */
  min_amount: Decimal | null
  /** The greatest amount, inclusive. Null for any. */
  max_amount: Decimal | null
  /** The account; null for any. */
  account_id: string | null
  /** The category that the rule gives; null for none. */
  user_category: string | null
  /** Whether the rule hides transactions from sums. */
  hidden: boolean
  /** When it was created. */
  created_at: string
}

/** All given conditions must match. An absent field is null, or false. */
export type RuleContent = {
  /** Text in the name or the merchant; null for any. */
  contains?: string | null | undefined
  /** The least amount, inclusive; positive is money out. Null for any. */
  min_amount?: string | null | undefined
  /** The greatest amount, inclusive; null for any. */
  max_amount?: string | null | undefined
  /** An account of the user; null for any. */
  account_id?: string | null | undefined
  /** The category that the rule gives; null for none. */
  user_category?: string | null | undefined
  /** Whether the rule hides transactions from sums. */
  hidden?: boolean | undefined
}

export type RulePreview = {
  /** The transactions that were compared with the rule: the newest, at most 20000. */
  checked: number
  /** Those that match its conditions. */
  matched: number
  /** Those of them whose value the user set; the rule does not change it. */
  kept: number
  /** Those of them that the rule would change, with all other rules in their place. */
  changed: number
  /** The newest 50 of the changed ones. */
  data: Array<{
    /** The id. */
    id: string
    /** The day. */
    date: string
    /** The name. */
    name: string
    /** The category that the user set, or a rule gave. */
    user_category: string | null
    /** Whether the transaction is left out of sums: the user or a rule hid it. */
    hidden: boolean
    /** The category that it would have. */
    new_user_category: string | null
    /** Whether it would be hidden. */
    new_hidden: boolean
  }>
}

export type Rules = {
  /** The rules in their order: the first one that matches counts. */
  data: Array<Rule>
}

export type Security = {
  /** The id. */
  id: string
  /** Plaid’s id of the security. */
  plaid_security_id: string
  /** The name. */
  name: string | null
  /** The ticker symbol. */
  ticker_symbol: string | null
  /** Plaid’s type. */
  type: string | null
  /** Whether the security is treated like cash. */
  is_cash_equivalent: boolean | null
  /** The closing price of the security. */
  close_price: Decimal | null
  /** The day of the closing price. */
  close_price_as_of: string | null
}

export type Session = {
  /** The access token. Send it as `Authorization: Bearer …`. */
  access_token: string
  /** The type of the access token. */
  token_type: 'Bearer'
  /** Seconds until the access token expires. */
  expires_in: number
  /** The refresh token. Works once. Absent with `transport: "cookie"`. */
  refresh_token?: string | undefined
  /** Identifies this device. Send it with the next sign-in. Absent with `transport: "cookie"`. */
  device_token?: string | undefined
}

export type SessionList = {
  /** The rows of this page. */
  data: Array<SignedInSession>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type SetAsideRow = {
  /** The id. */
  id: string
  /** The id of the user. */
  user_id: string
  /** The id of the item. */
  item_id: string
  /** The product: `item`, `balances`, `transactions` and so on. */
  product: string
  /** The kind of the row: `transaction`, `holding`, `account` and so on. */
  kind: string
  /** Plaid’s id of the row; a digest of the row if the id cannot be read. */
  row_key: string
  /** Plaid’s id of the account. */
  plaid_account_id: string | null
  /** The fields that are wrong, each with the kind of problem. */
  problems: Array<string>
  /** The sync run that read the row last. */
  run_id: string
  /** When the row was set aside. */
  first_seen_at: string
  /** When the row was read last. */
  last_seen_at: string
}

export type SetAsideRowList = {
  /** The rows of this page. */
  data: Array<SetAsideRow>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type SignedInSession = {
  /** The id. */
  id: string
  /** Whether this session sent the request. */
  current: boolean
  /** `full`, or `read` for a session that cannot change anything. */
  scope: string
  /** When it was created. */
  created_at: string
  /** When the session was refreshed last. */
  last_used_at: string
  /** When the session ends unless it is used. */
  expires_at: string
}

export type Spending = {
  /** The currency; null if the institution did not report one. */
  currency: string | null
  /** The category of the user, otherwise Plaid’s primary category. */
  category: string | null
  /** Money out. */
  total: Decimal
  /** Money in, such as refunds. */
  returned: Decimal
  /** The number of transactions in the total. */
  count: number
}

export type SpendingCategories = {
  /** The first day, inclusive. */
  from: string
  /** The last day, inclusive. */
  to: string
  /** The sums, in order. */
  data: Array<Spending>
}

export type SyncRun = {
  /** The id. */
  id: string
  /** The id of the item. */
  item_id: string
  /** The product: `item`, `balances`, `transactions` and so on. */
  product: string
  /** What started the run. */
  trigger: string
  /** `committed`, `failed`, `waiting`, `absent` or `consent_needed`. */
  outcome: string
  /** The code of the error, or null. */
  error_code: string | null
  /** The pages that were read. */
  pages: number
  /** How often reading started again. */
  restarts: number
  /** The rows that were written. */
  upserted: number
  /** The rows that were removed. */
  removed: number
  /** Rows of the product that could not be read and wait for another attempt. */
  set_aside: number
  /** When the run started. */
  started_at: string
  /** When the run finished. */
  finished_at: string
}

export type SyncRunList = {
  /** The rows of this page. */
  data: Array<SyncRun>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type TimelineEntry = {
  /** The id of the webhook, the run, the change, the audit row, the session, the exchange, the removal or the letter. */
  id: string
  /** `webhook`: received from Plaid. `sync_run`: an attempt to read a product. `status`: the status of the item or its reason changed; the last 50 changes. `change`: a row of the audit trail. `link_session`: Link in update mode. `exchange`: of a public token. `removal`: waits to be removed at Plaid. `dead_letter`: a queue message that could not be processed. */
  kind: 'webhook' | 'sync_run' | 'status' | 'change' | 'link_session' | 'exchange' | 'removal' | 'dead_letter'
  /** When it was received, started or created. */
  at: string
  /** The type and code of the webhook, the outcome, the new status, the action, the state or the reason. */
  what: string
  /** The product of a run or of a dead letter; null otherwise. */
  product: string | null
  /** The error that a webhook reports, a run ended with or a status has as its reason; null for none. */
  error_code: string | null
  /** Plaid’s request ids of a run, or of what changed a status, for Plaid’s support. */
  plaid_request_ids: Array<string>
  /** The request that made a change; null for other kinds. */
  request_id: string | null
  /** The stored row without tokens. Of a webhook, only members that are codes, ids, counts, flags or times. */
  raw: Record<string, unknown>
}

export type TimelineEntryList = {
  /** The rows of this page. */
  data: Array<TimelineEntry>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type Token = {
  /** The access token. Send it as `Authorization: Bearer …`. */
  access_token: string
  /** The type of the access token. */
  token_type: 'Bearer'
  /** Seconds until the token expires. */
  expires_in: number
  /** The scopes of the token, separated by spaces. */
  scope: string
}

export type TokenRequest = {
  /** What the token may do. By default, what the key may do for a user. */
  scopes?: Array<'read' | 'write' | 'link'> | undefined
  /** Seconds until the token expires. The default is 900. */
  expires_in?: number | undefined
}

export type TotpSecret = {
  /** The secret in base32, to type into the app. */
  secret: string
  /** The secret as a URI, to show as a QR code. */
  otpauth_uri: string
}

export type Transaction = {
  /** The id. */
  id: string
  /** Plaid’s id of the transaction. */
  plaid_transaction_id: string
  /** The id of the account. */
  account_id: string
  /** The day. */
  date: string
  /** The day on which the transaction was authorized. */
  authorized_date: string | null
  /** Positive amounts are money out. */
  amount: Decimal
  /** The ISO 4217 code, or the unofficial code that the institution uses. */
  currency: string | null
  /** The name. */
  name: string
  /** The merchant, as Plaid identified it. */
  merchant: {
    /** The name. */
    name: string | null
    /** The logo of the merchant. */
    logo_url: string | null
    /** The website of the merchant. */
    website: string | null
  }
  /** Plaid’s category. */
  category: {
    /** The primary category. */
    primary: string | null
    /** The detailed category. */
    detailed: string | null
    /** How confident Plaid is in the category. */
    confidence: string | null
    /** The version of Plaid’s taxonomy: `v1` or `v2`. */
    version: string | null
  }
  /** Whether the transaction has not posted yet. */
  pending: boolean
  /** `online`, `in store` or `other`. */
  payment_channel: string | null
  /** The note of the user. */
  note: string | null
  /** The category that the user set, or a rule gave. */
  user_category: string | null
  /** Whether the transaction is left out of sums: the user or a rule hid it. */
  hidden: boolean
  /** The rule that gave `user_category`; null if the user did, or if there is none. */
  category_rule_id: string | null
  /** The rule that hid the transaction; null if the user did, or if it is shown. */
  hidden_rule_id: string | null
}

export type TransactionChange = {
  /** The number of the change. A later change has a higher number. */
  seq: number
  /** `upsert`: the transaction is new or changed. `remove`: it no longer exists or is hidden. */
  op: 'upsert'
  /** The transaction; only its id with `remove`. */
  transaction: Transaction
} | {
  /** The number of the change. A later change has a higher number. */
  seq: number
  /** `upsert`: the transaction is new or changed. `remove`: it no longer exists or is hidden. */
  op: 'remove'
  /** The transaction; only its id with `remove`. */
  transaction: {
    /** The id. */
    id: string
  }
  /** True if the transaction was deleted here because of its age. The bank has not removed it. */
  expired: boolean
}

export type TransactionChanges = {
  /** The rows of this page. */
  data: Array<TransactionChange>
  /** The `since` of the next request. Negative while a read that started at 0 is among numbers whose removals are no longer listed. */
  next_since: number
  /** Whether more changes can be read now. */
  has_more: boolean
}

/** An absent field stays as it is; null clears it. */
export type TransactionEdits = {
  /** The note of the user. */
  note?: string | null | undefined
  /** The category that the user set, or a rule gave. */
  user_category?: string | null | undefined
  /** Whether the transaction is left out of sums: the user or a rule hid it. */
  hidden?: boolean | undefined
}

export type TransactionList = {
  /** The rows of this page. */
  data: Array<Transaction>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type VerifiedBackup = {
  /** The id of the backup. */
  id: string
  /** Always true. */
  verified: true
}

export type WaitingRemoval = {
  /** The id of the removal. */
  id: string
  /** The user whose item it is; of an orphan, the user for whom Plaid lists it. */
  user_id: string
  /** Our id of the item; null if none was stored. */
  item_id: string | null
  /** Plaid’s id of the item, which is billed until Plaid confirms its removal. */
  plaid_item_id: string
  /** Why it is removed. */
  reason: string
  /** Attempts of the reconciler. */
  attempts: number
  /** Why the last attempt failed: Plaid’s error code, or one of this API; null for none. */
  last_error: string | null
  /** Since when it waits. */
  created_at: string
  /** When the reconciler tries again. */
  next_attempt_at: string
}

export type WaitingRemovalList = {
  /** The rows of this page. */
  data: Array<WaitingRemoval>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type WebhookDelivery = {
  /** The id. */
  id: string
  /** The id of the event, as in the header `webhook-id`. */
  event_id: string
  /** The endpoint that the event was sent to. */
  endpoint_id: string
  /** The user that the event is about; null for none. */
  user_id: string | null
  /** The item that the event is about; null for none. */
  item_id: string | null
  /** The type of the event. */
  type: string
  /** `pending`: waits for its next attempt. `delivered`: the endpoint returned 2xx. `failed`: not attempted again, unless it is replayed. */
  state: 'pending' | 'delivered' | 'failed'
  /** The number of attempts. */
  attempts: number
  /** The latest 20 attempts, oldest first. They are kept as long as the delivery. */
  history: Array<{
    /** When the attempt ended. */
    at: string
    /** The HTTP status of the response; null without one. */
    status: number | null
    /** How long it took, in milliseconds. */
    duration_ms: number
    /** Why it failed: `status`, `timeout`, `no_response` or `malformed`; null otherwise. */
    error: string | null
  }>
  /** When it is attempted next; null unless it is pending. */
  next_attempt_at: string | null
  /** When it was last attempted. */
  last_attempt_at: string | null
  /** The HTTP status of the last attempt; null without a response. */
  last_status: number | null
  /** How long the last attempt took, in milliseconds. */
  last_duration_ms: number | null
  /** Why the last attempt failed: `status`, `timeout`, `no_response`, `malformed` or `endpoint_disabled`; null otherwise. */
  last_error: string | null
  /** When the event happened. */
  created_at: string
}

export type WebhookDeliveryList = {
  /** The rows of this page. */
  data: Array<WebhookDelivery>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type WebhookEndpoint = {
  /** The id. */
  id: string
  /** The URL that gets the requests. */
  url: string
  /** The types of events that the endpoint gets; null for all. */
  events: Array<'transactions.changed' | 'accounts.changed' | 'holdings.changed' | 'investment_transactions.changed' | 'liabilities.changed' | 'recurring.changed' | 'item.linked' | 'item.status_changed' | 'item.new_accounts' | 'item.removed' | 'sync.failed' | 'user.erased'> | null
  /** `unverified`: the endpoint has not answered the challenge and gets no events. `enabled`. `disabled`: it gets nothing until it is enabled again. */
  state: 'unverified' | 'enabled' | 'disabled'
  /** Why it is disabled. `requested`: by a request. `gone`: it returned 410. `failing`: it failed for three days. `behind`: it failed, and too many events were waiting. `unsafe`: its host name leads to a private network. `no_key`: the application that owns it has no valid API key. */
  disabled_reason: 'requested' | 'gone' | 'failing' | 'behind' | 'unsafe' | 'no_key' | null
  /** Since when every delivery failed; null after a success. */
  failing_since: string | null
  /** Until when the secret before the last rotation also signs; null without one. */
  previous_secret_until: string | null
  /** When the endpoint was created. */
  created_at: string
}

export type WebhookEndpointList = {
  /** The rows of this page. */
  data: Array<WebhookEndpoint>
  /** The `cursor` of the next page; null on the last page. */
  next_cursor: string | null
}

export type WebhookEndpointWithSecret = {
  /** The id. */
  id: string
  /** The URL that gets the requests. */
  url: string
  /** The types of events that the endpoint gets; null for all. */
  events: Array<'transactions.changed' | 'accounts.changed' | 'holdings.changed' | 'investment_transactions.changed' | 'liabilities.changed' | 'recurring.changed' | 'item.linked' | 'item.status_changed' | 'item.new_accounts' | 'item.removed' | 'sync.failed' | 'user.erased'> | null
  /** `unverified`: the endpoint has not answered the challenge and gets no events. `enabled`. `disabled`: it gets nothing until it is enabled again. */
  state: 'unverified' | 'enabled' | 'disabled'
  /** Why it is disabled. `requested`: by a request. `gone`: it returned 410. `failing`: it failed for three days. `behind`: it failed, and too many events were waiting. `unsafe`: its host name leads to a private network. `no_key`: the application that owns it has no valid API key. */
  disabled_reason: 'requested' | 'gone' | 'failing' | 'behind' | 'unsafe' | 'no_key' | null
  /** Since when every delivery failed; null after a success. */
  failing_since: string | null
  /** Until when the secret before the last rotation also signs; null without one. */
  previous_secret_until: string | null
  /** When the endpoint was created. */
  created_at: string
  /** The secret that signs deliveries, `whsec_…`. It is shown this once. */
  secret: string
}

export type WebhookRefusals = {
  /** Reasons with at least one refusal, the newest first. */
  data: Array<{
    /** Why. `over_limit`: too many webhooks of the address failed or were copies. */
    reason: string
    /** In the last hour. */
    last_hour: number
    /** In the last 24 hours. */
    last_day: number
    /** Since the metrics exist. */
    total: number
    /** The last one. */
    last_at: string
  }>
  /** The last 100 minutes and reasons of the last 24 hours, newest first. */
  latest: Array<{
    /** The start of the minute. */
    minute: string
    /** Why. */
    reason: string
    /** How many in this minute. */
    count: number
  }>
}

/** Transactions changed */
export type TransactionsChangedEvent = {
  /** The type of the event. */
  type: 'transactions.changed'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
    /** The id of the item; null where deleted transactions were removed from the feed. */
    item: string | null
    /** A copy that has read up to this number lacks the changes. */
    since: number
    /** A copy that has read up to this number has the changes. */
    next_since: number
    /** How many transactions are new or differ. */
    upserted: number
    /** How many transactions are gone. */
    removed: number
  }
}

/** Accounts changed */
export type AccountsChangedEvent = {
  /** The type of the event. */
  type: 'accounts.changed'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
    /** The id of the item. */
    item: string
  }
}

/** Holdings changed */
export type HoldingsChangedEvent = {
  /** The type of the event. */
  type: 'holdings.changed'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
    /** The id of the item. */
    item: string
  }
}

/** Investment transactions changed */
export type InvestmentTransactionsChangedEvent = {
  /** The type of the event. */
  type: 'investment_transactions.changed'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
    /** The id of the item. */
    item: string
  }
}

/** Liabilities changed */
export type LiabilitiesChangedEvent = {
  /** The type of the event. */
  type: 'liabilities.changed'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
    /** The id of the item. */
    item: string
  }
}

/** Recurring streams changed */
export type RecurringChangedEvent = {
  /** The type of the event. */
  type: 'recurring.changed'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
    /** The id of the item. */
    item: string
  }
}

/** Item linked */
export type ItemLinkedEvent = {
  /** The type of the event. */
  type: 'item.linked'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
    /** The id of the item. */
    item: string
  }
}

/** Item status changed */
export type ItemStatusChangedEvent = {
  /** The type of the event. */
  type: 'item.status_changed'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
    /** The id of the item. */
    item: string
    /** The status before. */
    from: string
    /** The status of the item now. */
    to: string
    /** What the user has to do, as in `Item.action_required`. */
    action_required: string | null
    /** When the connection or the consent ends; null if no end is announced. */
    deadline: string | null
  }
}

/** New accounts available */
export type ItemNewAccountsEvent = {
  /** The type of the event. */
  type: 'item.new_accounts'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
    /** The id of the item. */
    item: string
  }
}

/** Item removed */
export type ItemRemovedEvent = {
  /** The type of the event. */
  type: 'item.removed'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
    /** The id of the item. */
    item: string
  }
}

/** Sync failed */
export type SyncFailedEvent = {
  /** The type of the event. */
  type: 'sync.failed'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
    /** The id of the item. */
    item: string
    /** The product that could not be read. */
    product: string
    /** The code of the error. */
    error_code: string | null
  }
}

/** User erased */
export type UserErasedEvent = {
  /** The type of the event. */
  type: 'user.erased'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** The id of the user in this deployment. */
    user: string
    /** The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for endpoints of applications and administrators. */
    subject?: string | undefined
  }
}

/** Challenge */
export type EndpointVerificationEvent = {
  /** The type of the event. */
  type: 'endpoint.verification'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: {
    /** Return it as `{"challenge": "…"}` with the status 200. */
    challenge: string
  }
}

/** Test */
export type PingEvent = {
  /** The type of the event. */
  type: 'ping'
  /** When it happened. */
  timestamp: string
  /** What it says. */
  data: Record<string, never>
}

/** What an endpoint of events gets, by `type`. A newer deployment may send other types: ignore them. */
export type WebhookEvent =
  | TransactionsChangedEvent
  | AccountsChangedEvent
  | HoldingsChangedEvent
  | InvestmentTransactionsChangedEvent
  | LiabilitiesChangedEvent
  | RecurringChangedEvent
  | ItemLinkedEvent
  | ItemStatusChangedEvent
  | ItemNewAccountsEvent
  | ItemRemovedEvent
  | SyncFailedEvent
  | UserErasedEvent
  | EndpointVerificationEvent
  | PingEvent

/** The routes. */
export interface paths {
  '/health': {
    /** Check that the Worker runs */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Health } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/live': {
    /** Open the socket of live changes */
    get: {
      parameters: {
        query: {
          /** The ticket of `POST /live/ticket`. */
          ticket: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/ready': {
    /** Check readiness */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Ready } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/openapi.json': {
    /** Get the API description */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': OpenApi } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/.well-known/security.txt': {
    /** Get the security contact */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'text/plain; charset=utf-8': string } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/.well-known/apple-app-site-association': {
    /** Get the associated iOS apps */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': {
          applinks: {
            details: Array<{
              appIDs: Array<string>
              components: Array<{
                '/': string
              }>
            }>
          }
        } } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/.well-known/assetlinks.json': {
    /** Get the associated Android apps */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Array<{
          relation: Array<string>
          target: {
            namespace: 'android_app'
            package_name: string
            sha256_cert_fingerprints: Array<string>
          }
        }> } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/privacy': {
    /** Get the privacy policy */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'text/markdown; charset=utf-8': string } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/privacy/erasures/{id}': {
    /** Get an erasure */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id that the erasure returned. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Erasure } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/webhook': {
    get?: never
    put?: never
    /** Receive a webhook */
    post: {
      parameters: {
        query?: never
        header?: {
          /** Plaid’s signature: a JWT over the SHA-256 of the body. */
          'plaid-verification'?: string | undefined
          /** The signature of the relay: `t=<unix seconds>,v1=<hex HMAC-SHA-256 of t.body>`. */
          'x-webhook-signature'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': Record<string, never> } }
      responses: {
        200: { content: { 'application/json': Empty } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/register': {
    get?: never
    put?: never
    /** Register an account */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** The e-mail address. Letter case does not matter. */
        email: string
        /** At least 15 characters, of any kind. */
        password: string
      } } }
      responses: {
        202: { content: { 'application/json': MailSent } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/verify-email': {
    get?: never
    put?: never
    /** Verify an e-mail address */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** The code from the e-mail. */
        code: string
        /** The password of the account. */
        password: string
        /** Where the refresh token is returned: in the body, or for browsers in an HttpOnly cookie. */
        transport?: 'body' | 'cookie' | undefined
      } } }
      responses: {
        200: { content: { 'application/json': Session } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/login': {
    get?: never
    put?: never
    /** Sign in */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** The e-mail address. Letter case does not matter. */
        email: string
        /** The password of the account. */
        password: string
        /** Six digits from the authenticator app, or a recovery code. */
        code?: string | undefined
        /** The rights of the session. A `read` session cannot change anything. */
        scope?: 'full' | 'read' | undefined
        /** The `device_token` of an earlier sign-in on this device. */
        device_token?: string | undefined
        /** Where the refresh token is returned: in the body, or for browsers in an HttpOnly cookie. */
        transport?: 'body' | 'cookie' | undefined
      } } }
      responses: {
        200: { content: { 'application/json': Session } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/refresh': {
    get?: never
    put?: never
    /** Refresh a session */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: { content: { 'application/json': {
        /** The refresh token. Without it, the cookie is used. */
        refresh_token?: string | undefined
      } } }
      responses: {
        200: { content: { 'application/json': Session } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/logout': {
    get?: never
    put?: never
    /** Sign out */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: { content: { 'application/json': {
        /** The refresh token. Without it, the cookie is used. */
        refresh_token?: string | undefined
      } } }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/password/forgot': {
    get?: never
    put?: never
    /** Request a password reset */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** The e-mail address. Letter case does not matter. */
        email: string
      } } }
      responses: {
        202: { content: { 'application/json': MailSent } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/password/reset': {
    get?: never
    put?: never
    /** Reset a password */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** The code from the e-mail. */
        code: string
        /** At least 15 characters, of any kind. */
        new_password: string
      } } }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/status': {
    /** Get whether changes are possible */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': DeploymentStatus } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/link/token/create': {
    get?: never
    put?: never
    /** Create a link token */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': LinkTokenRequest } }
      responses: {
        200: { content: { 'application/json': LinkToken } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/item/public_token/exchange': {
    get?: never
    put?: never
    /** Exchange a public token */
    post: {
      parameters: {
        query?: never
        header?: {
          /** A key of the client’s choice for this request, such as a UUID. A repeated request with the same key has no second effect. */
          'idempotency-key'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': ExchangeRequest } }
      responses: {
        201: { content: { 'application/json': Item } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/items': {
    /** List items */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': ItemList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/items/{id}': {
    /** Get an item */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the item. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Item } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    /** Remove an item */
    delete: {
      parameters: {
        query?: {
          /** Deletes the data immediately. */
          purge?: boolean | undefined
        }
        header?: never
        path: {
          /** The id of the item. */
          id: string
        }
        cookie?: never
      }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
  }
  '/api/v1/plaid/items/{id}/repaired': {
    get?: never
    put?: never
    /** Report that update mode finished */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the item. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Item } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/items/{id}/refresh': {
    get?: never
    put?: never
    /** Refresh an item */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the item. */
          id: string
        }
        cookie?: never
      }
      responses: {
        202: { content: { 'application/json': Refresh } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/items/{id}/access_token/rotate': {
    get?: never
    put?: never
    /** Rotate an access token */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the item. */
          id: string
        }
        cookie?: never
      }
      responses: {
        202: { content?: never }
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/items/{id}/duplicates': {
    /** List duplicates of an item */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the item. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': DuplicateList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/items/{id}/duplicates/{account_id}': {
    get?: never
    put?: never
    /** Merge or keep a duplicate */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the item. */
          id: string
          /** The id of the duplicate account. */
          account_id: string
        }
        cookie?: never
      }
      requestBody: { content: { 'application/json': DuplicateDecision } }
      responses: {
        200: { content: { 'application/json': Account } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/sync/all': {
    get?: never
    put?: never
    /** Sync all items */
    post: {
      parameters: {
        query?: never
        header?: {
          /** A key of the client’s choice for this request, such as a UUID. A repeated request with the same key has no second effect. */
          'idempotency-key'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      responses: {
        202: { content: { 'application/json': Queued } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/sync/item/{item_id}': {
    get?: never
    put?: never
    /** Sync an item */
    post: {
      parameters: {
        query?: never
        header?: {
          /** A key of the client’s choice for this request, such as a UUID. A repeated request with the same key has no second effect. */
          'idempotency-key'?: string | undefined
        }
        path: {
          /** The id of the item. */
          item_id: string
        }
        cookie?: never
      }
      responses: {
        202: { content: { 'application/json': Queued } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/plaid/sync/runs': {
    /** List sync runs */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only rows of this item. */
          item_id?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': SyncRunList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/accounts': {
    /** List accounts */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Whether to include accounts that the user hid, and their rows. */
          include_hidden?: boolean | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': AccountList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/accounts/{id}': {
    /** Get an account */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the account. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Account } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    /** Edit an account */
    patch: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the account. */
          id: string
        }
        cookie?: never
      }
      requestBody: { content: { 'application/json': AccountEdits } }
      responses: {
        200: { content: { 'application/json': Account } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    delete?: never
  }
  '/api/v1/accounts/{id}/balances': {
    /** List daily balances */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** The first day, inclusive. */
          from?: string | undefined
          /** The last day, inclusive. */
          to?: string | undefined
        }
        header?: never
        path: {
          /** The id of the account. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': DayBalanceList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/rules': {
    /** List rules */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Rules } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    /** Create a rule */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': RuleContent } }
      responses: {
        201: { content: { 'application/json': Rule } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/rules/preview': {
    get?: never
    put?: never
    /** Preview a rule */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** Text in the name or the merchant; null for any. */
        contains?: string | null | undefined
        /** The least amount, inclusive; positive is money out. Null for any. */
        min_amount?: string | null | undefined
        /** The greatest amount, inclusive; null for any. */
        max_amount?: string | null | undefined
        /** An account of the user; null for any. */
        account_id?: string | null | undefined
        /** The category that the rule gives; null for none. */
        user_category?: string | null | undefined
        /** Whether the rule hides transactions from sums. */
        hidden?: boolean | undefined
        /** The stored rule whose place the rule takes; null for the last place. */
        replaces?: string | null | undefined
      } } }
      responses: {
        200: { content: { 'application/json': RulePreview } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/rules/apply': {
    get?: never
    put?: never
    /** Apply the rules to stored transactions */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: { content: { 'application/json': {
        /** The `next_cursor` of the step before. Absent for the first one. */
        cursor?: string | undefined
      } } }
      responses: {
        200: { content: { 'application/json': AppliedRules } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/rules/order': {
    get?: never
    /** Order the rules */
    put: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** The ids of all rules in their new order. */
        ids: Array<string>
      } } }
      responses: {
        200: { content: { 'application/json': Rules } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/rules/{id}': {
    /** Get a rule */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the rule. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Rule } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    /** Change a rule */
    put: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the rule. */
          id: string
        }
        cookie?: never
      }
      requestBody: { content: { 'application/json': RuleContent } }
      responses: {
        200: { content: { 'application/json': Rule } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    post?: never
    patch?: never
    /** Delete a rule */
    delete: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the rule. */
          id: string
        }
        cookie?: never
      }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
  }
  '/api/v1/transactions': {
    /** List transactions */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Whether to include accounts that the user hid, and their rows. */
          include_hidden?: boolean | undefined
          /** The first day, inclusive. */
          from?: string | undefined
          /** The last day, inclusive. */
          to?: string | undefined
          /** Only rows of this account. */
          account_id?: string | undefined
          /** Only transactions with this text in the name, the merchant or the note. Letter case does not matter. */
          q?: string | undefined
          /** Only transactions of this category: Plaid’s primary or detailed one, or the category of the user. */
          category?: string | undefined
          /** Only amounts from this one, inclusive. */
          min_amount?: string | undefined
          /** Only amounts up to this one, inclusive. */
          max_amount?: string | undefined
          /** Only pending transactions, or only posted ones. */
          pending?: boolean | undefined
        }
        header?: {
          /** The `ETag` of an earlier response. If it is still current, the response is 304 without a body. */
          'If-None-Match'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': TransactionList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/transactions/changes': {
    /** List transaction changes */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_since` of the previous response; 0 returns everything. */
          since?: number | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': TransactionChanges } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/changes': {
    /** List changes */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_since` of the previous response; 0 returns everything. */
          since?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Changes } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/live/ticket': {
    get?: never
    put?: never
    /** Create a ticket for live changes */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': LiveTicket } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/transactions/recurring': {
    /** List recurring transactions */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Whether to include accounts that the user hid, and their rows. */
          include_hidden?: boolean | undefined
          /** Only rows of this account. */
          account_id?: string | undefined
          /** Only inflows, or only outflows. */
          direction?: 'inflow' | 'outflow' | undefined
          /** Only streams that are active, or only those that are not. */
          active?: boolean | undefined
        }
        header?: {
          /** The `ETag` of an earlier response. If it is still current, the response is 304 without a body. */
          'If-None-Match'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': RecurringStreamList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/transactions/{id}': {
    /** Get a transaction */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the transaction. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Transaction } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    /** Edit a transaction */
    patch: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the transaction. */
          id: string
        }
        cookie?: never
      }
      requestBody: { content: { 'application/json': TransactionEdits } }
      responses: {
        200: { content: { 'application/json': Transaction } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    delete?: never
  }
  '/api/v1/holdings': {
    /** List holdings */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Whether to include accounts that the user hid, and their rows. */
          include_hidden?: boolean | undefined
          /** Only rows of this account. */
          account_id?: string | undefined
        }
        header?: {
          /** The `ETag` of an earlier response. If it is still current, the response is 304 without a body. */
          'If-None-Match'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': HoldingList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/investments/transactions': {
    /** List investment transactions */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Whether to include accounts that the user hid, and their rows. */
          include_hidden?: boolean | undefined
          /** The first day, inclusive. */
          from?: string | undefined
          /** The last day, inclusive. */
          to?: string | undefined
          /** Only rows of this account. */
          account_id?: string | undefined
        }
        header?: {
          /** The `ETag` of an earlier response. If it is still current, the response is 304 without a body. */
          'If-None-Match'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': InvestmentTransactionList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/liabilities': {
    /** List liabilities */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Whether to include accounts that the user hid, and their rows. */
          include_hidden?: boolean | undefined
        }
        header?: {
          /** The `ETag` of an earlier response. If it is still current, the response is 304 without a body. */
          'If-None-Match'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': LiabilityList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/insights/net-worth': {
    /** Get net worth */
    get: {
      parameters: {
        query?: {
          /** The first day, inclusive. */
          from?: string | undefined
          /** The last day, inclusive. */
          to?: string | undefined
        }
        header?: {
          /** The `ETag` of an earlier response. If it is still current, the response is 304 without a body. */
          'If-None-Match'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': NetWorthDays } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/insights/cash-flow': {
    /** Get cash flow */
    get: {
      parameters: {
        query?: {
          /** The first day, inclusive. */
          from?: string | undefined
          /** The last day, inclusive. */
          to?: string | undefined
          /** The length of an interval. Weeks start on Monday. */
          interval?: 'day' | 'week' | 'month' | undefined
        }
        header?: {
          /** The `ETag` of an earlier response. If it is still current, the response is 304 without a body. */
          'If-None-Match'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': CashFlowIntervals } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/insights/spending': {
    /** Get spending */
    get: {
      parameters: {
        query?: {
          /** The first day, inclusive. */
          from?: string | undefined
          /** The last day, inclusive. */
          to?: string | undefined
        }
        header?: {
          /** The `ETag` of an earlier response. If it is still current, the response is 304 without a body. */
          'If-None-Match'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': SpendingCategories } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/privacy/export': {
    /** Export all data */
    get: {
      parameters: {
        query?: {
          /** `jsonl` for JSON lines, `csv` for a zip archive of CSV files. */
          format?: 'jsonl' | 'csv' | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/jsonl': string; 'application/zip': string } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/privacy/erase': {
    get?: never
    put?: never
    /** Erase all data */
    post: {
      parameters: {
        query?: never
        header?: {
          /** A key of the client’s choice for this request, such as a UUID. A repeated request with the same key has no second effect. */
          'idempotency-key'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      requestBody?: { content: { 'application/json': {
        /** The password of the account. */
        password?: string | undefined
      } } }
      responses: {
        200: { content: { 'application/json': Erasure } }
        202: { content: { 'application/json': Erasure } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/privacy/consents': {
    /** Get consents */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Consents } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    /** Change consents */
    put: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': ConsentsChange } }
      responses: {
        200: { content: { 'application/json': Consents } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/audit': {
    /** List the audit trail */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': AuditRowList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/api-keys': {
    /** List API keys */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': ApiKeyList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    /** Create an API key */
    post: {
      parameters: {
        query?: never
        header?: {
          /** A key of the client’s choice for this request, such as a UUID. A repeated request with the same key has no second effect. */
          'idempotency-key'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': OwnApiKeyRequest } }
      responses: {
        201: { content: { 'application/json': CreatedApiKey } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/api-keys/{id}': {
    get?: never
    put?: never
    post?: never
    patch?: never
    /** Revoke an API key */
    delete: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the key. */
          id: string
        }
        cookie?: never
      }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
  }
  '/api/v1/tokens': {
    get?: never
    put?: never
    /** Create a token for a client */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: { content: { 'application/json': TokenRequest } }
      responses: {
        200: { content: { 'application/json': Token } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/applications': {
    /** List applications */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': ApplicationList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    /** Create an application */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': ApplicationRequest } }
      responses: {
        201: { content: { 'application/json': Application } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/api-keys': {
    /** List all API keys */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only keys of this application. */
          application_id?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': AdminApiKeyList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    /** Create an application key */
    post: {
      parameters: {
        query?: never
        header?: {
          /** A key of the client’s choice for this request, such as a UUID. A repeated request with the same key has no second effect. */
          'idempotency-key'?: string | undefined
        }
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': ApiKeyRequest } }
      responses: {
        201: { content: { 'application/json': CreatedAdminApiKey } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/api-keys/{id}': {
    get?: never
    put?: never
    post?: never
    patch?: never
    /** Revoke any API key */
    delete: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the key. */
          id: string
        }
        cookie?: never
      }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
  }
  '/api/v1/webhooks/endpoints': {
    /** List endpoints of events */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookEndpointList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    /** Create an endpoint of events */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** An https URL with a public host name. */
        url: string
        /** The types of events that the endpoint gets; null for all. */
        events?: Array<'transactions.changed' | 'accounts.changed' | 'holdings.changed' | 'investment_transactions.changed' | 'liabilities.changed' | 'recurring.changed' | 'item.linked' | 'item.status_changed' | 'item.new_accounts' | 'item.removed' | 'sync.failed' | 'user.erased'> | null | undefined
      } } }
      responses: {
        201: { content: { 'application/json': WebhookEndpointWithSecret } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/webhooks/endpoints/{id}': {
    /** Get an endpoint of events */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the endpoint. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookEndpoint } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    /** Change an endpoint of events */
    patch: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the endpoint. */
          id: string
        }
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** An https URL with a public host name. */
        url?: string | undefined
        /** The types of events that the endpoint gets; null for all. */
        events?: Array<'transactions.changed' | 'accounts.changed' | 'holdings.changed' | 'investment_transactions.changed' | 'liabilities.changed' | 'recurring.changed' | 'item.linked' | 'item.status_changed' | 'item.new_accounts' | 'item.removed' | 'sync.failed' | 'user.erased'> | null | undefined
        /** False disables the endpoint, true enables a disabled one again. */
        enabled?: boolean | undefined
      } } }
      responses: {
        200: { content: { 'application/json': WebhookEndpoint } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    /** Delete an endpoint of events */
    delete: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the endpoint. */
          id: string
        }
        cookie?: never
      }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
  }
  '/api/v1/webhooks/endpoints/{id}/secret': {
    get?: never
    put?: never
    /** Rotate the secret of an endpoint */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the endpoint. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookEndpointWithSecret } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/webhooks/endpoints/{id}/ping': {
    get?: never
    put?: never
    /** Test an endpoint of events */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the endpoint. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookEndpoint } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/webhooks/deliveries/replay': {
    get?: never
    put?: never
    /** Replay failed deliveries of events */
    post: {
      parameters: {
        query: {
          /** Only deliveries of events since this time. */
          since: string
          /** Only deliveries to this endpoint. */
          endpoint_id?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        202: { content: { 'application/json': ReplayedDeliveries } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/webhooks/deliveries/{id}/replay': {
    get?: never
    put?: never
    /** Replay a delivery of an event */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the delivery. */
          id: string
        }
        cookie?: never
      }
      responses: {
        202: { content: { 'application/json': WebhookDelivery } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/webhooks/deliveries': {
    /** List deliveries of events */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only deliveries to this endpoint. */
          endpoint_id?: string | undefined
          /** Only deliveries in this state. */
          state?: 'pending' | 'delivered' | 'failed' | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookDeliveryList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/webhooks/deliveries/{id}': {
    /** Get a delivery of an event */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the delivery. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookDelivery } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/items': {
    /** List items of all users */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only items with this status. */
          status?: 'initializing' | 'healthy' | 'needs_update' | 'pending_disconnect' | 'pending_expiration' | 'bank_action_required' | 'institution_down' | 'relink_required' | 'revoked' | 'removing' | 'removed' | undefined
          /** Only items of this user. */
          user_id?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': AdminItemList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/items/{id}': {
    /** Get an item of any user */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the item. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': AdminItem } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/items/{id}/timeline': {
    /** List what happened to an item */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only entries of this kind. */
          kind?: 'webhook' | 'sync_run' | 'status' | 'change' | 'link_session' | 'exchange' | 'removal' | 'dead_letter' | undefined
        }
        header?: never
        path: {
          /** The id of the item. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': TimelineEntryList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/search': {
    get?: never
    put?: never
    /** Find what an id names */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** An id of this API or of Plaid, a request id, a link token or a public token. */
        id: string
      } } }
      responses: {
        200: { content: { 'application/json': FoundIds } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/items/{id}/recheck': {
    get?: never
    put?: never
    /** Recheck an item at Plaid */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the item. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Rechecked } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/items/{id}/resync': {
    get?: never
    put?: never
    /** Resync an item from the start */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the item. */
          id: string
        }
        cookie?: never
      }
      responses: {
        202: { content: { 'application/json': Queued } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/webhooks': {
    /** List webhooks */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only webhooks about this item, by Plaid’s id. */
          plaid_item_id?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': AdminWebhookList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/sync/runs': {
    /** List sync runs of all users */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only rows of this item. */
          item_id?: string | undefined
          /** Only runs with this outcome. */
          outcome?: 'committed' | 'failed' | 'waiting' | 'absent' | 'consent_needed' | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': AdminSyncRunList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/set-aside': {
    /** List rows set aside */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only rows of this item. */
          item_id?: string | undefined
          /** Only rows of this product. */
          product?: 'item' | 'balances' | 'transactions' | 'recurring' | 'holdings' | 'investment_transactions' | 'liabilities' | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': SetAsideRowList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/dead-letters': {
    /** List dead letters */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only dead letters that were not replayed. */
          open?: boolean | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': DeadLetterList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/dead-letters/replay': {
    get?: never
    put?: never
    /** Replay all dead letters */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        202: { content: { 'application/json': Queued } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/dead-letters/{id}/replay': {
    get?: never
    put?: never
    /** Replay a dead letter */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the dead letter. */
          id: string
        }
        cookie?: never
      }
      responses: {
        202: { content: { 'application/json': Queued } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/usage': {
    /** Get Plaid usage */
    get: {
      parameters: {
        query?: {
          /** The first day, inclusive. */
          from?: string | undefined
          /** The last day, inclusive. */
          to?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': PlaidUsage } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/webhooks/endpoints': {
    /** List endpoints of events */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookEndpointList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    /** Create an endpoint of events */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** An https URL with a public host name. */
        url: string
        /** The types of events that the endpoint gets; null for all. */
        events?: Array<'transactions.changed' | 'accounts.changed' | 'holdings.changed' | 'investment_transactions.changed' | 'liabilities.changed' | 'recurring.changed' | 'item.linked' | 'item.status_changed' | 'item.new_accounts' | 'item.removed' | 'sync.failed' | 'user.erased'> | null | undefined
      } } }
      responses: {
        201: { content: { 'application/json': WebhookEndpointWithSecret } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/webhooks/endpoints/{id}': {
    /** Get an endpoint of events */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the endpoint. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookEndpoint } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    /** Change an endpoint of events */
    patch: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the endpoint. */
          id: string
        }
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** An https URL with a public host name. */
        url?: string | undefined
        /** The types of events that the endpoint gets; null for all. */
        events?: Array<'transactions.changed' | 'accounts.changed' | 'holdings.changed' | 'investment_transactions.changed' | 'liabilities.changed' | 'recurring.changed' | 'item.linked' | 'item.status_changed' | 'item.new_accounts' | 'item.removed' | 'sync.failed' | 'user.erased'> | null | undefined
        /** False disables the endpoint, true enables a disabled one again. */
        enabled?: boolean | undefined
      } } }
      responses: {
        200: { content: { 'application/json': WebhookEndpoint } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    /** Delete an endpoint of events */
    delete: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the endpoint. */
          id: string
        }
        cookie?: never
      }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
  }
  '/api/v1/admin/webhooks/endpoints/{id}/secret': {
    get?: never
    put?: never
    /** Rotate the secret of an endpoint */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the endpoint. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookEndpointWithSecret } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/webhooks/endpoints/{id}/ping': {
    get?: never
    put?: never
    /** Test an endpoint of events */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the endpoint. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookEndpoint } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/webhooks/deliveries/replay': {
    get?: never
    put?: never
    /** Replay failed deliveries of events */
    post: {
      parameters: {
        query: {
          /** Only deliveries of events since this time. */
          since: string
          /** Only deliveries to this endpoint. */
          endpoint_id?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        202: { content: { 'application/json': ReplayedDeliveries } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/webhooks/deliveries/{id}/replay': {
    get?: never
    put?: never
    /** Replay a delivery of an event */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the delivery. */
          id: string
        }
        cookie?: never
      }
      responses: {
        202: { content: { 'application/json': WebhookDelivery } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/webhooks/deliveries': {
    /** List deliveries of events */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only deliveries to this endpoint. */
          endpoint_id?: string | undefined
          /** Only deliveries in this state. */
          state?: 'pending' | 'delivered' | 'failed' | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookDeliveryList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/webhooks/deliveries/{id}': {
    /** Get a delivery of an event */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the delivery. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookDelivery } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/keys': {
    /** List encryption keys */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': EncryptionKeys } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/audit': {
    /** List audit rows of all users */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** The first day, inclusive. */
          from?: string | undefined
          /** The last day, inclusive. */
          to?: string | undefined
          /** Only rows in the trail of this user. */
          user_id?: string | undefined
          /** Only rows of this kind of actor. */
          actor?: 'user' | 'admin' | 'anonymous' | 'webhook' | 'cron' | 'queue' | 'command' | undefined
          /** Only rows of this action. */
          action?: 'registration_requested' | 'account_created' | 'signed_in' | 'sign_in_refused' | 'session_ended' | 'sessions_ended' | 'signed_out' | 'session_reused' | 'password_changed' | 'password_reset_requested' | 'password_reset' | 'totp_enrolled' | 'totp_enabled' | 'totp_disabled' | 'link_token_created' | 'access_token_obtained' | 'item_linked' | 'item_relinked' | 'accounts_taken_over' | 'link_refused' | 'item_repaired' | 'item_lost' | 'item_revoked' | 'account_revoked' | 'item_end_announced' | 'data_exported' | 'consents_changed' | 'erasure_begun' | 'item_removed' | 'item_purged' | 'token_used' | 'token_rotation_requested' | 'token_rotated' | 'duplicate_resolved' | 'sync_requested' | 'rule_created' | 'rule_changed' | 'rule_deleted' | 'rules_ordered' | 'rules_applied' | 'refresh_requested' | 'item_resynced' | 'item_rechecked' | 'dead_letters_replayed' | 'key_rotation_started' | 'freeze_changed' | 'token_rotation_started' | 'admin_granted' | 'admin_revoked' | 'webhook_endpoint_created' | 'webhook_endpoint_changed' | 'webhook_endpoint_verified' | 'webhook_endpoint_deleted' | 'webhook_endpoint_disabled' | 'webhook_endpoint_tested' | 'webhook_secret_rotated' | 'webhook_deliveries_replayed' | 'audit_verified' | 'application_created' | 'api_key_created' | 'api_key_revoked' | 'client_token_issued' | 'admin_read' | 'retention_started' | 'retention_finished' | 'backup_created' | 'backup_failed' | 'backup_deleted' | 'backup_verified' | 'backup_restored' | undefined
          /** Only rows about this target. */
          target_id?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': AdminAuditRowList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/audit/verify': {
    /** Get the last verification */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': AuditVerification } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/keys/rotate': {
    get?: never
    put?: never
    /** Rotate encryption keys */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        202: { content: { 'application/json': EncryptionKeys } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/access_tokens': {
    /** Count old access tokens */
    get: {
      parameters: {
        query?: {
          /** A time; now unless given. */
          before?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': AccessTokens } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/access_tokens/rotate': {
    get?: never
    put?: never
    /** Rotate all access tokens */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: { content: { 'application/json': {
        /** A time that is not in the future. */
        before?: string | undefined
      } } }
      responses: {
        202: { content: { 'application/json': AccessTokens } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/freeze': {
    /** Get the freeze */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Freeze } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    /** Freeze the deployment */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: { content: { 'application/json': {
        /** The state of the freeze. */
        state?: 'frozen' | 'recovery' | undefined
      } } }
      responses: {
        200: { content: { 'application/json': Freeze } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    /** End the freeze */
    delete: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Freeze } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
  }
  '/api/v1/admin/retention': {
    /** Count data past its retention */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': RetentionPlan } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/retention/run': {
    get?: never
    put?: never
    /** Delete data past its retention */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': RetentionRun } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/backups': {
    /** List backups */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': BackupStates } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/backups/{id}/verified': {
    get?: never
    put?: never
    /** Record a verified backup */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the backup. */
          id: string
        }
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': VerifiedBackup } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/admin/metrics': {
    /** Get metrics */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'text/plain; version=0.0.4; charset=utf-8': string } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/alarms': {
    /** List alarms */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': AlarmStates } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/crons': {
    /** List cron jobs */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Crons } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/exchanges': {
    /** List open exchanges */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only exchanges in this state. */
          state?: 'started' | 'exchanged' | undefined
          /** Only exchanges of this user. */
          user_id?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': OpenExchangeList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/removals': {
    /** List removals that wait */
    get: {
      parameters: {
        query?: {
          /** The maximum number of rows. */
          limit?: number | undefined
          /** The `next_cursor` of the previous page. Empty for the first page. */
          cursor?: string | undefined
          /** Only removals for this reason. */
          reason?: 'removed' | 'revoked' | 'duplicate' | 'replaced' | 'not_stored' | 'token_lost' | 'orphan' | undefined
          /** Only removals of items of this user. */
          user_id?: string | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WaitingRemovalList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/orphans': {
    /** Get the state of orphans */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Orphans } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/quota': {
    /** Get the use of limits */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': Quota } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/admin/webhooks/refusals': {
    /** List refused webhooks by reason */
    get: {
      parameters: {
        query?: {
          /** Only refusals for this reason. */
          reason?: 'missing_header' | 'two_headers' | 'header_too_large' | 'body_too_large' | 'malformed_jwt' | 'wrong_alg' | 'wrong_typ' | 'malformed_kid' | 'unknown_kid' | 'expired_key' | 'key_unavailable' | 'bad_signature' | 'malformed_claims' | 'too_old' | 'from_future' | 'body_mismatch' | 'hmac_disabled' | 'hmac_malformed' | 'hmac_bad_signature' | 'over_limit' | undefined
        }
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': WebhookRefusals } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/auth/logout-all': {
    get?: never
    put?: never
    /** End all sessions */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/password/change': {
    get?: never
    put?: never
    /** Change the password */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** The current password. */
        current_password: string
        /** At least 15 characters, of any kind. */
        new_password: string
      } } }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/totp/enroll': {
    get?: never
    put?: never
    /** Enroll an authenticator app */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** The password of the account. */
        password: string
      } } }
      responses: {
        200: { content: { 'application/json': TotpSecret } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/totp/confirm': {
    get?: never
    put?: never
    /** Confirm an authenticator app */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** Six digits from the authenticator app, or a recovery code. */
        code: string
      } } }
      responses: {
        200: { content: { 'application/json': RecoveryCodes } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/totp/disable': {
    get?: never
    put?: never
    /** Disable the second factor */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: { content: { 'application/json': {
        /** The password of the account. */
        password: string
        /** Six digits from the authenticator app, or a recovery code. */
        code: string
      } } }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    patch?: never
    delete?: never
  }
  '/api/v1/auth/sessions': {
    /** List sessions */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      responses: {
        200: { content: { 'application/json': SessionList } }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
    put?: never
    post?: never
    patch?: never
    delete?: never
  }
  '/api/v1/auth/sessions/{id}': {
    get?: never
    put?: never
    post?: never
    patch?: never
    /** End a session */
    delete: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** The id of the session. */
          id: string
        }
        cookie?: never
      }
      responses: {
        204: { content?: never }
        default: { content: { 'application/problem+json': Problem } }
      }
    }
  }
}
