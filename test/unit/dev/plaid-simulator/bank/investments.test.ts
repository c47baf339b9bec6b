import { describe, expect, it } from 'vitest'
import { addDays } from '../../../../../src/dev/plaid-simulator/bank/calendar.ts'
import { playDays } from '../../../../../src/dev/plaid-simulator/bank/invent.ts'
import { total } from '../../../../../src/dev/plaid-simulator/bank/booking.ts'
import type { Bank } from '../../../../../src/dev/plaid-simulator/bank/model.ts'
import {
  addExact,
  compareExact,
  exact,
  isExact,
  multiplyExact,
  subtractExact,
} from '../../../../../src/dev/plaid-simulator/bank/number.ts'
import { cashHolding, securityOf } from '../../../../../src/dev/plaid-simulator/bank/positions.ts'
import { randomFrom } from '../../../../../src/dev/plaid-simulator/bank/random.ts'
import type { RawNumber } from '../../../../../src/dev/plaid-simulator/bank/values.ts'
import { aBank, countedIds, today } from './a-bank.ts'

const zero = exact('0')
const banks = ['ins_109508', 'ins_109511', 'ins_109512', 'ins_115616']

const quantities = ({ holdings }: Bank): Map<string, RawNumber> =>
  new Map(holdings.map(({ account_id, security_id, quantity }) => [`${account_id} ${security_id}`, quantity]))

describe('investments', () => {
  it('are worth quantity times price, to the last digit, and the account their sum', () => {
    for (const institutionId of banks) {
      const bank = aBank({ institutionId })
      for (const holding of bank.holdings) {
        const value = multiplyExact(holding.quantity, holding.institution_price)
        expect(compareExact(holding.institution_value, value)).toBe(0)
        expect(securityOf(bank, holding.security_id).close_price).toEqual(holding.institution_price)
      }
      for (const { account_id, balances } of bank.accounts.filter(({ type }) => type === 'investment')) {
        const held = bank.holdings.filter((holding) => holding.account_id === account_id)
        expect(held.length).toBeGreaterThan(0)
        const worth = total(held.map(({ institution_value }) => institution_value))
        expect(compareExact(balances.current ?? zero, worth)).toBe(0)
      }
    }
  })

  it('are held once per account and security, and in no security that the bank does not name', () => {
    const bank = aBank()
    expect(quantities(bank).size).toBe(bank.holdings.length)
    const named = new Set(bank.securities.map(({ security_id }) => security_id))
    expect(bank.holdings.every(({ security_id }) => named.has(security_id))).toBe(true)
    expect(bank.investmentTransactions.every(({ security_id }) => security_id === null || named.has(security_id))).toBe(
      true,
    )
  })

  it('move with their transactions: units by quantity, cash by amount', () => {
    const ids = countedIds()
    const bank = aBank({ institutionId: 'ins_115616', ids })
    const before = quantities(bank)
    const cashBefore = bank.accounts.map((account) => cashHolding(bank, account)?.quantity ?? zero)
    const to = addDays(today, 400)
    const { investments } = playDays({ bank, ids, from: today, to, random: randomFrom('market') })
    for (const { account_id, security_id, quantity } of bank.holdings) {
      if (securityOf(bank, security_id).type === 'cash') continue
      const own = investments.filter((entry) => entry.account_id === account_id && entry.security_id === security_id)
      const moved = subtractExact(quantity, before.get(`${account_id} ${security_id}`) ?? zero)
      expect(compareExact(moved, total(own.map((entry) => entry.quantity)))).toBe(0)
    }
    bank.accounts.forEach((account, index) => {
      const spent = total(
        investments.filter((entry) => entry.account_id === account.account_id).map(({ amount }) => amount),
      )
      const cash = cashHolding(bank, account)?.quantity ?? zero
      expect(compareExact(addExact(cash, spent), cashBefore[index] ?? zero)).toBe(0)
    })
  })

  it('are bought, sold, paid dividends on, charged for, contributed to and transferred, with the signs of each', () => {
    const { investmentTransactions } = aBank()
    const signs: Record<string, [number, number]> = {
      'buy/buy': [1, 1],
      'sell/sell': [-1, -1],
      'cash/dividend': [0, -1],
      'cash/contribution': [0, -1],
      'fee/management fee': [0, 1],
      'transfer/transfer': [1, 0],
    }
    const seen = new Set<string>()
    for (const { type, subtype, quantity, amount, price, fees } of investmentTransactions) {
      const kind = `${type}/${subtype}`
      seen.add(kind)
      expect([kind, compareExact(quantity, zero), compareExact(amount, zero)]).toEqual([kind, ...(signs[kind] ?? [])])
      expect([quantity, amount, price].every(isExact)).toBe(true)
      const trade = type === 'buy' || type === 'sell'
      const value = trade ? addExact(multiplyExact(quantity, price), fees ?? zero) : amount
      expect(compareExact(amount, value)).toBe(0)
    }
    expect(seen).toEqual(new Set(Object.keys(signs)))
  })

  it('lie in the two years, oldest first', () => {
    const dates = aBank().investmentTransactions.map(({ date }) => date)
    expect(dates).toEqual([...dates].sort())
    expect((dates[0] ?? '') > addDays(today, -731)).toBe(true)
    expect((dates.at(-1) ?? '') <= today).toBe(true)
  })

  it('show every field that Plaid requires of a security, and one of each kind', () => {
    const securities = banks.flatMap((institutionId) => aBank({ institutionId }).securities)
    const kinds = new Set(securities.map(({ type }) => type))
    for (const kind of ['cash', 'equity', 'etf', 'mutual fund', 'fixed income', 'derivative', 'cryptocurrency']) {
      expect(kinds).toContain(kind)
    }
    for (const security of securities) {
      expect(Object.keys(security)).toHaveLength(23)
      expect(Object.values(security)).not.toContain(undefined)
      expect(security.option_contract !== null).toBe(security.type === 'derivative')
      expect(security.fixed_income !== null).toBe(security.type === 'fixed income')
      expect(security.is_cash_equivalent).toBe(security.type === 'cash')
    }
  })

  it('hold a quantity with more digits than a float has', () => {
    const ether = aBank().holdings.find(({ quantity }) => quantity.rawJSON === '0.031415926535897932')
    expect(ether).toBeDefined()
  })
})
