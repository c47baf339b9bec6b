// Cash flow and spending equal the sums that the test computes from the bank's data, with separate exact decimals.
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import { cashFlowRoute, netWorthRoute, spendingRoute } from '../../../src/http/routes/insights.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import type { Truth } from '../../support/bank.ts'
import { everyTransaction } from '../../support/equality.ts'
import { partsOf, textOf } from '../../support/exact.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'
import { dayMs, dayAt, type Query, type Row, insight, keyed, type Sums, sumsIn } from './insight-sums.ts'
import { sampleSize } from '../../support/sampled.ts'

let world: World
useWorld((made) => {
  world = made
})

const next = (day: string): string => new Date(Date.parse(day) + dayMs).toISOString().slice(0, 10)

interface Moved {
  readonly date: string
  readonly currency: string | null
  readonly category: string | null
  readonly amount: bigint
}

/** The bank's transactions that count, by the documented rules. books.test.ts compares with the bank's books. */
function moves(truths: readonly Truth[], own: ReadonlyMap<string, { category?: string; hidden?: true }>): Moved[] {
  return truths.flatMap(({ accounts, transactions }) => {
    const typeOf = new Map(accounts.map(({ account_id: id, type }) => [id, type]))
    return transactions.flatMap((row): Moved[] => {
      const { category: named, hidden } = own.get(row.transaction_id) ?? {}
      const primary = row.personal_finance_category?.primary ?? null
      const isMove =
        (named ?? primary)?.startsWith('TRANSFER_') === true ||
        (named ?? primary) === 'LOAN_DISBURSEMENTS' ||
        (named === undefined &&
          (typeOf.get(row.account_id) === 'loan' ||
            row.personal_finance_category?.detailed === 'LOAN_PAYMENTS_CREDIT_CARD_PAYMENT' ||
            (primary === 'LOAN_PAYMENTS' && typeOf.get(row.account_id) === 'credit' && row.amount.startsWith('-'))))
      const currency = row.iso_currency_code ?? row.unofficial_currency_code
      if (hidden === true || isMove) return []
      return [{ date: row.date, currency, category: named ?? primary, amount: partsOf(row.amount) }]
    })
  })
}

const startOf = (day: string, interval: string): string => {
  if (interval === 'month') return `${day.slice(0, 7)}-01`
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7
  return interval === 'week' ? new Date(Date.parse(day) - weekday * dayMs).toISOString().slice(0, 10) : day
}

function expectedFlow(all: readonly Moved[], from: string, to: string, interval: string): Map<string, Row> {
  const book = new Map<string, Sums>()
  for (const { date, currency, amount } of all.filter((move) => move.date >= from && move.date <= to)) {
    const start = startOf(date, interval)
    const sums = sumsIn(book, [start < from ? from : start, currency])
    if (amount < 0n) sums.in -= amount
    else sums.out += amount
  }
  const rows = [...book].map(([key, { in: inflow, out }]) => {
    const [start = '', currency = null] = z.array(z.string().nullable()).parse(JSON.parse(key))
    let end = start ?? ''
    while (end < to && startOf(next(end), interval) === startOf(end, interval)) end = next(end)
    return { start, end, currency, inflow: textOf(inflow), outflow: textOf(out), net: textOf(inflow - out) }
  })
  return keyed(rows, 'start', 'currency')
}

function expectedSpending(all: readonly Moved[], from: string, to: string): Map<string, Row> {
  const book = new Map<string, Sums>()
  for (const { date, currency, category, amount } of all) {
    if (date < from || date > to) continue
    const sums = sumsIn(book, [currency, category])
    if (amount < 0n) sums.in -= amount
    if (amount > 0n) {
      sums.out += amount
      sums.count += 1
    }
  }
  const rows = [...book].flatMap(([key, { in: returned, out, count }]) => {
    const [currency = null, category = null] = z.array(z.string().nullable()).parse(JSON.parse(key))
    return count === 0 ? [] : [{ currency, category, total: textOf(out), returned: textOf(returned), count }]
  })
  return keyed(rows, 'currency', 'category')
}

const plaidCategory = (primary: string, detailed = `${primary}_OTHER`) => ({
  personal_finance_category: { primary, detailed, confidence_level: 'HIGH' },
})

