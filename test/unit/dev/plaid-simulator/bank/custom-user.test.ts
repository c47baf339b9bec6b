import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDays } from '../../../../../src/dev/plaid-simulator/bank/calendar.ts'
import { customUserProblem } from '../../../../../src/dev/plaid-simulator/bank/custom-user.ts'
import { book, playDays } from '../../../../../src/dev/plaid-simulator/bank/invent.ts'
import type { Bank } from '../../../../../src/dev/plaid-simulator/bank/model.ts'
import { exact } from '../../../../../src/dev/plaid-simulator/bank/number.ts'
import { randomFrom } from '../../../../../src/dev/plaid-simulator/bank/random.ts'
import { aBank, countedIds, exactly, today } from './a-bank.ts'

/** A bank of custom accounts, written as JSON text so that numbers keep their digits. */
const custom = (accounts: string, ids = countedIds()): Bank =>
  aBank({ username: 'user_custom', customUser: exactly(`{"override_accounts": [${accounts}]}`), ids })

const checkingWith = (transactions: string, more = ''): string =>
  `{"type": "depository", "subtype": "checking", "starting_balance": 500.10, ${more} "transactions": [${transactions}]}`

const aTransaction = (amount: string, posted: string, transacted = posted): string =>
  `{"date_transacted": "${transacted}", "date_posted": "${posted}", "amount": ${amount}, "description": "x", "currency": "USD"}`

