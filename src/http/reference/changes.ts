import { accountExample } from './accounts.ts'
import { type OperationTexts, sample } from './text.ts'

export const changeTexts: OperationTexts = {
  listChanges: {
    description:
      'Returns items, accounts, transactions, holdings, investment transactions, liabilities and recurring ' +
      'streams that changed, for a client that keeps a copy. Start with `since=0`, which lists everything, ' +
      'and pass `next_since` to the next request. Each row appears in its current state, as its list shows ' +
      'it; a row that its list no longer shows is removed. A row can appear again without a difference. Times ' +
      'of reading (`last_synced_at`, `last_successful_update`, `as_of`) and the closing price in an ' +
      'investment transaction list no row again by themselves. After a restore of the database, or when too ' +
      'much has happened since, the response is 410 `feed_expired`: discard the copy and start again from 0. ' +
      '`since` also takes a change number.',
    responses: { 200: 'A page of changes.' },
    example: {
      response: {
        data: [
          { seq: 41, kind: 'account', op: 'upsert', id: sample.account, account: accountExample },
          { seq: 42, kind: 'transaction', op: 'remove', id: sample.transaction },
        ],
        next_since: 'WyJjaGFuZ2VzIixbMCw0Ml1d',
        has_more: false,
      },
    },
  },
}
