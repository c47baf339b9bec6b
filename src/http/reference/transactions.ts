import { type OperationTexts, page, paged, sample } from './text.ts'

const transactionExample = {
  id: sample.transaction,
  plaid_transaction_id: 'example-plaid-transaction-id',
  account_id: sample.account,
  date: '2026-03-01',
  authorized_date: '2026-02-28',
  amount: '4.5',
  currency: 'USD',
  name: 'Coffee',
  merchant: { name: 'Example Coffee', logo_url: null, website: 'coffee.example.com' },
  category: {
    primary: 'FOOD_AND_DRINK',
    detailed: 'FOOD_AND_DRINK_COFFEE',
    confidence: 'VERY_HIGH',
    version: 'v2',
  },
  pending: false,
  payment_channel: 'in store',
  note: null,
  user_category: null,
  hidden: false,
  category_rule_id: null,
  hidden_rule_id: null,
}
const id = { id: 'The id of the transaction.' }

export const transactionTexts: OperationTexts = {
  listTransactions: {
    description: `Returns the transactions that match all given filters, newest first. ${paged}`,
    responses: { 200: 'A page of transactions.' },
    example: { response: page(transactionExample) },
  },
  listTransactionChanges: {
    description:
      'Returns the changes after a change number, in order. Each transaction appears once, in its current ' +
      'state. Start with `since=0` and pass `next_since` to the next request.',
    responses: { 200: 'A page of changes.' },
    example: {
      response: {
        data: [
          { seq: 41, op: 'upsert', transaction: transactionExample },
          { seq: 42, op: 'remove', transaction: { id: sample.row }, expired: false },
        ],
        next_since: 42,
        has_more: false,
      },
    },
  },
  listRecurringTransactions: {
    description: `Returns the recurring inflows and outflows that Plaid found, newest first. ${paged}`,
    responses: { 200: 'A page of recurring streams.' },
    example: {
      response: page({
        id: sample.row,
        plaid_stream_id: 'example-plaid-stream-id',
        account_id: sample.account,
        direction: 'outflow',
        description: 'Example Streaming',
        merchant_name: 'Example Streaming',
        category: { primary: 'ENTERTAINMENT', detailed: 'ENTERTAINMENT_TV_AND_MOVIES' },
        first_date: '2025-03-15',
        last_date: '2026-02-15',
        predicted_next_date: '2026-03-15',
        frequency: 'MONTHLY',
        average_amount: '9.99',
        last_amount: '9.99',
        currency: 'USD',
        active: true,
        status: 'MATURE',
        transaction_ids: [sample.transaction],
        plaid_transaction_ids: ['example-plaid-transaction-id'],
      }),
    },
  },
  getTransaction: {
    description: 'Returns one transaction.',
    parameters: id,
    responses: { 200: 'The transaction.' },
    example: { response: transactionExample },
  },
  editTransaction: {
    description:
      'Sets the note, the category or the visibility of a transaction. Syncs keep these edits, and rules do ' +
      'not change them: a category that is cleared stays cleared. Returns the transaction.',
    parameters: id,
    body: 'The fields to change. An absent field stays as it is; null clears it.',
    responses: { 200: 'The transaction with its edits.' },
    example: {
      request: { note: 'Team lunch', user_category: 'Business' },
      response: { ...transactionExample, note: 'Team lunch', user_category: 'Business' },
    },
  },
}
