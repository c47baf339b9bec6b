import { accountExample } from './accounts.ts'
import { type OperationTexts, page, paged, sample } from './text.ts'

const itemExample = {
  id: sample.item,
  plaid_item_id: 'example-plaid-item-id',
  institution: { id: 'ins_109508', name: 'First Platypus Bank' },
  status: 'healthy',
  status_reason: null,
  action_required: null,
  possible_duplicate: false,
  products: [{ product: 'transactions', status: 'ok', last_synced_at: sample.time, last_error: null }],
  last_successful_update: sample.time,
  consent_expires_at: null,
  disconnect_at: null,
  removal_at: null,
  created_at: sample.time,
}
const id = { id: 'The id of the item.' }

export const itemTexts: OperationTexts = {
  createLinkToken: {
    description:
      'Creates a link token for a new item, or with `item_id` for update mode of an existing one. The token ' +
      'is bound to the user. Returns the token to open Plaid Link with.',
    body: 'Options of the Link session. All are optional.',
    responses: { 200: 'The link token.' },
    example: {
      request: { redirect_uri: 'https://app.example.com/oauth', language: 'en', country_codes: ['US'] },
      response: { link_token: 'link-sandbox-example', expiration: '2026-03-02T13:30:00Z' },
    },
  },
  exchangePublicToken: {
    description:
      'Exchanges the public token of a finished Link session for an item and starts its first sync. Needs the ' +
      'link token of the session in staging and production. Returns the item; its data arrive in the ' +
      'background. A repeated request returns the same item.',
    body: 'The public token, the link token, and the metadata that Link returned.',
    responses: { 201: 'The new item.' },
    example: {
      request: {
        public_token: 'public-sandbox-example',
        link_token: 'link-sandbox-example',
        institution: { institution_id: 'ins_109508', name: 'First Platypus Bank' },
        accounts: [{ name: 'Plaid Checking', mask: '0000', subtype: 'checking' }],
      },
      response: { ...itemExample, status: 'initializing', products: [], last_successful_update: null },
    },
  },
  listItems: {
    description: `Returns the items of the user with the state of each product, oldest first. ${paged}`,
    responses: { 200: 'A page of items.' },
    example: { response: page(itemExample) },
  },
  getItem: {
    description: 'Returns one item with the state of each product.',
    parameters: id,
    responses: { 200: 'The item.' },
    example: { response: itemExample },
  },
  markItemRepaired: {
    description: 'Reports that the user finished update mode. Schedules a sync of all products and returns the item.',
    parameters: id,
    responses: { 200: 'The item.' },
    example: { response: itemExample },
  },
  refreshItem: {
    description:
      'Asks Plaid to read the bank now: transactions, and investments where the item has them. Plaid bills ' +
      'each of these calls. They are off unless the operator allows them, and limited for each item, each ' +
      'user and the deployment by UTC day; a call that fails counts. The response says that Plaid has ' +
      'accepted the request. A webhook and a sync bring the data within minutes.',
    parameters: { id: 'The id of the item.' },
    responses: { 202: 'Plaid reads the bank.' },
    example: { response: { products: ['transactions', 'investments'] } },
  },
  removeItem: {
    description:
      'Hides the item and its data immediately and removes the item at Plaid. Deletes the data after the ' +
      'retention period, or with `purge` immediately.',
    parameters: id,
    responses: { 204: 'The item is hidden, and its removal at Plaid is queued.' },
  },
  rotateAccessToken: {
    description:
      'Replaces the access token of the item by a new one from Plaid, which invalidates the old one. Waits up ' +
      'to ten seconds for the result.',
    parameters: id,
    responses: { 202: 'The rotation continues in the background.', 204: 'The access token is replaced.' },
  },
  listDuplicates: {
    description:
      'Returns the accounts of the item that duplicate, or may duplicate, other accounts of the user. Of each ' +
      'pair, only one account counts in sums.',
    parameters: id,
    responses: { 200: 'The duplicates of the item.' },
    example: {
      response: { data: [{ account_id: sample.account, duplicate_of: sample.otherAccount, state: 'possible' }] },
    },
  },
  settleDuplicate: {
    description:
      'Stores the decision of the user about a duplicate: merge it into another account, or keep both. A ' +
      'merge keeps the id, notes, categories and history of the target account. If both items are live, both ' +
      'accounts remain and one of them counts. Returns the account that counts.',
    parameters: { ...id, account_id: 'The id of the duplicate account.' },
    body: 'The decision: either `merge_into` or `keep`.',
    responses: { 200: 'The account that counts.' },
    example: { request: { merge_into: sample.otherAccount }, response: { ...accountExample, id: sample.otherAccount } },
  },
}
