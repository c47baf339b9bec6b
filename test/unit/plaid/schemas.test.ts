// The schemas of Plaid's responses: lenient with absent and new fields, strict with amounts.
import { describe, expect, it } from 'vitest'
import { parseExactJson } from '../../../src/exact-json.ts'
import * as linkSchemas from '../../../src/plaid/link-schemas.ts'
import * as schemas from '../../../src/plaid/schemas.ts'

const plain = {
  transaction_id: 't1',
  account_id: 'a1',
  date: '2026-11-21',
  amount: '12.5',
  name: 'Shop',
  pending: false,
}

describe('a transaction', () => {
  it('needs no more than its ids, its day, its amount and whether it is pending', () => {
    const { name: _name, ...least } = plain
    expect(schemas.transaction.parse(least)).toEqual({
      ...least,
      pending_transaction_id: null,
      authorized_date: null,
      iso_currency_code: null,
      unofficial_currency_code: null,
      name: null,
      merchant_name: null,
      logo_url: null,
      website: null,
      personal_finance_category: null,
      payment_channel: null,
    })
  })

  it('may have any member that Plaid adds, and null where a text was', () => {
    const parsed = schemas.transaction.parse({
      ...plain,
      personal_finance_category: null,
      merchant_name: null,
      new_one: {},
    })
    expect(parsed).not.toHaveProperty('new_one')
    expect(parsed).toMatchObject({ merchant_name: null, personal_finance_category: null })
  })

  it('keeps a currency that is no ISO currency', () => {
    expect(schemas.transaction.parse({ ...plain, unofficial_currency_code: 'DOGE' })).toMatchObject({
      iso_currency_code: null,
      unofficial_currency_code: 'DOGE',
    })
  })

  it('has text that Postgres can hold', () => {
    const given = parseExactJson('{"name":"a\\u0000b \\ud800 ü 😀"}')
    const { name } = schemas.transaction.parse({ ...plain, ...(typeof given === 'object' ? given : {}) })
    expect(name).toBe('ab \ufffd ü 😀')
  })

  it.each([
    ['amount', 12.5],
    ['amount', null],
    ['amount', ''],
    ['amount', 'NaN'],
    ['amount', '1,5'],
    ['amount', '9'.repeat(401)],
    ['date', null],
    ['date', '2026-02-30'],
    ['date', '2025-02-29'],
    ['date', '1900-02-29'],
    ['date', '2026-13-01'],
    ['date', '2026-00-10'],
    ['date', '0000-01-01'],
    ['date', '2026-1-1'],
    ['date', '20261121'],
    ['date', '12026-11-21'],
    ['date', '2026-11-21x'],
    ['transaction_id', ''],
    ['transaction_id', ' '],
    ['transaction_id', 'i'.repeat(501)],
    ['account_id', {}],
  ])('is refused with %s %j', (member, value) => {
    expect(schemas.transaction.safeParse({ ...plain, [member]: value }).success).toBe(false)
  })
})

describe('a value of another form', () => {
  const read = (change: object) => schemas.transaction.parse({ ...plain, ...change })

  it.each([
    ['amount', '12.50', '12.5'],
    ['amount', '1e3', '1000'],
    ['date', '2026-11-21T23:59:59-08:00', '2026-11-21'],
    ['date', '2024-02-29', '2024-02-29'],
    ['date', '0001-01-01', '0001-01-01'],
    ['date', '9999-12-31', '9999-12-31'],
    ['pending', 'true', true],
    ['pending', null, false],
    ['pending', 'perhaps', false],
    ['name', ' ', null],
    ['name', '7', '7'],
    ['name', { a: 1 }, null],
    ['authorized_date', '', null],
    ['authorized_date', '2026-02-31', null],
    ['iso_currency_code', '', null],
    ['personal_finance_category', 'FOOD', null],
    ['personal_finance_category', { primary: '', detailed: null }, null],
  ])('%s %j reads as %j', (member, given, expected) => {
    expect(read({ [member]: given })).toMatchObject({ [member]: expected })
  })

  it('keeps half of a category', () => {
    expect(read({ personal_finance_category: { primary: 'FOOD' } }).personal_finance_category).toEqual({
      primary: 'FOOD',
      detailed: null,
      confidence_level: null,
      version: null,
    })
  })
})