describe('a custom user', () => {
  it('gets its transactions as they are written: every digit, character, date and currency', () => {
    const json = fc.record({
      amount: fc.constantFrom('1234567890123456.10', '0.000000000000000001', '-7500', '12.50', '1e3', '0'),
      description: fc.string({ unit: 'grapheme', maxLength: 60 }),
      back: fc.integer({ min: 0, max: 1000 }),
      lag: fc.integer({ min: 0, max: 9 }),
      currency: fc.constantFrom('USD', 'JPY', 'KWD', 'BTC', 'POINTS'),
    })
    fc.assert(
      fc.property(fc.array(json, { maxLength: 20 }), (given) => {
        const rows = given.map(({ amount, description, back, lag, currency }) => {
          const posted = addDays(today, -back)
          const text = JSON.stringify(description)
          return `{"date_transacted": "${addDays(posted, -lag)}", "date_posted": "${posted}", "amount": ${amount}, "description": ${text}, "currency": "${currency}"}`
        })
        const { transactions } = custom(checkingWith(rows.join(',')))
        const seen = transactions.map((entry) => {
          const code = entry.iso_currency_code ?? entry.unofficial_currency_code
          return `${entry.amount.rawJSON} ${entry.name} ${entry.authorized_date} ${entry.date} ${code} ${entry.pending}`
        })
        const wanted = given.map(({ amount, description, back, lag, currency }) => {
          const posted = addDays(today, -back)
          return `${amount} ${description} ${addDays(posted, -lag)} ${posted} ${currency} false`
        })
        expect(seen.sort()).toEqual(wanted.sort())
        const dates = transactions.map(({ date }) => date)
        expect(dates).toEqual([...dates].sort())
      }),
    )
  })

  it('may have thousands of transactions', () => {
    const rows = Array.from({ length: 5000 }, (_, index) => aTransaction(`${index}.01`, addDays(today, -(index % 700))))
    const { transactions } = custom(checkingWith(rows.join(',')))
    expect(new Set(transactions.map(({ transaction_id }) => transaction_id)).size).toBe(5000)
  })

  it('sees a posting date to come as pending, and posted unchanged on that very day', () => {
    const ids = countedIds()
    const bank = custom(checkingWith(aTransaction('12.50', '2026-11-24', '2026-11-20')), ids)
    const [pending] = bank.transactions
    expect(pending).toMatchObject({ pending: true, date: '2026-11-20', authorized_date: '2026-11-20' })
    expect(bank.accounts[0]?.balances).toMatchObject({ current: exact('500.10'), available: exact('487.60') })
    const random = randomFrom('custom')
    expect(playDays({ bank, ids, random, from: today, to: '2026-11-23' })).toMatchObject({ added: [], posted: [] })
    const { added, posted } = playDays({ bank, ids, random, from: '2026-11-23', to: '2026-11-30' })
    expect(added).toEqual([])
    expect(posted).toHaveLength(1)
    expect(posted[0]?.posted).toMatchObject({ pending: false, date: '2026-11-24', amount: exact('12.50'), name: 'x' })
    expect(bank.accounts[0]?.balances).toMatchObject({ current: exact('487.60'), available: exact('487.60') })
  })

  it('has the balances that it names, and an available one that stands still where it is forced', () => {
    const bank = custom(
      [
        checkingWith(aTransaction('20', '2026-11-01')),
        checkingWith('', '"force_available_balance": 7.77,'),
        checkingWith('', '"has_null_available_balance": true,'),
        '{"type": "credit", "subtype": "credit card", "starting_balance": 100.25, "meta": {"limit": 1000}}',
        '{"type": "depository", "subtype": "savings"}',
      ].join(','),
    )
    const balances = bank.accounts.map(({ balances: { current, available } }) => [current?.rawJSON, available?.rawJSON])
    expect(balances).toEqual([
      ['500.10', '500.10'],
      ['500.10', '7.77'],
      ['500.10', undefined],
      ['100.25', '899.75'],
      ['0', '0'],
    ])
    const [first] = bank.transactions
    for (const { account_id } of bank.accounts) {
      if (first !== undefined) book(bank, { ...first, transaction_id: `late ${account_id}`, account_id })
    }
    const after = bank.accounts.map(({ balances: { current, available } }) => [current?.rawJSON, available?.rawJSON])
    expect(after).toEqual([
      ['480.10', '480.10'],
      ['480.10', '7.77'],
      ['480.10', undefined],
      ['120.25', '879.75'],
      ['-20', '-20'],
    ])
  })

  it('names its accounts, or they are named for their kind', () => {
    const meta = '"meta": {"name": "Mine", "official_name": "Mine, officially", "mask": "4321"},'
    const { accounts } = custom(`${checkingWith('', meta)}, ${checkingWith('', '"currency": "EUR",')}`)
    expect(accounts[0]).toMatchObject({ name: 'Mine', official_name: 'Mine, officially', mask: '4321' })
    expect(accounts[1]).toMatchObject({ name: 'Plaid Checking', official_name: null, mask: '1111' })
    expect(accounts[1]?.balances).toMatchObject({ iso_currency_code: 'EUR', unofficial_currency_code: null })
  })

  it('has its own owners and numbers', () => {
    const numbers =
      '"numbers": {"account": "1111222233335555", "ach_routing": "122105155", "bacs_sort_code": "601613"},'
    const identity =
      '"identity": {"names": ["First Sample", "Second Sample"], "emails": [{"data": "a@example.com", "primary": true, "type": "primary"}], ' +
      '"addresses": [{"primary": true, "data": {"city": "Here", "country": "US"}}]},'
    const bank = custom(checkingWith('', numbers + identity))
    const id = bank.accounts[0]?.account_id ?? ''
    expect(bank.accounts[0]?.mask).toBe('5555')
    expect(bank.numbers.get(id)).toMatchObject({
      ach: { account: '1111222233335555', routing: '122105155', account_id: id },
      bacs: { account: '1111222233335555', sort_code: '601613' },
      eft: null,
    })
    expect(bank.owners.get(id)).toEqual([
      {
        names: ['First Sample', 'Second Sample'],
        phone_numbers: [],
        emails: [{ data: 'a@example.com', primary: true, type: 'primary' }],
        addresses: [
          { primary: true, data: { city: 'Here', region: null, street: '', postal_code: null, country: 'US' } },
        ],
      },
    ])
  })

  it('holds what it says at the price it says, with one security per ticker', () => {
    const holding = (ticker: string, quantity: string, price: string): string =>
      `{"institution_price": ${price}, "institution_price_as_of": "2026-06-03", "quantity": ${quantity}, "currency": "USD", "security": {"ticker_symbol": "${ticker}"}}`
    const trade = (ticker: string): string =>
      `{"date": "2026-02-02", "name": "a trade", "quantity": 29, "price": 120.03, "fees": 4.25, "type": "buy", "currency": "USD", "security": {"ticker_symbol": "${ticker}"}}`
    const bank = custom(
      `{"type": "investment", "subtype": "brokerage", "starting_balance": 120, "holdings": [${[
        holding('AAAA', '0.00293644', '19999.54'),
        holding('AAAA', '3', '20000'),
        holding('CUR:BTC', '1', '2'),
        holding('F291108C00005000', '20', '5.9'),
      ].join(',')}], "investment_transactions": [${trade('AAAA')}, ${trade('BBBB')}]}`,
    )
    const values = bank.holdings.map(({ institution_value }) => institution_value.rawJSON)
    expect(values).toEqual(['58.7274492376', '60000', '2', '118'])
    expect(new Set(bank.holdings.map(({ security_id }) => security_id)).size).toBe(4)
    expect(bank.securities.map(({ type }) => type)).toEqual([
      'equity',
      'equity',
      'cryptocurrency',
      'derivative',
      'equity',
    ])
    expect(bank.securities[3]?.option_contract).toEqual({
      contract_type: 'call',
      expiration_date: '2029-11-08',
      strike_price: exact('5'),
      underlying_security_ticker: 'F',
    })
    const [bought, other] = bank.investmentTransactions
    expect(bought).toMatchObject({ amount: exact('3485.12'), fees: exact('4.25'), type: 'buy', subtype: 'buy' })
    expect(bought?.security_id).toBe(bank.holdings[0]?.security_id)
    expect(other?.security_id).toBe(bank.securities[4]?.security_id)
    expect(bank.accounts[0]?.balances.current).toEqual(exact('120'))
    const unsaid = custom(`{"type": "investment", "holdings": ${holding('AAAA', '1.5', '10.1')}}`)
    expect(unsaid.accounts[0]?.balances.current).toEqual(exact('15.15'))
  })

  it('owes what it says', () => {
    const bank = custom(
      `{"type": "credit", "subtype": "credit card", "liability": {"type": "credit", "purchase_apr": 16.99, "special_apr": 0, "minimum_payment_amount": 35, "is_overdue": true}},
       {"type": "loan", "subtype": "student", "liability": {"type": "student", "origination_date": "2022-01-01", "principal": 45123, "nominal_apr": 4.23,
         "repayment_model": {"type": "standard", "non_repayment_months": 12, "repayment_months": 120}}}`,
    )
    expect(bank.liabilities.credit[0]).toMatchObject({ is_overdue: true, minimum_payment_amount: exact('35') })
    const rates = bank.liabilities.credit[0]?.aprs.map(
      ({ apr_type, apr_percentage }) => `${apr_type} ${apr_percentage.rawJSON}`,
    )
    expect(rates).toEqual(['purchase_apr 16.99', 'special 0'])
    expect(bank.liabilities.student[0]).toMatchObject({
      expected_payoff_date: '2033-01-01',
      interest_rate_percentage: exact('4.23'),
      origination_principal_amount: exact('45123'),
    })
    expect(bank.accounts[1]?.balances.current).toEqual(exact('45123'))
  })

  it('is paid every month by its income, before and after today', () => {
    const model =
      '"inflow_model": {"type": "monthly-income", "income_amount": 2500.5, "payment_day_of_month": "last", "transaction_name": "WAGES"},'
    const ids = countedIds()
    const bank = custom(checkingWith('', model), ids)
    expect(bank.transactions).toHaveLength(24)
    expect(bank.transactions.at(-1)).toMatchObject({ date: '2026-10-31', amount: exact('-2500.5'), name: 'WAGES' })
    const { added } = playDays({ bank, ids, random: randomFrom('pay'), from: today, to: '2026-12-05' })
    expect(added.map(({ date }) => date)).toEqual(['2026-11-30'])
    expect(bank.accounts[0]?.balances.current?.rawJSON).toBe('3000.60')
  })

  it('has the usual accounts when it names none', () => {
    const usual = aBank().accounts.map(({ name }) => name)
    expect(aBank({ customUser: exactly('{"seed": "mine"}') }).accounts.map(({ name }) => name)).toEqual(usual)
    expect(aBank({ customUser: exactly('{"override_accounts": []}') }).accounts).toEqual([])
  })

  it('is refused with the name of the field that is wrong', () => {
    const wrong = {
      'override_accounts.0.transactions.0.amount': checkingWith(aTransaction('"12"', today)),
      'override_accounts.0.transactions.0.date_posted': checkingWith(aTransaction('12', '2026-02-30', '2026-02-28')),
      'override_accounts.0.type': '{"type": "vault"}',
      'override_accounts.0.starting_balance': '{"type": "depository", "starting_balance": "1"}',
    }
    for (const [path, account] of Object.entries(wrong)) {
      const customUser = exactly(`{"override_accounts": [${account}]}`)
      expect(customUserProblem(customUser)).toContain(`${path}: `)
      expect(() => aBank({ customUser })).toThrow(RangeError)
    }
    expect(customUserProblem('a password')).toContain('custom user: ')
    expect(customUserProblem(exactly(`{"override_accounts": [${checkingWith('')}], "more": 1}`))).toBeNull()
  })
})
