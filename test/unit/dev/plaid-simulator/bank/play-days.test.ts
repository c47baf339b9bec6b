import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDays } from '../../../../../src/dev/plaid-simulator/bank/calendar.ts'
import { inventTransaction, playDays, postedFrom } from '../../../../../src/dev/plaid-simulator/bank/invent.ts'
import { accountOf, book, sameCurrency, total, unbook } from '../../../../../src/dev/plaid-simulator/bank/booking.ts'
import type { Bank, Transaction } from '../../../../../src/dev/plaid-simulator/bank/model.ts'
import { compareExact, exact, subtractExact } from '../../../../../src/dev/plaid-simulator/bank/number.ts'
import { randomFrom } from '../../../../../src/dev/plaid-simulator/bank/random.ts'
import type { Ids } from '../../../../../src/dev/plaid-simulator/bank/values.ts'
import { aBank, countedIds, exactly, today, written } from './a-bank.ts'

/** A bank whose ids continue where its history ended. */
const alive = (wanted: Parameters<typeof aBank>[0] = {}): { bank: Bank; ids: Ids } => {
  const ids = countedIds()
  return { bank: aBank({ ...wanted, ids }), ids }
}

const aPending = (bank: Bank, ids: Ids, seed = 'pending'): Transaction =>
  inventTransaction({ bank, random: randomFrom(seed), today, ids, pending: true })

const idsOf = (transactions: readonly Transaction[]): Set<string> =>
  new Set(transactions.map(({ transaction_id }) => transaction_id))

describe('the days to come', () => {
  it('are the same lived at once or one by one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 40 }), (first, second) => {
        const [once, twice] = [alive(), alive()]
        const [middle, to] = [addDays(today, first), addDays(today, first + second)]
        playDays({ ...once, from: today, to, random: randomFrom('days') })
        const random = randomFrom('days')
        playDays({ ...twice, from: today, to: middle, random })
        playDays({ ...twice, from: middle, to, random })
        expect(written(twice.bank)).toBe(written(once.bank))
      }),
      { numRuns: 6 },
    )
  })

  it('say exactly what they changed: old and said is new', () => {
    for (const days of [1, 2, 5, 30]) {
      const { bank, ids } = alive()
      const before = idsOf(bank.transactions)
      const past = playDays({ bank, ids, from: today, to: addDays(today, days), random: randomFrom(`${days}`) })
      for (const { pending, posted } of past.posted) {
        expect(before.delete(pending.transaction_id)).toBe(true)
        expect(pending.pending && !posted.pending).toBe(true)
        before.add(posted.transaction_id)
      }
      for (const { transaction_id } of past.added) before.add(transaction_id)
      expect(idsOf(bank.transactions)).toEqual(before)
      expect(past.added.length).toBeGreaterThan(0)
    }
  })

  it('post everything that was pending within a week, linked as a rule and sometimes not', () => {
    const links = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].flatMap((seed) => {
      const { bank, ids } = alive({ seed, username: 'user_transactions_dynamic' })
      const pending = bank.transactions.filter((entry) => entry.pending)
      const past = playDays({ bank, ids, from: today, to: addDays(today, 7), random: randomFrom(seed) })
      expect(idsOf(past.posted.map((pair) => pair.pending))).toEqual(idsOf(pending))
      return past.posted.map((pair) => pair.posted.pending_transaction_id === pair.pending.transaction_id)
    })
    const linked = links.filter(Boolean).length
    expect(linked).toBeGreaterThan(links.length / 2)
    expect(linked).toBeLessThan(links.length)
  })

  it('bring nothing to a closed account', () => {
    const { bank, ids } = alive()
    const closed = bank.accounts.flatMap(({ account_id, type }) => (type === 'credit' ? [account_id] : []))
    for (const id of closed) bank.closedAccountIds.add(id)
    const { added } = playDays({ bank, ids, from: today, to: addDays(today, 40), random: randomFrom('closed') })
    expect(added.some(({ account_id }) => closed.includes(account_id))).toBe(false)
    expect(added.length).toBeGreaterThan(10)
  })

  it('move the retirement account with the checking account', () => {
    const { bank, ids } = alive()
    const past = playDays({ bank, ids, from: today, to: '2026-12-07', random: randomFrom('ira') })
    const paid = past.added.filter(({ name }) => name === 'IRA CONTRIBUTION').map(({ amount }) => amount)
    const ira = bank.accounts.find(({ subtype }) => subtype === 'ira')
    const arrived = past.investments.filter(
      ({ account_id, subtype }) => account_id === ira?.account_id && subtype === 'contribution',
    )
    expect(paid).toHaveLength(1)
    expect(compareExact(total([...paid, ...arrived.map(({ amount }) => amount)]), exact('0'))).toBe(0)
  })
})