/** A user with two banks and every kind of data that makes sums difficult. */
async function difficultUser(subject: string): Promise<Moved[]> {
  const items = [await linkAndSync(world, subject), await linkAndSync(world, subject, { institution: 'ins_109509' })]
  const [first, second] = items
  if (first === undefined || second === undefined) throw new Error('nothing was linked')
  const { accounts } = await world.bank.truth(first.plaidItemId)
  const accountOf = (type: string) => accounts.find((account) => account['type'] === type)?.account_id
  const add = [
    { amount: '123456789012.10', name: 'twelve digits', date: dayAt(-3) },
    { amount: '999999999999.99', name: 'twelve more', date: dayAt(-3) },
    { amount: '0.000000000000000001', name: 'hardly anything', date: dayAt(-3) },
    { amount: '12.5', name: 'coin', iso_currency_code: null, unofficial_currency_code: 'DOGE', date: dayAt(-2) },
    { amount: '-7.25', name: 'coin back', iso_currency_code: null, unofficial_currency_code: 'DOGE', date: dayAt(-2) },
    { amount: '3', name: 'no currency', iso_currency_code: null, unofficial_currency_code: null, date: dayAt(-2) },
    { amount: '4', name: 'euro', iso_currency_code: 'EUR', date: dayAt(-40) },
    { amount: '50', name: 'meal', date: dayAt(-9), ...plaidCategory('FOOD_AND_DRINK') },
    { amount: '-20', name: 'meal back', date: dayAt(-8), ...plaidCategory('FOOD_AND_DRINK') },
    { amount: '1000', name: 'to savings', date: dayAt(-7), ...plaidCategory('TRANSFER_OUT') },
    { amount: '-1000', name: 'from checking', date: dayAt(-7), ...plaidCategory('TRANSFER_IN') },
    { amount: '300', name: 'card bill', ...plaidCategory('LOAN_PAYMENTS', 'LOAN_PAYMENTS_CREDIT_CARD_PAYMENT') },
    { amount: '400', name: 'car', ...plaidCategory('LOAN_PAYMENTS', 'LOAN_PAYMENTS_CAR_PAYMENT') },
    { amount: '-500', name: 'paid off', account_id: accountOf('loan'), ...plaidCategory('LOAN_PAYMENTS') },
    { amount: '31', name: 'loan interest', account_id: accountOf('loan'), ...plaidCategory('BANK_FEES') },
    { amount: '32', name: 'card interest', account_id: accountOf('credit'), ...plaidCategory('BANK_FEES') },
    { amount: '33', name: 'car by card', account_id: accountOf('credit'), ...plaidCategory('LOAN_PAYMENTS') },
    { amount: '-34', name: 'card paid', account_id: accountOf('credit'), ...plaidCategory('LOAN_PAYMENTS') },
    { amount: '-9000', name: 'loan', ...plaidCategory('LOAN_DISBURSEMENTS', 'LOAN_DISBURSEMENTS_PERSONAL') },
    { amount: '6', name: 'uncategorised', personal_finance_category: null },
    { amount: '8', name: 'pending', pending: true },
    { amount: '700', name: 'rent by transfer', date: dayAt(-5), ...plaidCategory('TRANSFER_OUT') },
    { amount: '900', name: 'mine to mine', date: dayAt(-5), ...plaidCategory('GENERAL_MERCHANDISE') },
    { amount: '111', name: 'hidden', date: dayAt(-5) },
    { amount: '0', name: 'nothing', date: dayAt(-6) },
  ]
  // Amounts are inserted as text, because JavaScript cannot hold them.
  const text = JSON.stringify({ add, silent: true }).replaceAll(/"amount":"([^"]+)"/g, '"amount":$1')
  await world.bank.change(first.plaidItemId, text)
  for (const item of items) await requestSync(world.user(subject), item.id)
  await world.drain()
  const own = new Map<string, { category?: string; hidden?: true }>()
  for (const row of await everyTransaction(world, subject)) {
    const edits =
      row.name === 'rent by transfer'
        ? { category: 'Rent' }
        : row.name === 'mine to mine'
          ? { category: 'TRANSFER_OUT' }
          : row.name === 'hidden'
            ? { hidden: true as const }
            : null
    if (edits === null) continue
    own.set(row.plaidTransactionId, edits)
    const { identity } = world.user(subject).actor
    const wanted = 'category' in edits ? { userCategory: edits.category } : { hidden: true }
    await editTransaction(world.services.api, identity, row.id, wanted)
  }
  expect(own.size).toBe(3)
  return moves(await Promise.all(items.map(({ plaidItemId }) => world.bank.truth(plaidItemId))), own)
}

