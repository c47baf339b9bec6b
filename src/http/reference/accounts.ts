import { type OperationTexts, page, paged, sample } from './text.ts'

const run = {
  id: sample.run,
  item_id: sample.item,
  product: 'transactions',
  trigger: 'webhook',
  outcome: 'committed',
  error_code: null,
  pages: 1,
  restarts: 0,
  upserted: 12,
  removed: 1,
  set_aside: 0,
  started_at: sample.time,
  finished_at: '2026-03-02T09:30:01.250Z',
}

/** Also used for an administrator's list. */
export const runExample = run

export const accountExample = {
  id: sample.account,
  plaid_account_id: 'example-plaid-account-id',
  item_id: sample.item,
  name: 'Household',
  bank_name: 'Plaid Checking',
  official_name: 'Plaid Gold Standard 0% Interest Checking',
  mask: '0000',
  type: 'depository',
  subtype: 'checking',
  balances: { current: '110', available: '100', limit: null, currency: 'USD', as_of: sample.time },
  closed: false,
  hidden: false,
  in_insights: true,
  duplicate_of: null,
  possible_duplicate: false,
}

export const accountTexts: OperationTexts = {
  syncAll: {
    description: 'Schedules a sync of all products of all items of the user. Returns how many products were scheduled.',
    responses: { 202: 'The syncs are scheduled.' },
    example: { response: { queued: 14 } },
  },
  syncItem: {
    description: 'Schedules a sync of all products of one item. Returns how many products were scheduled.',
    parameters: { item_id: 'The id of the item.' },
    responses: { 202: 'The syncs are scheduled.' },
    example: { response: { queued: 7 } },
  },
  listSyncRuns: {
    description: `Returns the sync runs of the user, newest first. ${paged}`,
    responses: { 200: 'A page of sync runs.' },
    example: { response: page(run) },
  },
  listAccounts: {
    description:
      'Returns the accounts of the user, closed ones included, oldest first. Leaves out hidden accounts unless ' +
      `the request includes them. ${paged}`,
    responses: { 200: 'A page of accounts.' },
    example: { response: page(accountExample) },
  },
  getAccount: {
    description: 'Returns one account with its newest balances.',
    parameters: { id: 'The id of the account.' },
    responses: { 200: 'The account.' },
    example: { response: accountExample },
  },
  editAccount: {
    description:
      'Gives the account another name, hides it, or leaves it out of insights. Syncs and relinks keep these ' +
      'edits. A hidden account is left out of `GET /accounts`, and its rows are left out of the lists of ' +
      'transactions, recurring transactions, holdings, investment transactions and liabilities, unless the ' +
      'request has `include_hidden=true` or its `account_id`. The change feed contains them. `hidden` and ' +
      '`in_insights` are independent. Returns the account.',
    parameters: { id: 'The id of the account.' },
    body: 'The fields to change. An absent field stays as it is; `name: null` gives the name of the institution back.',
    responses: { 200: 'The account with its edits.' },
    example: { request: { name: 'Household', in_insights: true }, response: accountExample },
  },
  listBalances: {
    description:
      'Returns the balances of an account at the end of each day, oldest first. Days before the first reported ' +
      `balance are estimated from the posted transactions, back to the oldest one. ${paged}`,
    parameters: { id: 'The id of the account.' },
    responses: { 200: 'A page of daily balances.' },
    example: {
      response: {
        data: [
          {
            date: '2026-03-01',
            current: '110',
            available: '100',
            limit: null,
            currency: 'USD',
            as_of: '2026-03-01T21:04:00.000Z',
            estimated: false,
          },
        ],
        next_cursor: null,
        estimated_from: '2024-03-02',
        estimate_ends: 'oldest_transaction',
      },
    },
  },
}