describe('a pending transaction that posts', () => {
  it('gets a new id, keeps its account and currency, and names the old one only when linked', () => {
    const { bank, ids } = alive()
    const pending = aPending(bank, ids)
    const random = randomFrom('post')
    for (const link of [true, false]) {
      const posted = postedFrom(pending, { random, ids, link, today: addDays(today, 2) })
      expect(posted.transaction_id).not.toBe(pending.transaction_id)
      expect(posted.pending_transaction_id).toBe(link ? pending.transaction_id : null)
      expect(posted).toMatchObject({ pending: false, account_id: pending.account_id, date: '2026-11-23' })
      expect(posted.authorized_date).toBe(today)
      expect(sameCurrency(posted, pending)).toBe(true)
    }
    expect(pending.pending).toBe(true)
  })

  it('sometimes has another amount, a tip or a full tank, and sometimes another name', () => {
    const { bank, ids } = alive()
    const pairs = Array.from({ length: 300 }, (_, index) => {
      const pending = aPending(bank, ids, `${index}`)
      return { pending, posted: postedFrom(pending, { random: randomFrom(`${index}`), ids, link: true, today }) }
    })
    const dearer = pairs.filter(({ pending, posted }) => compareExact(posted.amount, pending.amount) > 0)
    expect(dearer.length).toBeGreaterThan(10)
    expect(dearer.length).toBeLessThan(150)
    expect(pairs.some(({ pending, posted }) => compareExact(posted.amount, pending.amount) < 0)).toBe(false)
    expect(pairs.some(({ pending, posted }) => posted.name !== pending.name)).toBe(true)
    for (const { posted } of dearer) expect(posted.amount.rawJSON).toMatch(/^\d+\.\d\d$/)
    const tank = { ...aPending(bank, ids), amount: exact('1.00') }
    tank.personal_finance_category = {
      primary: 'TRANSPORTATION',
      detailed: 'TRANSPORTATION_GAS',
      confidence_level: 'HIGH',
      version: 'v2',
    }
    const filled = postedFrom(tank, { random: randomFrom('tank'), ids, link: true, today })
    expect(compareExact(filled.amount, exact('20'))).toBe(1)
  })
})

describe('an invented transaction', () => {
  it('is of today, complete, in its account, and leaves the books alone', () => {
    const { bank, ids } = alive()
    const before = written(bank)
    for (const { account_id, type } of bank.accounts.filter((account) => account.type !== 'investment')) {
      const invented = inventTransaction({ bank, random: randomFrom(type), today, ids, accountId: account_id })
      expect(invented).toMatchObject({ account_id, pending: false, date: today })
      expect(Object.keys(invented).sort()).toEqual(Object.keys(bank.transactions[0] ?? {}).sort())
      expect(sameCurrency(invented, accountOf(bank, account_id).balances)).toBe(true)
    }
    expect(written(bank)).toBe(before)
  })

  it('avoids closed accounts, and is refused for unknown ones and without an account that can spend', () => {
    const { bank, ids } = alive()
    const [card] = bank.accounts.filter(({ type }) => type === 'credit')
    bank.closedAccountIds.add(card?.account_id ?? '')
    const random = randomFrom('closed')
    const accounts = Array.from({ length: 40 }, () => inventTransaction({ bank, random, today, ids }).account_id)
    expect(accounts).not.toContain(card?.account_id)
    expect(() => inventTransaction({ bank, random, today, ids, accountId: 'nobody' })).toThrow(RangeError)
    const brokerage = aBank({ institutionId: 'ins_115616' })
    expect(() => inventTransaction({ bank: brokerage, random, today, ids })).toThrow(RangeError)
  })
})

describe('the books', () => {
  it('are as before after anything is entered and taken out again', () => {
    const amounts = fc.constantFrom('0.000000000000000001', '1234567890123456.10', '-12.5', '0', '7')
    const codes = fc.constantFrom('USD', 'EUR')
    const { bank, ids } = alive({ institutionId: 'ins_109510' })
    const { backOffice, ...front } = bank
    const numbers = (): string => JSON.stringify(front.accounts.map(({ balances }) => balances.current))
    fc.assert(
      fc.property(amounts, codes, fc.boolean(), fc.nat(3), fc.nat(800), (amount, code, pending, index, back) => {
        const [transactions, accounts] = [[...front.transactions], structuralBalances(bank)]
        const account = bank.accounts[index]
        const entry = {
          ...inventTransaction({ bank, random: randomFrom('x'), today, ids, accountId: account?.account_id ?? '' }),
          amount: exact(amount),
          iso_currency_code: code,
          pending,
          date: addDays(today, -back),
        }
        book(bank, entry)
        const dates = front.transactions.map(({ date }) => date)
        expect(dates).toEqual([...dates].sort())
        expect(unbook(bank, entry.transaction_id)).toBe(entry)
        expect(front.transactions).toEqual(transactions)
        expect(accounts).toEqual(structuralBalances(bank))
      }),
      { numRuns: 40 },
    )
    expect(numbers()).toContain('.')
    expect(backOffice.clearsOn.size).toBeGreaterThan(0)
  })

  it('count a posted amount in both balances, a pending one in what is available, and a foreign one in none', () => {
    const balances = (pending: boolean, code: string): string[] => {
      const { bank, ids } = alive({ institutionId: 'ins_109509' })
      const [account] = bank.accounts
      const invented = inventTransaction({
        bank,
        random: randomFrom('y'),
        today,
        ids,
        accountId: account?.account_id ?? '',
      })
      const before = { ...account?.balances }
      book(bank, { ...invented, amount: exact('12.34'), pending, iso_currency_code: code })
      return (['current', 'available'] as const).map((which) => {
        return subtractExact(account?.balances[which] ?? exact('0'), before[which] ?? exact('0')).rawJSON
      })
    }
    expect(balances(false, 'USD')).toEqual(['-12.34', '-12.34'])
    expect(balances(true, 'USD')).toEqual(['0.00', '-12.34'])
    expect(balances(false, 'EUR')).toEqual(['0.00', '0.00'])
  })

  it('know nothing of an id that is not there', () => {
    expect(unbook(aBank({ institutionId: 'ins_115616' }), 'nothing')).toBeUndefined()
  })

  it('read numbers as the wire does', () => {
    expect(exactly('{"amount": 1234567890123456.10}')).toEqual({ amount: exact('1234567890123456.10') })
  })
})

/** The balances in a canonical form: `5.00` and `5` are equal. */
function structuralBalances({ accounts }: Bank): string[] {
  return accounts.flatMap(({ balances: { current, available } }) =>
    [current, available].map((balance) => (balance === null ? 'null' : balance.rawJSON.replace(/\.?0*$/, ''))),
  )
}
