// The routes for administrators about items, webhooks, syncs, alarms and metrics.
import { runExample } from './accounts.ts'
import { itemExample } from './admin-search.ts'
import { type OperationTexts, page, paged, sample } from './text.ts'

export const adminTexts: OperationTexts = {
  adminListItems: {
    description: `Returns the items of all users with the state of their syncs, oldest first. ${paged}`,
    responses: { 200: 'A page of items.' },
    example: {
      response: page(itemExample),
    },
  },
  adminResyncItem: {
    description:
      'Schedules a sync of one item from the start and reconciles the stored rows. Edits of the user stay. ' +
      'Returns how many products were scheduled.',
    parameters: { id: 'The id of the item.' },
    responses: { 202: 'The syncs are scheduled.' },
    example: { response: { queued: 7 } },
  },
  adminRecheckItem: {
    description:
      'Checks at Plaid whether an item that is `relink_required` still exists. If it does, the item becomes ' +
      '`initializing` and its products are synced. Any other item is synced immediately.',
    parameters: { id: 'The id of the item.' },
    responses: { 200: 'The result of the check.' },
    example: { response: { known: true, queued: 7 } },
  },
  adminListWebhooks: {
    description: `Returns the verified webhooks, newest first. ${paged}`,
    responses: { 200: 'A page of webhooks.' },
    example: {
      response: page({
        id: sample.row,
        scheme: 'plaid',
        webhook_type: 'TRANSACTIONS',
        webhook_code: 'SYNC_UPDATES_AVAILABLE',
        plaid_item_id: 'example-plaid-item-id',
        item_id: sample.item,
        user_id: sample.user,
        received_at: sample.time,
      }),
    },
  },
  adminListSyncRuns: {
    description: `Returns the sync runs of all users, newest first. ${paged}`,
    responses: { 200: 'A page of sync runs.' },
    example: {
      response: page({ ...runExample, user_id: sample.user, plaid_request_ids: ['example-plaid-request-id'] }),
    },
  },
  adminListSetAside: {
    description:
      'Returns the rows of Plaid’s responses that could not be read or that name an unknown account, newest ' +
      `first, without their contents. Each sync tries them again. ${paged}`,
    responses: { 200: 'A page of rows that were set aside.' },
    example: {
      response: page({
        id: sample.row,
        user_id: sample.user,
        item_id: sample.item,
        product: 'transactions',
        kind: 'transaction',
        row_key: 'example-plaid-transaction-id',
        plaid_account_id: 'example-plaid-account-id',
        problems: ['amount invalid'],
        run_id: sample.run,
        first_seen_at: sample.time,
        last_seen_at: sample.time,
      }),
    },
  },
  adminListDeadLetters: {
    description: `Returns the queue messages whose deliveries all failed, newest first. ${paged}`,
    responses: { 200: 'A page of dead letters.' },
    example: {
      response: page({
        id: sample.row,
        queue: 'wealthnavigator-production-sync-dead',
        message_id: 'example-message-id',
        item_product_id: sample.run,
        reason: 'delivery failed',
        created_at: sample.time,
        replayed_at: null,
        replays: 0,
      }),
    },
  },
  adminReplayDeadLetters: {
    description:
      'Schedules the syncs of up to 1,000 dead letters that were not replayed before. Returns how many products were scheduled.',
    responses: { 202: 'The syncs are scheduled.' },
    example: { response: { queued: 3 } },
  },
  adminReplayDeadLetter: {
    description: 'Schedules the sync of one dead letter. Returns how many products were scheduled.',
    parameters: { id: 'The id of the dead letter.' },
    responses: { 202: 'The sync is scheduled.' },
    example: { response: { queued: 1 } },
  },
  adminUsage: {
    description:
      'Returns the calls of Plaid by day, endpoint and outcome, with their estimated cost. The default window ' +
      'is the last 30 days; the maximum is 731 days.',
    responses: { 200: 'The calls and their estimated cost.' },
    example: {
      response: {
        from: '2026-02-01',
        to: '2026-03-02',
        data: [{ day: '2026-03-02', endpoint: '/transactions/sync', outcome: 'ok', calls: 812, cost: null }],
        calls: 812,
        cost: '0',
      },
    },
  },
  adminListAlarms: {
    description:
      'Returns the state of every alarm. A cron evaluates them each minute; `docs/runbook.md` has a page for ' +
      'each. Responds while the database is unavailable, too. Nothing in it is about a person, so the audit ' +
      'trail has no row of it.',
    responses: { 200: 'The alarms.' },
    example: {
      response: {
        evaluated_at: sample.time,
        waiting: 0,
        data: [
          {
            name: 'sync_lag',
            severity: 'page',
            summary: 'Products that are due wait too long for their sync.',
            state: 'firing',
            since: sample.time,
            value: 4000,
            threshold: 3600,
            unit: 'seconds',
            runbook: 'docs/runbook.md#sync_lag',
          },
        ],
      },
    },
  },
  adminGetMetrics: {
    description:
      'Returns the metrics of the deployment for Prometheus, as `docs/metrics.md` lists them. Responds while ' +
      'the database is unavailable, too. Nothing in them is about a person, so the audit trail has no row of ' +
      'it.',
    responses: { 200: 'The metrics.' },
    example: {
      response:
        '# HELP wn_webhooks_total Webhooks of Plaid, by outcome.\n# TYPE wn_webhooks_total ' +
        'counter\nwn_webhooks_total{outcome="accepted"} 3\n',
    },
  },
  adminListCrons: {
    description:
      'Returns each cron job that has run, when it last succeeded, and how many of its runs succeeded and ' +
      'failed. The job `gauges` is the part of the job of each minute that measures the database. Responds ' +
      'while the database is unavailable, too.',
    responses: { 200: 'The jobs.' },
    example: {
      response: { data: [{ job: 'sweep', last_success_at: sample.time, succeeded: 8640, failed: 2 }] },
    },
  },
}
