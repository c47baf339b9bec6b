import { describe, expect, it } from 'vitest'
import { addDays } from '../../../../../src/dev/plaid-simulator/bank/calendar.ts'
import { playDays } from '../../../../../src/dev/plaid-simulator/bank/invent.ts'
import { total } from '../../../../../src/dev/plaid-simulator/bank/booking.ts'
import type { Account, Bank } from '../../../../../src/dev/plaid-simulator/bank/model.ts'
import { addExact, compareExact, exact, negateExact } from '../../../../../src/dev/plaid-simulator/bank/number.ts'
import { randomFrom } from '../../../../../src/dev/plaid-simulator/bank/random.ts'
import { aBank, countedIds, today } from './a-bank.ts'

const zero = exact('0')

const postings = ({ transactions }: Bank, accountId: string) =>
  transactions.filter(({ account_id, pending }) => account_id === accountId && !pending)

const accountOfKind = ({ accounts }: Bank, subtype: string): Account | undefined =>
  accounts.find((account) => account.subtype === subtype)

describe('liabilities', () => {
  it('are there for the accounts that are owed on, and for no others', () => {
    const bank = aBank()
    const { credit, mortgage, student } = bank.liabilities
    expect(credit.map(({ account_id }) => account_id)).toEqual([accountOfKind(bank, 'credit card')?.account_id])
    expect(mortgage.map(({ account_id }) => account_id)).toEqual([accountOfKind(bank, 'mortgage')?.account_id])
    expect(student.map(({ account_id }) => account_id)).toEqual([accountOfKind(bank, 'student')?.account_id])
    expect(aBank({ institutionId: 'ins_109509' }).liabilities).toEqual({ credit: [], mortgage: [], student: [] })
  })

  it('name the last payment that the account really got', () => {
    const bank = aBank()
    const { credit, mortgage, student } = bank.liabilities
    for (const { account_id, last_payment_amount, last_payment_date } of [...credit, ...mortgage, ...student]) {
      const last = postings(bank, account_id).findLast(({ name }) => name.endsWith('PAYMENT'))
      expect(last_payment_date).toBe(last?.date)
      expect(compareExact(last_payment_amount ?? zero, negateExact(last?.amount ?? zero))).toBe(0)
    }
  })

  it("split the year's payments into interest and principal", () => {
    const bank = aBank()
    const { mortgage, student } = bank.liabilities
    for (const { account_id, ytd_interest_paid, ytd_principal_paid } of [...mortgage, ...student]) {
      const year = postings(bank, account_id).filter(({ date }) => date.startsWith(today.slice(0, 4)))
      const paid = total(year.filter(({ name }) => name.endsWith('PAYMENT')).map(({ amount }) => amount))
      const split = addExact(ytd_interest_paid ?? zero, ytd_principal_paid ?? zero)
      expect(compareExact(split, negateExact(paid))).toBe(0)
      expect(compareExact(ytd_interest_paid ?? zero, zero)).toBe(1)
    }
  })

  it('state the card at its last statement, due three weeks later', () => {
    const bank = aBank()
    const [card] = bank.liabilities.credit
    expect(card?.last_statement_issue_date).toBe('2026-10-22')
    expect(card?.next_payment_due_date).toBe('2026-11-12')
    const until = postings(bank, card?.account_id ?? '').filter(
      ({ date, iso_currency_code }) => date <= '2026-10-22' && iso_currency_code === 'USD',
    )
    const balance = addExact(exact('312.44'), total(until.map(({ amount }) => amount)))
    expect(compareExact(card?.last_statement_balance ?? zero, balance)).toBe(0)
  })

  it('change with the days', () => {
    const ids = countedIds()
    const bank = aBank({ ids })
    const before = bank.liabilities.mortgage[0]?.last_payment_date
    playDays({ bank, ids, from: today, to: addDays(today, 12), random: randomFrom('on') })
    expect(before).toBe('2026-11-01')
    expect(bank.liabilities.mortgage[0]?.last_payment_date).toBe('2026-12-01')
    expect(bank.liabilities.mortgage[0]?.next_payment_due_date).toBe('2027-01-01')
  })

  it('show every field that Plaid requires', () => {
    const { credit, mortgage, student } = aBank().liabilities
    expect(Object.keys(credit[0] ?? {})).toHaveLength(9)
    expect(Object.keys(mortgage[0] ?? {})).toHaveLength(20)
    expect(Object.keys(student[0] ?? {})).toHaveLength(25)
    for (const liability of [...credit, ...mortgage, ...student])
      expect(Object.values(liability)).not.toContain(undefined)
  })
})
