// What each error in the log means for an operator: an alarm, a measurement of another alarm, or a line that
// only explains. A test fails where the code logs an error that is not listed here.

export type Decision =
  /** The alarm fires when the event is logged. */
  | { readonly alarm: string }
  /** Another metric counts it, which this alarm measures. */
  | { readonly measuredBy: string }
  /** No alarm; why. */
  | { readonly line: string }

const alarm = (name: string): Decision => ({ alarm: name })
const measuredBy = (name: string): Decision => ({ measuredBy: name })
const line = (why: string): Decision => ({ line: why })

const repeated = 'the message is delivered again, and becomes a dead letter if that fails'

/** Events at the level `error`, and those at the level `warn` that an alarm needs. */
export const loggedEvents = {
  // Items and access tokens
  access_token_lost: alarm('access_token_lost'),
  item_losses_stopped: alarm('item_losses_stopped'),
  item_orphaned: alarm('items_orphaned'),
  item_not_ended: alarm('items_not_removed'),
  exchange_lost: alarm('items_orphaned'),
  exchange_given_up: alarm('items_orphaned'),
  exchange_unanswered: line('the reconciler continues the exchange, and logs exchange_lost if it cannot'),
  orphan_removal_limit_reached: alarm('orphan_removal_limit_reached'),
  exchange_of_another_user: alarm('user_mismatch'),
  item_of_another_user: alarm('user_mismatch'),
  plaid_users_missing: alarm('plaid_users_missing'),
  rotation_unanswered: alarm('rotations_failing'),
  rotation_failed: alarm('rotations_failing'),
  token_rotation_step_failed: alarm('rotations_failing'),
  token_rotation_incomplete: alarm('rotations_failing'),
  value_not_rewrapped: alarm('rotations_failing'),
  rewrap_failed: alarm('rotations_failing'),

  // Syncs, queue and crons
  sync_failed: measuredBy('syncs_failing'),
  commit_refused: alarm('commits_refused'),
  dead_letter: alarm('dead_letters'),
  dead_letter_not_recorded: alarm('dead_letters'),
  message_malformed: alarm('messages_malformed'),
  message_failed: line(repeated),
  queue_refused: alarm('queue_failing'),
  messages_not_claimed: alarm('queue_failing'),
  messages_not_released: line('the sweep enqueues the products when the claim has expired'),
  event_malformed: alarm('events_not_sendable'),
  event_secret_unreadable: alarm('events_not_sendable'),
  job_not_started: line('without a configuration nothing is counted; /ready fails, which an outside probe notices'),
  job_failed: alarm('jobs_failing'),
  cron_part_failed: line('the job fails too: job_failed'),
  reconcile_step_failed: line('the part of the cron fails too: job_failed'),
  not_reconciled: alarm('reconciler_failing'),

  // Backups, retention and privacy
  backup_overdue: alarm('backup_overdue'),
  backup_none_good: alarm('backup_none_good'),
  backup_too_large: alarm('backup_too_large'),
  backup_failure_not_recorded: line('the job fails too: job_failed, and later backup_overdue'),
  backups_off: line('the operator chose BACKUP_RECIPIENT=none'),
  retention_failed: alarm('retention_failing'),
  erasure_failed: alarm('erasures_failing'),
  erasure_left_items_at_plaid: alarm('erasures_failing'),
  plaid_user_not_removed: alarm('erasures_failing'),
  erasures_not_copied: alarm('erasures_not_copied'),
  export_failed: alarm('exports_failing'),

  // Requests, limits and webhooks
  metrics_not_read: line('a request for the metrics failed; alarms_interrupted fires where the store is down'),
  http_request: measuredBy('errors_5xx'),
  rate_limiter_failed: alarm('rate_limiter_failing'),
  client_address_unknown: alarm('client_address_unknown'),
  plaid_quota_failed: alarm('plaid_quota_failing'),
  object_failed: line(
    'reported to Sentry; its callers log rate_limiter_failed, plaid_quota_failed or metrics_not_read',
  ),
  plaid_usage_not_recorded: line('usage counts are an estimate; the database has its own alarm'),
  password_hashes_spent: alarm('password_hashes_spent'),
  refresh_token_reused: alarm('refresh_tokens_reused'),
  audit_missing: alarm('audit_missing'),
  webhooks_unverified: alarm('webhooks_unverified'),
  webhook_key_unavailable: alarm('webhook_keys_unavailable'),
  freeze_not_read: line('Plaid is not called until it can be read; the database has its own alarm'),

  // Reports to people
  notice_not_sent: alarm('mails_failing'),
  mail_withheld: alarm('mails_withheld'),
  report_not_sent: alarm('sentry_failing'),

  // The alarms themselves
  alarms_book_unreadable: line('the rules start again; those that still hold fire again'),
  alarms_not_read: line('a request for the alarms failed; alarms_interrupted fires where they cannot be evaluated'),
  alarms_not_evaluated: line('alarms_interrupted fires when they are evaluated again'),
  alarms_not_saved: line('another run replaced the book; what was delivered is sent again, under the same ids'),
  alarm_not_delivered: measuredBy('alarms_undelivered'),
  alarm_given_up: measuredBy('alarms_undelivered'),
} as const satisfies Readonly<Record<string, Decision>>

export type LoggedEvent = keyof typeof loggedEvents

/** The events that fire an alarm. */
export const eventsOf = (name: string): readonly string[] =>
  Object.entries(loggedEvents).flatMap(([event, decision]) =>
    'alarm' in decision && decision.alarm === name ? [event] : [],
  )

/** Whether an event is counted for the alarms. */
export const isCounted = (event: string): boolean => {
  const decision: Decision | undefined = Object.hasOwn(loggedEvents, event)
    ? Reflect.get(loggedEvents, event)
    : undefined
  return decision !== undefined && 'alarm' in decision
}