describe('cash flow and spending', () => {
  let all: Moved[]
  beforeAll(async () => {
    all = await difficultUser('difficult')
    await linkAndSync(world, 'neighbour')
  }, 60_000)

  it('are the sums of the books of the bank, for any days and intervals, in each currency', async () => {
    const windows = fc.tuple(fc.integer({ min: -100, max: 3 }), fc.nat(60), fc.constantFrom('day', 'week', 'month'))
    await fc.assert(
      fc.asyncProperty(windows, async ([offset, length, interval]) => {
        const [from, to] = [dayAt(offset - length), dayAt(offset)]
        const flow = await insight(world, 'difficult', cashFlowRoute, { from, to, interval })
        expect(flow).toMatchObject({ from, to })
        expect(keyed(flow.data, 'start', 'currency')).toEqual(expectedFlow(all, from, to, interval))
        const spent = await insight(world, 'difficult', spendingRoute, { from, to })
        expect(keyed(spent.data, 'currency', 'category')).toEqual(expectedSpending(all, from, to))
      }),
      { numRuns: sampleSize({ all: 40, few: 10 }) },
    )
  })

  it('know 12 digits, 18 places, coins, and amounts of no currency', async () => {
    const { data } = await insight(world, 'difficult', cashFlowRoute, {
      from: dayAt(-3),
      to: dayAt(-2),
      interval: 'day',
    })
    expect(data.map(({ currency }) => currency)).toEqual(expect.arrayContaining(['USD', 'DOGE', null]))
    expect(data.find(({ currency }) => currency === 'DOGE')).toMatchObject({
      inflow: '7.25',
      outflow: '12.5',
      net: '-5.25',
    })
    const usd = data.find(({ start, currency }) => start === dayAt(-3) && currency === 'USD')
    expect(usd?.['outflow']).toMatch(/^11234567\d{5}\.\d{17}1$/)
  })

  it('begin by themselves 30 days, 12 weeks or 12 months ago and end today', async () => {
    for (const interval of ['day', 'week', 'month']) {
      const { from, to, data } = await insight(world, 'difficult', cashFlowRoute, { interval })
      expect(to).toBe(dayAt(0))
      expect(from).toBe(startOf(from, interval))
      expect(keyed(data, 'start', 'currency')).toEqual(expectedFlow(all, from, to, interval))
    }
    expect((await insight(world, 'difficult', cashFlowRoute)).from).toMatch(/-01$/)
    const spent = await insight(world, 'difficult', spendingRoute)
    expect(spent).toMatchObject({ from: dayAt(-29), to: dayAt(0) })
    expect(keyed(spent.data, 'currency', 'category')).toEqual(expectedSpending(all, spent.from, spent.to))
  })

  it('agree: what was spent in all categories is what went out', async () => {
    const query = { from: dayAt(-60), to: dayAt(0) }
    const sum = (rows: readonly Row[], name: string) =>
      rows
        .filter(({ currency }) => currency === 'USD')
        .map((row) => partsOf(String(row[name])))
        .reduce((left, right) => left + right, 0n)
    const [flow, spent] = [
      await insight(world, 'difficult', cashFlowRoute, query),
      await insight(world, 'difficult', spendingRoute, query),
    ]
    expect(sum(spent.data, 'total')).toBe(sum(flow.data, 'outflow'))
  })

  it('are sorted by time, or by the largest first', async () => {
    const flow = await insight(world, 'difficult', cashFlowRoute, { interval: 'week' })
    const starts = flow.data.map(({ start }) => String(start))
    expect(starts).toEqual(starts.toSorted())
    const { data } = await insight(world, 'difficult', spendingRoute, { from: dayAt(-90), to: dayAt(0) })
    const totals = data.filter(({ currency }) => currency === 'USD').map(({ total }) => partsOf(String(total)))
    expect(totals.length).toBeGreaterThan(3)
    expect(totals).toEqual(totals.toSorted((left, right) => (left < right ? 1 : -1)))
  })

  it('know nothing of what was removed, and show nothing to others', async () => {
    const item = await linkAndSync(world, 'removed')
    expect((await insight(world, 'removed', cashFlowRoute)).data.length).toBeGreaterThan(0)
    await world.sql('update transactions set removed_at = now() where item_id = $1', [item.id])
    expect((await insight(world, 'removed', cashFlowRoute)).data).toEqual([])
    const hidden = await linkAndSync(world, 'hidden')
    await world.sql('update items set removed_at = now() where id = $1', [hidden.id])
    for (const route of [cashFlowRoute, spendingRoute, netWorthRoute])
      for (const subject of ['hidden', 'nobody']) expect((await insight(world, subject, route)).data).toEqual([])
  })
})

describe('the days of an insight', () => {
  it.each<[string, Query]>([
    ['the wrong way round', { from: '2026-02-02', to: '2026-02-01' }],
    ['that begin after today', { from: dayAt(5) }],
    ['more than two years', { from: '2024-01-01', to: '2026-01-01' }],
  ])('%s are refused, with the place', async (_what, query) => {
    for (const route of [netWorthRoute, cashFlowRoute, spendingRoute])
      await expect(insight(world, 'nobody', route, query)).rejects.toMatchObject({
        code: 'validation_failed',
        fields: [{ pointer: expect.stringMatching(/^(from|to)$/) }],
      })
  })

  it('accept two years', async () => {
    const query = { from: '2024-01-01', to: '2025-12-31' }
    for (const route of [netWorthRoute, cashFlowRoute, spendingRoute])
      expect(await insight(world, 'nobody', route, query)).toMatchObject({ ...query, data: [] })
  })

  it.each(['0001-01-01', '0001-02-03', '9999-12-31'])('accept the end %s', async (to) => {
    for (const interval of ['day', 'week', 'month'])
      expect((await insight(world, 'nobody', cashFlowRoute, { to, interval })).data).toEqual([])
    expect((await insight(world, 'nobody', netWorthRoute, { to })).data).toEqual([])
  })
})
