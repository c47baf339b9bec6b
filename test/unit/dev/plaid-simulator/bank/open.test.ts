import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDays, weekday } from '../../../../../src/dev/plaid-simulator/bank/calendar.ts'
import { sameCurrency, total } from '../../../../../src/dev/plaid-simulator/bank/booking.ts'
import type { Account, Bank, Transaction } from '../../../../../src/dev/plaid-simulator/bank/model.ts'
import {
  addExact,
  compareExact,
  exact,
  isExact,
  negateExact,
  subtractExact,
} from '../../../../../src/dev/plaid-simulator/bank/number.ts'
import { aBank, countedIds, today, written } from './a-bank.ts'

const institutions = ['ins_109508', 'ins_109509', 'ins_109510', 'ins_109511', 'ins_109512', 'ins_115616']
const zero = exact('0')

const accountNamed = (bank: Bank, name: string): Account => {
  const account = bank.accounts.find((candidate) => candidate.name === name)
  if (account === undefined) throw new Error(`no account ${name}`)
  return account
}

const sumOf = (bank: Bank, { account_id, balances }: Account, pending: boolean): ReturnType<typeof total> =>
  total(
    bank.transactions
      .filter((entry) => entry.account_id === account_id && entry.pending === pending && sameCurrency(entry, balances))
      .map(({ amount }) => amount),
  )

const category = ({ personal_finance_category }: Transaction): string | undefined => personal_finance_category?.detailed