describe('an account', () => {
  const read = (given: object) => schemas.account.parse({ account_id: 'a', ...given })

  it.each([
    [{ name: 'Own', official_name: 'Official' }, 'Own'],
    [{ name: '', official_name: 'Official', mask: '1111' }, 'Official'],
    [{ name: null, subtype: 'checking', mask: '1111' }, 'checking 1111'],
    [{ name: [], type: 'loan' }, 'loan'],
    [{ mask: '1111' }, 'Account 1111'],
    [{}, 'Account'],
  ])('%j has the name %j', (given, name) => {
    expect(read(given)).toMatchObject({ name, type: 'type' in given ? given.type : 'other' })
  })

  it('may have no balances', () => {
    for (const balances of [undefined, null, '', 7, [], { current: '', available: 'x', limit: {} }])
      expect(read({ balances }).balances).toEqual({
        current: null,
        available: null,
        limit: null,
        iso_currency_code: null,
        unofficial_currency_code: null,
      })
  })
})

describe('a holding', () => {
  const given = { account_id: 'a', security_id: 's', quantity: '2' }

  it('needs a price or a value', () => {
    expect(schemas.holding.safeParse({ ...given, institution_price: '3' }).success).toBe(true)
    expect(schemas.holding.safeParse({ ...given, institution_value: '6' }).success).toBe(true)
    expect(schemas.holding.safeParse({ ...given, institution_price: 'x', institution_value: '' }).success).toBe(false)
  })
})

describe('an error of an item', () => {
  const errorOf = (error: unknown) => linkSchemas.itemGet.parse({ item: { item_id: 'i', error } }).item.error

  it.each([undefined, null, '', '  ', false])('is ignored when it is %j', (given) => {
    expect(errorOf(given)).toBeNull()
  })

  it.each([
    [{ error_type: 'ITEM_ERROR', error_code: 'ITEM_LOGIN_REQUIRED' }, 'ITEM_ERROR', 'ITEM_LOGIN_REQUIRED'],
    [{ error_code: 'ITEM_LOGIN_REQUIRED' }, 'ITEM_ERROR', 'ITEM_LOGIN_REQUIRED'],
    [{ error_type: null, error_code: 7 }, 'ITEM_ERROR', 'UNKNOWN_ERROR'],
    [{}, 'ITEM_ERROR', 'UNKNOWN_ERROR'],
    ['ITEM_LOGIN_REQUIRED', 'ITEM_ERROR', 'ITEM_LOGIN_REQUIRED'],
    ['the bank said no', 'ITEM_ERROR', 'UNKNOWN_ERROR'],
    [[], 'ITEM_ERROR', 'UNKNOWN_ERROR'],
    [true, 'ITEM_ERROR', 'UNKNOWN_ERROR'],
  ])('is read from %j', (given, type, code) => {
    expect(errorOf(given)).toEqual({ error_type: type, error_code: code })
  })
})

describe('an item', () => {
  it('may lack products, status and institution, which Plaid adds later', () => {
    expect(linkSchemas.itemGet.parse({ item: { item_id: 'i1' } })).toEqual({
      item: {
        item_id: 'i1',
        institution_id: null,
        institution_name: null,
        webhook: null,
        error: null,
        available_products: null,
        billed_products: null,
        products: null,
        consented_products: null,
        consent_expiration_time: null,
      },
      status: {
        last_webhook: { sent_at: null, code_sent: null },
        transactions: { last_successful_update: null },
        investments: { last_successful_update: null },
      },
    })
  })
})
