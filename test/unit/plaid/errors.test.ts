// What Plaid's errors mean: the table of error types and codes, and the default for an unknown pair.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { classify, type FailureClass, type PlaidFailure } from '../../../src/plaid/errors.ts'
import { toAppError } from '../../../src/plaid/app-error.ts'

/** The pairs of type and code in Plaid's error reference, by class. */
const table: Readonly<Record<FailureClass, readonly (readonly [type: string, code: string])[]>> = {
  retry: [
    ['API_ERROR', 'INTERNAL_SERVER_ERROR'],
    ['API_ERROR', 'PLANNED_MAINTENANCE'],
  ],
  rate_limited: [
    ['RATE_LIMIT_EXCEEDED', 'TRANSACTIONS_SYNC_LIMIT'],
    ['RATE_LIMIT_EXCEEDED', 'ITEM_GET_LIMIT'],
    ['RATE_LIMIT_EXCEEDED', 'INSTITUTION_RATE_LIMIT'],
  ],
  institution_down: [
    ['INSTITUTION_ERROR', 'INSTITUTION_DOWN'],
    ['INSTITUTION_ERROR', 'INSTITUTION_NOT_RESPONDING'],
    ['INSTITUTION_ERROR', 'INSTITUTION_NOT_AVAILABLE'],
  ],
  // Only this product's rate limiter defers a call.
  deferred: [],
  restart: [['TRANSACTIONS_ERROR', 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION']],
  not_ready: [['ITEM_ERROR', 'PRODUCT_NOT_READY']],
  update_mode: [
    ['ITEM_ERROR', 'ITEM_LOGIN_REQUIRED'],
    ['ITEM_ERROR', 'ACCESS_NOT_GRANTED'],
    ['ITEM_ERROR', 'INVALID_CREDENTIALS'],
    ['ITEM_ERROR', 'INVALID_MFA'],
    ['ITEM_ERROR', 'INSUFFICIENT_CREDENTIALS'],
    ['ITEM_ERROR', 'MANUAL_VERIFICATION_REQUIRED'],
    ['ITEM_ERROR', 'NO_ACCOUNTS'],
  ],
  at_bank: [
    ['ITEM_ERROR', 'ITEM_LOCKED'],
    ['ITEM_ERROR', 'PASSWORD_RESET_REQUIRED'],
    ['ITEM_ERROR', 'USER_SETUP_REQUIRED'],
  ],
  product_absent: [
    ['ITEM_ERROR', 'PRODUCTS_NOT_SUPPORTED'],
    ['ITEM_ERROR', 'PRODUCT_NOT_ENABLED'],
    ['ITEM_ERROR', 'NO_INVESTMENT_ACCOUNTS'],
    ['ITEM_ERROR', 'NO_LIABILITY_ACCOUNTS'],
  ],
  consent_needed: [['ITEM_ERROR', 'ADDITIONAL_CONSENT_REQUIRED']],
  gone: [
    ['ITEM_ERROR', 'ITEM_NOT_FOUND'],
    ['ITEM_ERROR', 'ITEM_CONCURRENTLY_DELETED'],
    ['INVALID_INPUT', 'INVALID_ACCESS_TOKEN'],
  ],
  revoked: [['ITEM_ERROR', 'USER_PERMISSION_REVOKED']],
  relink: [
    ['ITEM_ERROR', 'INVALID_UPDATED_USERNAME'],
    ['ITEM_ERROR', 'ITEM_NOT_SUPPORTED'],
    ['INSTITUTION_ERROR', 'INSTITUTION_NO_LONGER_SUPPORTED'],
  ],
  // No documented pair: an unknown error of an item.
  item_error: [['ITEM_ERROR', 'SOMETHING_NEW']],
  ours: [
    ['INSTITUTION_ERROR', 'INSTITUTION_REGISTRATION_REQUIRED'],
    ['INSTITUTION_ERROR', 'UNAUTHORIZED_INSTITUTION'],
    ['INSTITUTION_ERROR', 'INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT'],
    ['INVALID_INPUT', 'INVALID_API_KEYS'],
    ['INVALID_INPUT', 'INVALID_PRODUCT'],
    ['INVALID_REQUEST', 'INVALID_FIELD'],
    ['INVALID_REQUEST', 'MISSING_FIELDS'],
    ['INVALID_REQUEST', 'UNKNOWN_FIELDS'],
    ['RATE_LIMIT_EXCEEDED', 'CREDITS_EXHAUSTED'],
  ],
}
const rows = Object.entries(table).flatMap(([name, pairs]) => pairs.map(([type, code]) => ({ name, type, code })))

describe('a pair that Plaid documents', () => {
  it.each(rows)('$type $code is $name', ({ name, type, code }) => {
    expect(classify(type, code, 400)).toBe(name)
  })
})

describe('an unknown pair', () => {
  it.each([
    ['API_ERROR', 400, 'retry'],
    ['RATE_LIMIT_EXCEEDED', 429, 'rate_limited'],
    ['INSTITUTION_ERROR', 400, 'institution_down'],
    ['ITEM_ERROR', 400, 'item_error'],
    ['NEW_ERROR', 400, 'ours'],
    ['NEW_ERROR', 404, 'ours'],
    ['NEW_ERROR', 429, 'rate_limited'],
    ['NEW_ERROR', 500, 'retry'],
    ['NEW_ERROR', 503, 'retry'],
    ['', 0, 'retry'],
  ])('has, with type %j and status %i, the class %s', (type, status, expected) => {
    expect(classify(type, 'NEW_CODE', status)).toBe(expected)
  })

  it('is never taken for a member of every object', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(classify('NEW_ERROR', name, 400)).toBe('ours')
      expect(classify(name, 'NEW_CODE', 400)).toBe('ours')
    }
  })

  it('has one of the classes for every pair', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.integer({ min: 0, max: 599 }), (type, code, status) => {
        expect(Object.keys(table)).toContain(classify(type, code, status))
      }),
    )
  })
})

describe('an error for a waiting user', () => {
  const failure = (name: FailureClass): PlaidFailure => ({
    class: name,
    errorType: 'SOME_TYPE',
    errorCode: 'SOME_CODE',
    status: 400,
    requestId: 'request-1',
    retryAfterSeconds: null,
  })
  it.each([
    ['retry', 'plaid_unavailable'],
    ['restart', 'plaid_unavailable'],
    ['institution_down', 'plaid_unavailable'],
    ['not_ready', 'plaid_unavailable'],
    ['rate_limited', 'plaid_unavailable'],
    ['update_mode', 'item_needs_attention'],
    ['at_bank', 'item_needs_attention'],
    ['relink', 'item_needs_attention'],
    ['revoked', 'item_needs_attention'],
    ['gone', 'item_needs_attention'],
    ['consent_needed', 'item_needs_attention'],
    ['product_absent', 'plaid_rejected'],
    ['ours', 'plaid_rejected'],
  ] as const)('becomes, for %s, %s without text from Plaid', (name, code) => {
    const error = toAppError(failure(name))
    expect(error).toBeInstanceOf(AppError)
    expect(error.code).toBe(code)
    expect(error.detail).not.toMatch(/SOME_|request-1/)
    expect(error.reason).toBe('SOME_TYPE SOME_CODE request-1')
  })

  it('has Retry-After from Plaid, otherwise half a minute', () => {
    expect(toAppError({ ...failure('rate_limited'), retryAfterSeconds: 7 }).retryAfterSeconds).toBe(7)
    expect(toAppError(failure('retry')).retryAfterSeconds).toBe(30)
    expect(toAppError(failure('ours')).retryAfterSeconds).toBeUndefined()
  })
})