describe('the bank of a login', () => {
  it('is the same to the byte for the same seed, institution, user and day', () => {
    for (const institutionId of institutions) {
      expect(written(aBank({ institutionId }))).toBe(written(aBank({ institutionId })))
    }
  })

  it('is another for another seed, institution, user or day', () => {
    const usual = aBank()
      .transactions.map(({ amount }) => amount.rawJSON)
      .join(' ')
    const others = [
      { seed: 'another' },
      { institutionId: 'ins_109511' },
      { username: 'user_else' },
      { today: '2026-10-02' },
    ]
    for (const wanted of others) {
      expect(
        aBank(wanted)
          .transactions.map(({ amount }) => amount.rawJSON)
          .join(' '),
      ).not.toBe(usual)
    }
  })

  it('is the same under other ids', () => {
    const ids = countedIds()
    const bank = aBank({ ids: (kind) => `other-${ids(kind)}` })
    expect(written(bank).replaceAll('other-', '')).toBe(written(aBank()))
  })

  it('has 600 to 1500 transactions over two years, oldest first, none later than today', () => {
    for (const institutionId of institutions.slice(0, -1)) {
      const { transactions } = aBank({ institutionId })
      expect(transactions.length).toBeGreaterThanOrEqual(600)
      expect(transactions.length).toBeLessThanOrEqual(1500)
      const dates = transactions.map(({ date }) => date)
      expect(dates).toEqual([...dates].sort())
      expect((dates[0] ?? '') > addDays(today, -731)).toBe(true)
      expect((dates[0] ?? '') < addDays(today, -720)).toBe(true)
      expect(dates.at(-1)).toBe(today)
      for (const { authorized_date, date } of transactions) expect((authorized_date ?? '') <= date).toBe(true)
    }
  })

  it('gives every id once', () => {
    const { accounts, transactions, securities, investmentTransactions } = aBank()
    const ids = [
      ...accounts.map(({ account_id }) => account_id),
      ...transactions.map(({ transaction_id }) => transaction_id),
      ...securities.map(({ security_id }) => security_id),
      ...investmentTransactions.map(({ investment_transaction_id }) => investment_transaction_id),
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('writes every field of a transaction, amounts exactly and in one currency', () => {
    const fields =
      'account_id account_owner amount authorized_date authorized_datetime check_number counterparties date datetime ' +
      'iso_currency_code location logo_url merchant_entity_id merchant_name name original_description payment_channel ' +
      'payment_meta pending pending_transaction_id personal_finance_category personal_finance_category_icon_url ' +
      'transaction_code transaction_id transaction_type unofficial_currency_code website'
    for (const institutionId of institutions) {
      for (const transaction of aBank({ institutionId }).transactions) {
        expect(Object.keys(transaction).sort().join(' ')).toBe(fields)
        expect(isExact(transaction.amount)).toBe(true)
        expect((transaction.iso_currency_code === null) !== (transaction.unofficial_currency_code === null)).toBe(true)
        expect(Object.values(transaction)).not.toContain(undefined)
        expect(Object.keys(transaction.location)).toHaveLength(8)
        expect(Object.keys(transaction.payment_meta)).toHaveLength(8)
        const { primary = '', detailed = '' } = transaction.personal_finance_category ?? {}
        expect(detailed.startsWith(primary)).toBe(true)
      }
    }
  })

  it('keeps balances that are what the account began with and what has posted since', () => {
    const bank = aBank({ username: 'user_rare_values' })
    const openings = { 'Plaid Checking': '4140.55', 'Plaid Saving': '8200', 'Plaid Rewards Wallet': '0.00041' }
    for (const [name, opening] of Object.entries(openings)) {
      const account = accountNamed(bank, name)
      const current = subtractExact(exact(opening), sumOf(bank, account, false))
      expect(compareExact(account.balances.current ?? zero, current)).toBe(0)
      expect(compareExact(account.balances.available ?? zero, subtractExact(current, sumOf(bank, account, true)))).toBe(
        0,
      )
    }
    const owed = { 'Plaid Credit Card': '312.44', 'Plaid Student Loan': '27413.09', 'Plaid Mortgage': '158221.40' }
    for (const [name, opening] of Object.entries(owed)) {
      const account = accountNamed(bank, name)
      expect(
        compareExact(account.balances.current ?? zero, addExact(exact(opening), sumOf(bank, account, false))),
      ).toBe(0)
    }
  })

  it('leaves a card what its limit, its debt and its pending purchases leave', () => {
    const bank = aBank()
    const card = accountNamed(bank, 'Plaid Credit Card')
    const { available, current, limit } = card.balances
    const used = addExact(current ?? zero, sumOf(bank, card, true))
    expect(compareExact(addExact(available ?? zero, used), limit ?? zero)).toBe(0)
  })

  it('never overdraws a checking or savings account', () => {
    for (const institutionId of institutions.slice(0, -1)) {
      // The last one spends more than it earns, and its savings cover the difference.
      for (const seed of ['one', 'two', 'r15']) {
        const { accounts, transactions } = aBank({ institutionId, seed })
        for (const { account_id, balances, type } of accounts) {
          if (type !== 'depository') continue
          const posted = transactions.filter((entry) => entry.account_id === account_id && !entry.pending)
          let balance = balances.current ?? zero
          for (const { amount } of posted.toReversed()) {
            expect(compareExact(balance, zero)).not.toBe(-1)
            balance = addExact(balance, amount)
          }
        }
      }
    }
  })

  it('posts both legs of every move between own accounts, on one day and under one reference', () => {
    for (const institutionId of institutions) {
      const moves = Map.groupBy(
        aBank({ institutionId }).transactions.filter(({ payment_meta }) => payment_meta.reference_number !== null),
        ({ date, payment_meta }) => `${date} ${payment_meta.reference_number}`,
      )
      for (const legs of moves.values()) {
        expect(new Set(legs.map(({ account_id }) => account_id)).size).toBe(2)
        expect(compareExact(total(legs.map(({ amount }) => amount)), zero)).toBe(0)
      }
    }
    const counts = Map.groupBy(aBank().transactions, category)
    expect(counts.get('TRANSFER_OUT_ACCOUNT_TRANSFER')).toHaveLength(
      counts.get('TRANSFER_IN_ACCOUNT_TRANSFER')?.length ?? -1,
    )
    for (const kind of ['CREDIT_CARD', 'MORTGAGE', 'STUDENT_LOAN']) {
      const legs = counts.get(`LOAN_PAYMENTS_${kind}_PAYMENT`) ?? []
      expect(legs.length).toBeGreaterThanOrEqual(40)
      expect(compareExact(total(legs.map(({ amount }) => amount)), zero)).toBe(0)
    }
  })

  it('lives as people do: paid twice a month on workdays, rent and subscriptions at stable amounts, refunds, cash, interest', () => {
    const byCategory = Map.groupBy(aBank().transactions, category)
    const pay = byCategory.get('INCOME_SALARY') ?? []
    expect(pay.length).toBeGreaterThanOrEqual(47)
    expect(new Set(pay.map(({ amount }) => amount.rawJSON)).size).toBe(1)
    for (const { date } of pay) expect([0, 6]).not.toContain(weekday(date))
    const rent = byCategory.get('RENT_AND_UTILITIES_RENT') ?? []
    expect(rent).toHaveLength(24)
    expect(new Set(rent.map(({ amount }) => amount.rawJSON)).size).toBe(1)
    const streaming = aBank().transactions.filter(({ merchant_name }) => merchant_name === 'Streamly')
    expect(streaming.length).toBeGreaterThanOrEqual(23)
    expect(new Set(streaming.map(({ amount }) => amount.rawJSON)).size).toBe(1)
    expect(byCategory.get('INCOME_INTEREST_EARNED')?.length).toBeGreaterThanOrEqual(23)
    expect(byCategory.get('TRANSFER_OUT_WITHDRAWAL')?.length).toBeGreaterThan(5)
  })

  it('takes back only what was bought, at the price that was paid', () => {
    for (const seed of ['one', 'two', 'three']) {
      const { transactions } = aBank({ seed })
      for (const back of transactions.filter(({ name }) => name.startsWith('REFUND'))) {
        const bought = transactions.some(
          ({ merchant_name, amount, date }) =>
            merchant_name === back.merchant_name &&
            date < back.date &&
            compareExact(amount, negateExact(back.amount)) === 0,
        )
        expect(bought).toBe(true)
      }
    }
  })

  it('goes out at weekends', () => {
    const dinners = aBank().transactions.filter((entry) => category(entry) === 'FOOD_AND_DRINK_RESTAURANT')
    const onWeekends = dinners.filter(({ authorized_date }) => [5, 6].includes(weekday(authorized_date ?? today)))
    expect(onWeekends.length).toBeGreaterThan(dinners.length / 2)
  })

  it('has something pending, and nothing of more than three days', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), (back) => {
        const day = addDays(today, -back)
        const bank = aBank({ institutionId: 'ins_109509', today: day })
        const pending = bank.transactions.filter((entry) => entry.pending)
        expect(pending.length).toBeGreaterThan(0)
        for (const { date, transaction_id } of pending) {
          expect(date > addDays(day, -3)).toBe(true)
          expect((bank.backOffice.clearsOn.get(transaction_id) ?? '') > day).toBe(true)
        }
      }),
      { numRuns: 12 },
    )
  })

  it('has more pending for the user whose transactions move', () => {
    const pending = (username: string): number => {
      const days = [0, 1, 2, 3, 4, 5].map((back) => addDays(today, -back))
      return days.flatMap((day) => aBank({ username, today: day }).transactions.filter((entry) => entry.pending)).length
    }
    expect(pending('user_transactions_dynamic')).toBeGreaterThan(pending('user_good') * 2)
  })

  it.each(['user_good', 'user_transactions_dynamic'])(
    'holds for %s nothing that Plaid’s sandbox never has',
    (username) => {
      for (const institutionId of institutions) {
        const bank = aBank({ username, institutionId })
        for (const entry of bank.transactions) {
          expect(entry.personal_finance_category?.detailed).toEqual(expect.any(String))
          expect(entry.iso_currency_code).toBe('USD')
          expect(entry.merchant_name ?? '').toMatch(/^[ -~]*$/)
          expect(entry.name).not.toMatch(/[<>%\\;"]/)
        }
        for (const { security_id } of bank.investmentTransactions) {
          expect(bank.securities.map((security) => security.security_id)).toContain(security_id)
        }
        expect(bank.accounts.every(({ balances }) => balances.iso_currency_code === 'USD')).toBe(true)
      }
    },
  )

  it('books a contribution on the cash security, and for user_rare_values on none', () => {
    const ofContributions = (username: string) => {
      const bank = aBank({ username, institutionId: 'ins_109511' })
      const cash = bank.securities.find(({ type }) => type === 'cash')?.security_id
      const rows = bank.investmentTransactions.filter(({ subtype }) => subtype === 'contribution')
      return new Set(rows.map(({ security_id }) => (security_id === cash ? 'cash' : security_id)))
    }
    expect(ofContributions('user_good')).toEqual(new Set(['cash']))
    expect(ofContributions('user_rare_values')).toEqual(new Set([null]))
  })

  it('holds for user_rare_values what breaks careless code: no category, odd names, foreign and unofficial currencies', () => {
    const banks = ['one', 'two', 'three', 'four'].map((seed) => aBank({ seed, username: 'user_rare_values' }))
    const everything = banks.flatMap(({ transactions }) => transactions)
    expect(everything.some((entry) => entry.personal_finance_category === null)).toBe(true)
    expect(everything.some((entry) => entry.merchant_name === null)).toBe(true)
    const currencies = new Set(everything.map((entry) => entry.iso_currency_code ?? entry.unofficial_currency_code))
    for (const code of ['USD', 'EUR', 'JPY', 'KWD', 'GBP', 'BTC']) expect(currencies).toContain(code)
    const names = everything.map(({ merchant_name }) => merchant_name ?? '').join('\n')
    for (const pattern of [
      /"/,
      /'/,
      /DELETE FROM/,
      /\p{Script=Arabic}/u,
      /\p{Extended_Pictographic}/u,
      /[%_\\]/,
      /</,
    ]) {
      expect(names).toMatch(pattern)
    }
    const bitcoin = everything.find((entry) => entry.unofficial_currency_code === 'BTC')
    expect(bitcoin?.amount.rawJSON).toMatch(/^-0\.000\d{5}$/)
    expect(bitcoin?.iso_currency_code).toBeNull()
  })

  it('contains no address of a site that could exist', () => {
    const { transactions } = aBank()
    const sites = transactions.flatMap(({ website }) => website ?? [])
    const logos = transactions.flatMap(({ logo_url }) => logo_url ?? [])
    expect(sites.length).toBeGreaterThan(500)
    for (const site of sites) expect(site).toMatch(/^[a-z0-9-]+\.example\.com$/)
    for (const logo of logos) expect(logo).toMatch(/^https:\/\/logos\.example\.com\/[a-z0-9-]+\.png$/)
  })

  it('offers other accounts at other institutions', () => {
    const kinds = (institutionId: string): string[] =>
      aBank({ institutionId }).accounts.map(({ type, subtype }) => `${type}/${subtype}`)
    expect(kinds('ins_109509')).toEqual(['depository/checking', 'depository/savings'])
    expect(new Set(aBank({ institutionId: 'ins_115616' }).accounts.map(({ type }) => type))).toEqual(
      new Set(['investment']),
    )
    const all = new Set(kinds('ins_109508'))
    const usual = [
      'depository/checking',
      'depository/savings',
      'credit/credit card',
      'investment/ira',
      'investment/401k',
    ]
    for (const kind of [...usual, 'loan/student', 'loan/mortgage']) expect(all).toContain(kind)
    expect(kinds('ins_unheard_of')).toEqual(kinds('ins_109508'))
  })

  it('keeps persistent ids of depository accounts over relinks at banks with tokenised account numbers, and only there', () => {
    const persistent = (institutionId: string, prefix: string): (string | undefined)[] => {
      const ids = countedIds()
      const bank = aBank({ institutionId, ids: (kind) => `${prefix}${ids(kind)}` })
      return bank.accounts.map(({ persistent_account_id }) => persistent_account_id)
    }
    const first = persistent('ins_56', 'first-')
    expect(first).toEqual(persistent('ins_56', 'second-'))
    const [checking, savings, ...others] = first
    expect([typeof checking, typeof savings, checking === savings]).toEqual(['string', 'string', false])
    expect([...others, ...persistent('ins_109508', '')].every((id) => id === undefined)).toBe(true)
  })

  it('names an owner for every account and numbers for those that can be paid into', () => {
    const bank = aBank()
    expect([...bank.owners.keys()]).toEqual(bank.accounts.map(({ account_id }) => account_id))
    const endings = bank.accounts.map(({ account_id }) => bank.numbers.get(account_id)?.ach?.account.slice(-4))
    const payable = ({ subtype }: Account): boolean => subtype === 'checking' || subtype === 'savings'
    expect(endings).toEqual(bank.accounts.map((account) => (payable(account) ? account.mask : undefined)))
  })
})
