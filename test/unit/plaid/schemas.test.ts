// Plaid's answers as they are read: lenient with what is absent or new, strict with what is money.
import { describe, expect, it } from 'vitest'
import { parseExactJson } from '../../../src/decimal.ts'
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
    const told = parseExactJson('{"name":"a\\u0000b \\ud800 ü 😀"}')
    const { name } = schemas.transaction.parse({ ...plain, ...(typeof told === 'object' ? told : {}) })
    expect(name).toBe('ab \ufffd ü 😀')
  })

  it.each([
    ['amount', '12.50'],
    ['amount', 12.5],
    ['amount', null],
    ['amount', '1e3'],
    ['amount', 'NaN'],
    ['date', '2026-11-21T00:00:00Z'],
    ['date', null],
    ['transaction_id', ''],
    ['pending', 'false'],
  ])('is refused with %s %j', (member, value) => {
    expect(schemas.transaction.safeParse({ ...plain, [member]: value }).success).toBe(false)
  })
})

describe('an item', () => {
  it('may lack products, status and institution, which are added as Plaid goes on', () => {
    expect(schemas.itemGet.parse({ item: { item_id: 'i1' } })).toEqual({
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
    })
  })
})
