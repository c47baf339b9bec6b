// What each of Plaid's webhooks means. An unknown one is accepted too.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { syncProducts } from '../../../src/sync/products.ts'
import { effectOf, webhookBody } from '../../../src/webhooks/events.ts'

const now = new Date('2026-11-21T12:00:00Z')
const effect = (type: string, code: string, more: object = {}) =>
  effectOf(webhookBody.parse({ webhook_type: type, webhook_code: code, item_id: 'item-1', ...more }), now)

const rows: readonly (readonly [type: string, code: string, products: readonly string[]])[] = [
  ['TRANSACTIONS', 'SYNC_UPDATES_AVAILABLE', ['transactions']],
  ['TRANSACTIONS', 'INITIAL_UPDATE', ['transactions']],
  ['TRANSACTIONS', 'HISTORICAL_UPDATE', ['transactions']],
  ['TRANSACTIONS', 'DEFAULT_UPDATE', ['transactions']],
  ['TRANSACTIONS', 'TRANSACTIONS_REMOVED', ['transactions']],
  ['TRANSACTIONS', 'RECURRING_TRANSACTIONS_UPDATE', ['recurring']],
  ['HOLDINGS', 'DEFAULT_UPDATE', ['holdings']],
  ['INVESTMENTS_TRANSACTIONS', 'DEFAULT_UPDATE', ['investment_transactions']],
  ['INVESTMENTS_TRANSACTIONS', 'HISTORICAL_UPDATE', ['investment_transactions']],
  ['LIABILITIES', 'DEFAULT_UPDATE', ['liabilities']],
  ['ITEM', 'ERROR', ['item']],
  ['ITEM', 'LOGIN_REPAIRED', syncProducts],
  ['ITEM', 'PENDING_DISCONNECT', ['item']],
  ['ITEM', 'PENDING_EXPIRATION', ['item']],
  ['ITEM', 'USER_PERMISSION_REVOKED', []],
  ['ITEM', 'USER_ACCOUNT_REVOKED', ['item', 'balances']],
  ['ITEM', 'NEW_ACCOUNTS_AVAILABLE', ['item']],
  ['ITEM', 'WEBHOOK_UPDATE_ACKNOWLEDGED', []],
  ['AUTH', 'DEFAULT_UPDATE', []],
  ['IDENTITY', 'DEFAULT_UPDATE', []],
  ['LINK', 'SESSION_FINISHED', []],
  ['LINK', 'ITEM_ADD_RESULT', []],
  ['ASSETS', 'PRODUCT_READY', []],
  ['SOMETHING_NEW', 'HAPPENED', []],
  ['ITEM', 'SOMETHING_NEW', []],
  ['constructor', 'toString', []],
  ['__proto__', 'constructor', []],
]

describe('a webhook', () => {
  it.each(rows)('%s %s looks again at %j', (type, code, products) => {
    expect(effect(type, code).products).toEqual(products)
  })

  it.each(rows.filter(([type]) => type !== 'ITEM'))('%s %s says nothing of the item itself', (type, code) => {
    expect(effect(type, code).update).toEqual({})
  })

  it('ERROR is not believed: the item is asked', () => {
    expect(effect('ITEM', 'ERROR', { error: { error_code: 'ITEM_LOGIN_REQUIRED' } }).update).toEqual({})
  })

  it('LOGIN_REPAIRED takes back what was announced', () => {
    expect(effect('ITEM', 'LOGIN_REPAIRED').update).toEqual({ repaired: true })
  })

  it('PENDING_DISCONNECT sets the reason and the time; without a time, a week from now', () => {
    expect(
      effect('ITEM', 'PENDING_DISCONNECT', {
        reason: 'INSTITUTION_MIGRATION',
        disconnect_time: '2026-12-01T00:00:00Z',
      }).update,
    ).toEqual({
      status: 'pending_disconnect',
      statusReason: 'INSTITUTION_MIGRATION',
      disconnectAt: new Date('2026-12-01T00:00:00Z'),
    })
    for (const older of [{}, { reason: null, disconnect_time: null }, { reason: 7, disconnect_time: 'next week' }])
      expect(effect('ITEM', 'PENDING_DISCONNECT', older).update).toEqual({
        status: 'pending_disconnect',
        statusReason: 'PENDING_DISCONNECT',
        disconnectAt: new Date('2026-11-28T12:00:00Z'),
      })
  })

  it('PENDING_EXPIRATION sets the end of consent, if it has one', () => {
    const status = { status: 'pending_expiration', statusReason: 'PENDING_EXPIRATION' }
    expect(
      effect('ITEM', 'PENDING_EXPIRATION', { consent_expiration_time: '2026-11-25T10:00:00.123Z' }).update,
    ).toEqual({ ...status, consentExpiresAt: new Date('2026-11-25T10:00:00.123Z') })
    expect(effect('ITEM', 'PENDING_EXPIRATION').update).toEqual(status)
    expect(effect('ITEM', 'PENDING_EXPIRATION', { consent_expiration_time: 'soon' }).update).toEqual(status)
  })

  it('USER_PERMISSION_REVOKED ends the item', () => {
    expect(effect('ITEM', 'USER_PERMISSION_REVOKED').update).toEqual({
      status: 'revoked',
      statusReason: 'USER_PERMISSION_REVOKED',
    })
  })

  it('USER_ACCOUNT_REVOKED needs no error, which it does not have', () => {
    expect(effect('ITEM', 'USER_ACCOUNT_REVOKED', { account_id: 'account-1' })).toEqual({
      products: ['item', 'balances'],
      update: { revokedPlaidAccountId: 'account-1' },
      action: 'account_revoked',
    })
    expect(effect('ITEM', 'USER_ACCOUNT_REVOKED').update).toEqual({})
  })

  it('NEW_ACCOUNTS_AVAILABLE is a flag', () => {
    expect(effect('ITEM', 'NEW_ACCOUNTS_AVAILABLE').update).toEqual({ newAccountsAvailable: true })
  })

  it('has the same effect with any additional members', () => {
    fc.assert(
      fc.property(fc.constantFrom(...rows), fc.dictionary(fc.string(), fc.jsonValue()), ([type, code], members) => {
        const added = Object.fromEntries(Object.entries(members).map(([name, value]) => [`x_${name}`, value]))
        expect(effect(type, code, added)).toEqual(effect(type, code))
      }),
    )
  })
})

describe('a body', () => {
  it.each([
    [{ webhook_type: 'ITEM' }, 'ITEM', 'UNNAMED'],
    [{ webhook_code: 'ERROR' }, 'UNNAMED', 'ERROR'],
    [{ webhook_type: '', webhook_code: 'ERROR' }, 'UNNAMED', 'ERROR'],
    [{ webhook_type: 'ITEM', webhook_code: 7 }, 'ITEM', 'UNNAMED'],
    [{ webhook_type: 'x'.repeat(101), webhook_code: 'ERROR' }, 'UNNAMED', 'ERROR'],
    [{}, 'UNNAMED', 'UNNAMED'],
  ])('%j is a webhook whose unusable names are UNNAMED', (body, type, code) => {
    expect(webhookBody.parse(body)).toMatchObject({ webhook_type: type, webhook_code: code })
  })

  it.each([[{}], [{ item_id: null }], [{ reason: { nested: 1 } }], [{ disconnect_time: 5 }]])(
    'is accepted with %j',
    (more) => {
      expect(webhookBody.safeParse({ webhook_type: 'ITEM', webhook_code: 'NEW', ...more }).success).toBe(true)
    },
  )
})
