// The routes for administrators about one item and about what an id names.
import { type OperationTexts, page, paged, sample } from './text.ts'

export const itemExample = {
  id: sample.item,
  user_id: sample.user,
  plaid_item_id: 'example-plaid-item-id',
  institution_id: 'ins_109508',
  status: 'healthy',
  status_reason: null,
  missed_webhooks: 0,
  created_at: sample.time,
  removed_at: null,
  products: [
    {
      id: sample.row,
      product: 'transactions',
      status: 'ok',
      dirty: false,
      attempts: 0,
      next_attempt_at: '2026-03-03T08:12:00.000Z',
      last_synced_at: sample.time,
      last_error: null,
    },
  ],
}

export const adminSearchTexts: OperationTexts = {
  adminGetItem: {
    description:
      'Returns an item of any user with the state of its syncs. Removed items are included until their data are deleted.',
    parameters: { id: 'The id of the item.' },
    responses: { 200: 'The item.' },
    example: { response: itemExample },
  },
  adminListItemTimeline: {
    description:
      'Returns what happened to an item, newest first: webhooks received, sync runs with Plaid’s request ids, ' +
      'changes of its status with the run or webhook that caused them, rows of the audit trail, Link sessions, ' +
      `exchanges, its removal at Plaid and dead letters. ${paged}`,
    parameters: { id: 'The id of the item.', kind: 'Only entries of this kind.' },
    responses: { 200: 'A page of the timeline.' },
    example: {
      response: page({
        id: sample.run,
        kind: 'sync_run',
        at: sample.time,
        what: 'failed',
        product: 'transactions',
        error_code: 'ITEM_LOGIN_REQUIRED',
        plaid_request_ids: ['example-plaid-request-id'],
        request_id: null,
        raw: { product: 'transactions', trigger: 'webhook', outcome: 'failed', error_code: 'ITEM_LOGIN_REQUIRED' },
      }),
    },
  },
  adminSearch: {
    description:
      'Returns what an id names: ours of any object, Plaid’s of an item, an account or a transaction, Plaid’s ' +
      'or our request id, a link token or a public token. Tokens are looked up by their digest; they are ' +
      'neither stored nor logged. Access tokens and other secrets are refused. The list is empty if nothing ' +
      'has the id. The trails of the users who are found record the search.',
    body: 'The id.',
    responses: { 200: 'What was found.' },
    example: {
      request: { id: 'example-plaid-item-id' },
      response: {
        data: [
          {
            kind: 'item',
            id: sample.item,
            item_id: sample.item,
            user_id: sample.user,
            at: sample.time,
            see: `/api/v1/admin/items/${sample.item}/timeline`,
          },
        ],
      },
    },
  },
}
