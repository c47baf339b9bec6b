// The routes for administrators about limits, and about what waits between this deployment and Plaid.
import { type OperationTexts, page, paged, sample } from './text.ts'

const nextAttempt = '2026-03-02T09:40:00.000Z'
const midnight = '2026-03-03T00:00:00.000Z'

export const adminWorkTexts: OperationTexts = {
  adminGetQuota: {
    description:
      'Returns how much of each limit is used now: Plaid’s limits by client and item, the daily limit of ' +
      'billed calls, what Plaid refused with 429 and until when, the limits of requests to this API with ' +
      'their refusals of the last hour, and the limits of password checks and links. Limits of users and ' +
      'addresses are counted for each of them, so only their refusals are known as a whole. Counts nothing.',
    responses: { 200: 'The limits.' },
    example: {
      response: {
        plaid: [
          {
            limit: 'balance',
            responded: true,
            client: { most: 1200, used: 31, frees_at: '2026-03-02T09:30:12.000Z' },
            item: {
              most: 5,
              busiest: [{ item_id: sample.item, used: 2, frees_at: '2026-03-02T09:30:40.000Z' }],
            },
            day: {
              most: 4,
              resets_at: midnight,
              busiest: [{ endpoint: '/accounts/balance/get', item_id: sample.item, calls: 3 }],
            },
            refused: [{ endpoint: '/accounts/balance/get', item_id: sample.item, until: '2026-03-02T09:31:00.000Z' }],
          },
        ],
        requests: [{ policy: 'global', most: 100, window_seconds: 60, refused_hour: 12 }],
        password_hashes: { most: 120, used: 4 },
        links: { items_per_user: 20, links_per_day: 20 },
      },
    },
  },
  adminListExchanges: {
    description:
      'Returns the exchanges of public tokens that have not ended, oldest first. The reconciler continues them; ' +
      `after the eighth attempt it gives them up. ${paged}`,
    parameters: { state: 'Only exchanges in this state.', user_id: 'Only exchanges of this user.' },
    responses: { 200: 'A page of open exchanges.' },
    example: {
      response: page({
        id: sample.item,
        user_id: sample.user,
        state: 'exchanged',
        plaid_item_id: 'example-plaid-item-id',
        attempts: 2,
        last_error: 'INSTITUTION_DOWN',
        created_at: sample.time,
        next_attempt_at: nextAttempt,
      }),
    },
  },
  adminListRemovals: {
    description:
      'Returns the items that wait for their removal at Plaid, oldest first. Plaid bills each of them until it ' +
      `has confirmed the removal. With \`reason=orphan\`, those that have no row here. ${paged}`,
    parameters: { reason: 'Only removals for this reason.', user_id: 'Only removals of items of this user.' },
    responses: { 200: 'A page of removals.' },
    example: {
      response: page({
        id: sample.row,
        user_id: sample.user,
        item_id: sample.item,
        plaid_item_id: 'example-plaid-item-id',
        reason: 'removed',
        attempts: 1,
        last_error: 'INTERNAL_SERVER_ERROR',
        created_at: sample.time,
        next_attempt_at: nextAttempt,
      }),
    },
  },
  adminGetOrphans: {
    description:
      'Returns what happens to orphans, items at Plaid that have no row here: the variable, the switch in the ' +
      'database, the stricter of both, the limit of the day, and the queue. `GET ' +
      '/api/v1/admin/removals?reason=orphan` lists the queue. With the mode `report`, orphans are in the log ' +
      'only, as `item_unclaimed`.',
    responses: { 200: 'The state of orphans.' },
    example: {
      response: {
        mode: 'report',
        variable: 'end',
        switch: 'report',
        switch_changed_at: sample.time,
        per_day: 20,
        removed_today: 0,
        resets_at: midnight,
        waiting: 3,
        too_new: 1,
        oldest_at: sample.time,
        unchecked_users: 12,
      },
    },
  },
  adminListWebhookRefusals: {
    description:
      'Returns how many webhooks were refused, by reason, and the latest ones by minute. A refusal leaves no ' +
      'row, so a sender cannot fill a table. `GET /api/v1/admin/webhooks` lists the accepted ones. Responds ' +
      'while the database is unavailable, too. Nothing in it is about a person, so the audit trail has no row ' +
      'of it.',
    parameters: { reason: 'Only refusals for this reason.' },
    responses: { 200: 'The refusals.' },
    example: {
      response: {
        data: [{ reason: 'bad_signature', last_hour: 2, last_day: 14, total: 95, last_at: sample.time }],
        latest: [{ minute: sample.time, reason: 'bad_signature', count: 2 }],
      },
    },
  },
}
