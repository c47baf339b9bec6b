// Classifies Plaid's errors by error_type and error_code.
import * as z from 'zod'

/**
 * - `retry`: Plaid or the network, later · `institution_down`: the bank, hours · `rate_limited`: after the given time
 * - `deferred`: our rate limiter admitted no call; the time of the next attempt is known
 * - `restart`: read the loop again from its first cursor · `not_ready`: minutes, or the webhook
 * - `update_mode`: the user must log in again · `at_bank`: the user must act at the bank · `relink`: only a new item
 *   helps
 * - `product_absent`: this item has no such product · `consent_needed`: the user has not agreed to share it
 * - `gone`: Plaid no longer has the item · `revoked`: the user withdrew their permission
 * - `item_error`: an item error that this table does not know; the item's state has the details
 * - `ours`: our request or account is at fault; logged as an error, not retried
 */
export type FailureClass =
  | 'retry'
  | 'institution_down'
  | 'rate_limited'
  | 'deferred'
  | 'restart'
  | 'not_ready'
  | 'update_mode'
  | 'at_bank'
  | 'product_absent'
  | 'consent_needed'
  | 'gone'
  | 'revoked'
  | 'relink'
  | 'item_error'
  | 'ours'

export interface PlaidFailure {
  readonly class: FailureClass
  readonly errorType: string
  readonly errorCode: string
  /** HTTP status; 0 without a response. */
  readonly status: number
  readonly requestId: string | null
  readonly retryAfterSeconds: number | null
}

/** The code of a call that was not made because its access token belongs to another environment than `PLAID_ENV`. */
export const foreignTokenCode = 'ACCESS_TOKEN_OF_ANOTHER_ENVIRONMENT'

/** The code of a call that was not made because the deployment is frozen. */
export const frozenCode = 'FROZEN'

/** A map, because an object also has inherited keys such as `constructor`. */
const tableOf = (classes: Readonly<Record<string, FailureClass>>): ReadonlyMap<string, FailureClass> =>
  new Map(Object.entries(classes))

const codeClasses = tableOf({
  INTERNAL_SERVER_ERROR: 'retry',
  PLANNED_MAINTENANCE: 'retry',
  INSTITUTION_DOWN: 'institution_down',
  INSTITUTION_NOT_RESPONDING: 'institution_down',
  INSTITUTION_NOT_AVAILABLE: 'institution_down',
  TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION: 'restart',
  PRODUCT_NOT_READY: 'not_ready',
  NOT_READY: 'not_ready',
  ITEM_LOGIN_REQUIRED: 'update_mode',
  ACCESS_NOT_GRANTED: 'update_mode',
  INVALID_CREDENTIALS: 'update_mode',
  INVALID_MFA: 'update_mode',
  INSUFFICIENT_CREDENTIALS: 'update_mode',
  MANUAL_VERIFICATION_REQUIRED: 'update_mode',
  NO_ACCOUNTS: 'update_mode',
  ITEM_LOCKED: 'at_bank',
  PASSWORD_RESET_REQUIRED: 'at_bank',
  USER_SETUP_REQUIRED: 'at_bank',
  PRODUCTS_NOT_SUPPORTED: 'product_absent',
  PRODUCT_NOT_ENABLED: 'product_absent',
  NO_INVESTMENT_ACCOUNTS: 'product_absent',
  NO_LIABILITY_ACCOUNTS: 'product_absent',
  NO_AUTH_ACCOUNTS: 'product_absent',
  ADDITIONAL_CONSENT_REQUIRED: 'consent_needed',
  ITEM_NOT_FOUND: 'gone',
  ITEM_CONCURRENTLY_DELETED: 'gone',
  INVALID_ACCESS_TOKEN: 'gone',
  USER_PERMISSION_REVOKED: 'revoked',
  INVALID_UPDATED_USERNAME: 'relink',
  INSTITUTION_NO_LONGER_SUPPORTED: 'relink',
  ITEM_NOT_SUPPORTED: 'relink',
  INVALID_API_KEYS: 'ours',
  INVALID_PRODUCT: 'ours',
  CREDITS_EXHAUSTED: 'ours',
  // Institution errors that the operator has to resolve with Plaid.
  INSTITUTION_REGISTRATION_REQUIRED: 'ours',
  UNAUTHORIZED_INSTITUTION: 'ours',
  INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT: 'ours',
})

const typeClasses = tableOf({
  API_ERROR: 'retry',
  RATE_LIMIT_EXCEEDED: 'rate_limited',
  RATE_LIMIT_ERROR: 'rate_limited',
  INSTITUTION_ERROR: 'institution_down',
  ITEM_ERROR: 'item_error',
})

/** Classifies Plaid's errors. An unknown pair is `retry` after a 5xx or 429, otherwise `ours`. */
export function classify(errorType: string, errorCode: string, status: number): FailureClass {
  const known = codeClasses.get(errorCode) ?? typeClasses.get(errorType)
  if (known !== undefined) return known
  if (status === 429) return 'rate_limited'
  return status === 0 || status >= 500 ? 'retry' : 'ours'
}

/**
 * Whether Plaid may have carried out the call although no response says so. A call that changes something is then not
 * repeated.
 */
export const isOutcomeUnknown = (failure: PlaidFailure): boolean =>
  failure.class === 'retry' || failure.errorType === 'CONTRACT'

export const plaidErrorSchema = z.object({
  error_type: z.string(),
  error_code: z.string(),
  request_id: z.string().nullish(),
})
