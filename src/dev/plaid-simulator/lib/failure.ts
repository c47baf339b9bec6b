// Plaid's errors: the table from code to type, status and message, and the response body. The messages are the
// simulator's, because clients must decide by type and code.

export interface ErrorBody {
  error_type: string
  error_code: string
  error_message: string
  display_message: string | null
  documentation_url?: string
  suggested_action?: string | null
  [more: string]: unknown
}

interface Row {
  type: string
  status: number
  message: string
  display?: string
}

const input = (message: string): Row => ({ type: 'INVALID_INPUT', status: 400, message })
const request = (message: string, status = 400): Row => ({ type: 'INVALID_REQUEST', status, message })
const item = (message: string, display?: string): Row => ({
  type: 'ITEM_ERROR',
  status: 400,
  message,
  ...(display !== undefined && { display }),
})
const institution = (message: string, display: string): Row => ({
  type: 'INSTITUTION_ERROR',
  status: 400,
  message,
  display,
})
const limit = (message = 'too many calls for this item in the last minute, try again later'): Row => ({
  type: 'RATE_LIMIT_EXCEEDED',
  status: 429,
  message,
})

const table = {
  INVALID_BODY: request('the body is not a JSON object'),
  INVALID_FIELD: request('a field has a value that is not allowed'),
  MISSING_FIELDS: request('a required field is missing'),
  UNKNOWN_FIELDS: request('the body has fields that this endpoint does not know'),
  NOT_FOUND: request('there is no such endpoint', 404),
  SANDBOX_ONLY: request('this endpoint exists in the sandbox only'),

  INVALID_API_KEYS: input('the client_id or the secret is wrong'),
  INVALID_ACCESS_TOKEN: input('the access token is wrong, or belongs to another environment'),
  INVALID_PUBLIC_TOKEN: input('the public token is wrong, used up or expired'),
  INVALID_LINK_TOKEN: input('the link token is wrong or expired'),
  INVALID_ACCOUNT_ID: input('the item has no open account with this id'),
  INVALID_INSTITUTION: input('there is no institution with this id'),
  INVALID_PRODUCT: input('the client may not use one of these products'),
  INVALID_WEBHOOK_VERIFICATION_KEY_ID: input('there is no webhook verification key with this id'),
  UNAUTHORIZED_ENVIRONMENT: input('the client may not use this environment'),

  ITEM_LOGIN_REQUIRED: item(
    'the login of this item has changed, and the user must log in again in update mode',
    'The account needs a new log-in.',
  ),
  ITEM_NOT_FOUND: item('the item does not exist, was removed, or its user withdrew the access'),
  ITEM_LOCKED: item('the account at the institution is locked', 'The account at the bank is locked.'),
  ITEM_NOT_SUPPORTED: item('this kind of item is not supported at the institution'),
  ITEM_NO_VERIFICATION: item('the item has no way of verification that the institution accepts'),
  ACCESS_NOT_GRANTED: item('the user did not grant the access that the product needs', 'Access was not granted.'),
  ADDITIONAL_CONSENT_REQUIRED: item('the user has not consented to this product'),
  INSUFFICIENT_CREDENTIALS: item('the user stopped before the login was complete'),
  INVALID_CREDENTIALS: item('the credentials are wrong', 'The credentials are wrong.'),
  INVALID_MFA: item('the MFA answer is wrong', 'The code is wrong.'),
  INVALID_SEND_METHOD: item('the way of sending the code is not available'),
  INVALID_UPDATED_USERNAME: item('the user name belongs to another account than before'),
  MANUAL_VERIFICATION_REQUIRED: item('the bank wants the user to do something by hand'),
  MFA_NOT_SUPPORTED: item('the kind of second factor is not supported'),
  NO_ACCOUNTS: item('the item has no open accounts', 'No open account was found.'),
  NO_AUTH_ACCOUNTS: item('the item has no account with account and routing numbers'),
  NO_INVESTMENT_ACCOUNTS: item('the item has no investment account'),
  NO_LIABILITY_ACCOUNTS: item('the item has no liability account'),
  PASSWORD_RESET_REQUIRED: item('the bank wants a new password', 'The bank wants a new password.'),
  PRODUCT_NOT_ENABLED: item('the item is not enabled for this product'),
  PRODUCT_NOT_READY: item('the product is not ready yet, wait for the webhook'),
  PRODUCTS_NOT_SUPPORTED: item('the institution or the item does not support this product'),
  USER_INPUT_TIMEOUT: item('the user took too long', 'The session has timed out.'),
  USER_PERMISSION_REVOKED: item('the holder of the account has withdrawn the permission'),
  USER_SETUP_REQUIRED: item('the user must finish something at the bank first', 'The bank needs something from you.'),

  INSTITUTION_DOWN: institution('the institution is down', 'The bank is not available now.'),
  INSTITUTION_NOT_RESPONDING: institution('the institution does not respond', 'The bank does not respond now.'),
  INSTITUTION_NOT_AVAILABLE: institution('the institution is not available', 'The bank is not available now.'),
  INSTITUTION_NO_LONGER_SUPPORTED: institution('the institution is no longer supported', 'The bank is not supported.'),
  INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT: institution('the institution is not in this environment', 'Not available.'),

  TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION: {
    type: 'TRANSACTIONS_ERROR',
    status: 400,
    message: 'the transactions changed between two pages: restart from the cursor that the first page was asked with',
  },

  ACCOUNTS_LIMIT: limit(),
  ADDITION_LIMIT: limit('too many items were added'),
  AUTH_LIMIT: limit(),
  BALANCE_LIMIT: limit(),
  CREDITS_EXHAUSTED: limit('the client has used up its calls'),
  IDENTITY_LIMIT: limit(),
  INSTITUTION_RATE_LIMIT: limit('the institution limits the calls'),
  INSTITUTIONS_GET_LIMIT: limit('too many calls by this client in the last minute'),
  INSTITUTIONS_GET_BY_ID_LIMIT: limit('too many calls by this client in the last minute'),
  INVESTMENT_HOLDINGS_GET_LIMIT: limit(),
  INVESTMENT_TRANSACTIONS_LIMIT: limit(),
  ITEM_GET_LIMIT: limit(),
  RATE_LIMIT: limit('too many calls in the last minute'),
  TRANSACTIONS_LIMIT: limit(),
  TRANSACTIONS_REFRESH_LIMIT: limit(),
  TRANSACTIONS_SYNC_LIMIT: limit(),

  INTERNAL_SERVER_ERROR: { type: 'API_ERROR', status: 500, message: 'something went wrong, try again' },
  PLANNED_MAINTENANCE: { type: 'API_ERROR', status: 503, message: 'planned maintenance, try again later' },
  PLAID_ERROR: { type: 'API_ERROR', status: 500, message: 'something went wrong, try again' },

  USER_NOT_FOUND: { type: 'USER_ERROR', status: 400, message: 'there is no user with this id, or not any more' },

  SANDBOX_PRODUCT_NOT_ENABLED: {
    type: 'SANDBOX_ERROR',
    status: 400,
    message: 'the item does not have the product that this webhook belongs to',
  },
  SANDBOX_WEBHOOK_INVALID: {
    type: 'SANDBOX_ERROR',
    status: 400,
    message: 'the item has no webhook that could be fired',
  },
} satisfies Record<string, Row>

export type ErrorCode = keyof typeof table

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(table, text)
}

/** An error response: thrown by endpoints, sent by the app with its status. */
export class PlaidFailure extends Error {
  override readonly name = 'PlaidFailure'
  readonly status: number
  readonly body: ErrorBody

  constructor(status: number, body: ErrorBody) {
    super(body.error_code)
    this.status = status
    this.body = body
  }
}

/** The failure with this code. `message` replaces the one of the table. */
export function failure(code: ErrorCode, message?: string): PlaidFailure {
  const row: Row = table[code]
  return new PlaidFailure(row.status, {
    display_message: row.display ?? null,
    documentation_url: 'https://plaid.com/docs/errors/',
    error_code: code,
    error_message: message ?? row.message,
    error_type: row.type,
    suggested_action: null,
  })
}

/** An error as it appears in an item or a webhook: with its status, without a request id. */
export function errorInside(code: ErrorCode): ErrorBody {
  const { status, body } = failure(code)
  return { ...body, status }
}
