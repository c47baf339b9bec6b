// Insights equal the sums that the test computes itself from the bank's data, with separate exact decimals.
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { registerUser } from '../../../src/db/core/scope.ts'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import { cashFlowRoute, netWorthRoute, spendingRoute } from '../../../src/http/routes/insights.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { ask } from '../../support/call-route.ts'
import type { Truth } from '../../support/bank.ts'
import { everyTransaction } from '../../support/equality.ts'
import { partsOf, textOf } from '../../support/exact.ts'
import { linkAndSync } from '../../support/linked.ts'
import { createWorld, type World } from '../../support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
})
afterAll(() => world.stop())

const dayMs = 86_400_000
const dayAt = (offset: number): string => new Date(Date.now() + offset * dayMs).toISOString().slice(0, 10)
const next = (day: string): string => new Date(Date.parse(day) + dayMs).toISOString().slice(0, 10)
const answerSchema = z.object({
  from: z.string(),
  to: z.string(),
  data: z.array(z.looseObject({})),
  left_out: z.array(z.object({ account_id: z.string(), reason: z.string() })).optional(),
})
type Query = Readonly<Record<string, string>>
type Row = Readonly<Record<string, unknown>>

const insight = async (subject: string, which: typeof netWorthRoute, query: Query = {}) =>
  answerSchema.parse(await ask(world.user(subject), which, { query }))

/** The rows by their keys, so that the order is compared separately. */
const keyed = (rows: readonly Row[], ...names: string[]) =>
  new Map(rows.map((row) => [JSON.stringify(names.map((name) => row[name])), row]))

interface Sums {
  in: bigint
  out: bigint
  count: number
}
const sumsIn = (book: Map<string, Sums>, key: readonly (string | null)[]): Sums => {
  const name = JSON.stringify(key)
  const sums = book.get(name) ?? { in: 0n, out: 0n, count: 0 }
  book.set(name, sums)
  return sums
}

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
        const flow = await insight('difficult', cashFlowRoute, { from, to, interval })
        expect(flow).toMatchObject({ from, to })
        expect(keyed(flow.data, 'start', 'currency')).toEqual(expectedFlow(all, from, to, interval))
        const spent = await insight('difficult', spendingRoute, { from, to })
        expect(keyed(spent.data, 'currency', 'category')).toEqual(expectedSpending(all, from, to))
      }),
      { numRuns: 40 },
    )
  })

  it('know 12 digits, 18 places, coins, and amounts of no currency', async () => {
    const { data } = await insight('difficult', cashFlowRoute, { from: dayAt(-3), to: dayAt(-2), interval: 'day' })
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
      const { from, to, data } = await insight('difficult', cashFlowRoute, { interval })
      expect(to).toBe(dayAt(0))
      expect(from).toBe(startOf(from, interval))
      expect(keyed(data, 'start', 'currency')).toEqual(expectedFlow(all, from, to, interval))
    }
    expect((await insight('difficult', cashFlowRoute)).from).toMatch(/-01$/)
    const spent = await insight('difficult', spendingRoute)
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
      await insight('difficult', cashFlowRoute, query),
      await insight('difficult', spendingRoute, query),
    ]
    expect(sum(spent.data, 'total')).toBe(sum(flow.data, 'outflow'))
  })

  it('are sorted by time, or by the largest first', async () => {
    const flow = await insight('difficult', cashFlowRoute, { interval: 'week' })
    const starts = flow.data.map(({ start }) => String(start))
    expect(starts).toEqual(starts.toSorted())
    const { data } = await insight('difficult', spendingRoute, { from: dayAt(-90), to: dayAt(0) })
    const totals = data.filter(({ currency }) => currency === 'USD').map(({ total }) => partsOf(String(total)))
    expect(totals.length).toBeGreaterThan(3)
    expect(totals).toEqual(totals.toSorted((left, right) => (left < right ? 1 : -1)))
  })

  it('know nothing of what was removed, and show nothing to others', async () => {
    const item = await linkAndSync(world, 'removed')
    expect((await insight('removed', cashFlowRoute)).data.length).toBeGreaterThan(0)
    await world.sql('update transactions set removed_at = now() where item_id = $1', [item.id])
    expect((await insight('removed', cashFlowRoute)).data).toEqual([])
    const hidden = await linkAndSync(world, 'hidden')
    await world.sql('update items set removed_at = now() where id = $1', [hidden.id])
    for (const route of [cashFlowRoute, spendingRoute, netWorthRoute])
      for (const subject of ['hidden', 'nobody']) expect((await insight(subject, route)).data).toEqual([])
  })
})

interface ModelAccount {
  readonly type: string
  readonly currency: readonly [iso: string | null, unofficial: string | null]
  readonly closed: boolean
  /** Days from today. */
  readonly revoked: number | null
  readonly balances: readonly {
    readonly day: number
    readonly current: string | null
    readonly available: string | null
  }[]
}

const amount = fc.oneof(
  fc.constantFrom('0', '-3.5', '123456789012.34', '0.000000000000000001', '999999999999'),
  fc.tuple(fc.nat(99_999), fc.nat(99)).map(([whole, cents]) => textOf(partsOf(`${whole}.${cents}`))),
)
const modelAccount: fc.Arbitrary<ModelAccount> = fc.record({
  type: fc.constantFrom('depository', 'investment', 'brokerage', 'other', 'credit', 'loan'),
  currency: fc.constantFrom(
    ['USD', null] as const,
    ['EUR', null] as const,
    [null, 'DOGE'] as const,
    [null, null] as const,
  ),
  closed: fc.boolean(),
  revoked: fc.option(fc.integer({ min: -20, max: 0 })),
  balances: fc.uniqueArray(
    fc.record({
      day: fc.integer({ min: -25, max: 0 }),
      current: fc.option(amount, { freq: 3 }),
      available: fc.option(amount),
    }),
    { selector: ({ day }) => day, maxLength: 6 },
  ),
})

/** Stores accounts and their histories in place of the user's earlier ones. */
async function store(userId: string, accounts: readonly ModelAccount[]): Promise<string[]> {
  await world.sql('delete from items where user_id = $1', [userId])
  const rows = accounts.map((account) => ({ ...account, id: crypto.randomUUID() }))
  await world.sql(
    `with item as (
       insert into items (user_id, plaid_item_id, access_token_sealed) values ($1, gen_random_uuid()::text, '') returning id
     ), told as (select * from jsonb_to_recordset($2::jsonb) as r(id uuid, type text, currency jsonb, closed boolean, revoked int, balances jsonb)),
     made as (
       insert into accounts (id, user_id, item_id, plaid_account_id, name, type, closed, revoked_at)
       select told.id, $1, item.id, told.id::text, 'account', type, closed,
         ((now() at time zone 'UTC')::date + revoked + time '11:00') at time zone 'UTC' from told cross join item returning id
     )
     insert into account_balances (account_id, day, user_id, current, available, iso_currency_code, unofficial_currency_code, as_of)
     select told.id, (now() at time zone 'UTC')::date + (b->>'day')::int, $1, (b->>'current')::numeric, (b->>'available')::numeric, currency->>0, currency->>1, now()
     from told join made using (id) cross join lateral jsonb_array_elements(balances) b`,
    [userId, JSON.stringify(rows)],
  )
  return rows.map(({ id }) => id)
}

/** A depository account without a current balance counts with its available one. */
const amountOf = ({ type }: ModelAccount, { current, available }: ModelAccount['balances'][number]): string | null =>
  current ?? (type === 'depository' ? available : null)

/** The open accounts that count on no day up to `to`. */
const expectedLeftOut = (accounts: readonly ModelAccount[], ids: readonly string[], to: number): string[] =>
  ids.filter((_id, index) => {
    const account = accounts[index]
    if (account === undefined || account.closed || account.revoked !== null) return false
    return !account.balances.some((each) => each.day <= Math.min(to, 0) && amountOf(account, each) !== null)
  })

function expectedWorth(accounts: readonly ModelAccount[], from: number, to: number): Map<string, Row> {
  const book = new Map<string, Sums>()
  for (let day = from; day <= Math.min(to, 0); day += 1)
    for (const account of accounts) {
      const { type, currency, closed, revoked, balances } = account
      const last = Math.max(...balances.map((balance) => balance.day))
      const known = balances.filter((balance) => amountOf(account, balance) !== null && balance.day <= day)
      const [newest] = known.toSorted((left, right) => right.day - left.day)
      const worth = newest === undefined ? null : amountOf(account, newest)
      if (worth === null || (closed && day > last) || (revoked !== null && day >= revoked)) continue
      const sums = sumsIn(book, [dayAt(day), currency[0] ?? currency[1]])
      if (type === 'credit' || type === 'loan') sums.out += partsOf(worth)
      else sums.in += partsOf(worth)
    }
  const rows = [...book].map(([key, { in: assets, out: liabilities }]) => {
    const [date = '', currency = null] = z.array(z.string().nullable()).parse(JSON.parse(key))
    return {
      date,
      currency,
      assets: textOf(assets),
      liabilities: textOf(liabilities),
      net: textOf(assets - liabilities),
    }
  })
  return keyed(rows, 'date', 'currency')
}

describe('net worth', () => {
  it('is what was last known of every account on each day, by currency', async () => {
    const userId = await registerUser(world.services.api, world.user('worth').actor.identity)
    const window = fc.tuple(fc.integer({ min: -30, max: 2 }), fc.nat(30))
    await fc.assert(
      fc.asyncProperty(fc.array(modelAccount, { maxLength: 6 }), window, async (accounts, [end, length]) => {
        const ids = await store(userId, accounts)
        const [from, to] = [end - length, end]
        const { data, left_out: leftOut } = await insight('worth', netWorthRoute, { from: dayAt(from), to: dayAt(to) })
        expect(keyed(data, 'date', 'currency')).toEqual(expectedWorth(accounts, from, to))
        expect(leftOut).toEqual(
          expectedLeftOut(accounts, ids, to)
            .toSorted()
            .map((id) => ({ account_id: id, reason: 'no_balance' })),
        )
        const dates = data.map(({ date }) => String(date))
        expect(dates).toEqual(dates.toSorted())
      }),
      { numRuns: 60 },
    )
  })

  it('is today what the bank says, for all accounts, the last 30 days by default', async () => {
    const item = await linkAndSync(world, 'today', { products: ['transactions', 'investments', 'liabilities'] })
    const { accounts } = await world.bank.truth(item.plaidItemId)
    const book = new Map<string, Sums>()
    const balances = z.object({
      current: z.string().nullable(),
      iso_currency_code: z.string().nullable(),
      unofficial_currency_code: z.string().nullable(),
    })
    for (const account of accounts) {
      const {
        current,
        iso_currency_code: iso,
        unofficial_currency_code: unofficial,
      } = balances.parse(account['balances'])
      if (current === null) continue
      const sums = sumsIn(book, [dayAt(0), iso ?? unofficial])
      if (account['type'] === 'credit' || account['type'] === 'loan') sums.out += partsOf(current)
      else sums.in += partsOf(current)
    }
    const answer = await insight('today', netWorthRoute)
    expect(answer).toMatchObject({ from: dayAt(-29), to: dayAt(0) })
    expect(book.size).toBeGreaterThan(0)
    expect(
      new Map(
        answer.data.map((row) => [JSON.stringify([row['date'], row['currency']]), [row['assets'], row['liabilities']]]),
      ),
    ).toEqual(new Map([...book].map(([key, sums]) => [key, [textOf(sums.in), textOf(sums.out)]])))
  })
})

describe('days', () => {
  it.each<[string, Query]>([
    ['the wrong way round', { from: '2026-02-02', to: '2026-02-01' }],
    ['that begin after today', { from: dayAt(5) }],
    ['more than two years', { from: '2024-01-01', to: '2026-01-01' }],
  ])('%s are refused, with the place', async (_what, query) => {
    for (const route of [netWorthRoute, cashFlowRoute, spendingRoute])
      await expect(insight('nobody', route, query)).rejects.toMatchObject({
        code: 'validation_failed',
        fields: [{ pointer: expect.stringMatching(/^(from|to)$/) }],
      })
  })

  it('accept two years', async () => {
    const query = { from: '2024-01-01', to: '2025-12-31' }
    for (const route of [netWorthRoute, cashFlowRoute, spendingRoute])
      expect(await insight('nobody', route, query)).toMatchObject({ ...query, data: [] })
  })

  it.each(['0001-01-01', '0001-02-03', '9999-12-31'])('accept the end %s', async (to) => {
    for (const interval of ['day', 'week', 'month'])
      expect((await insight('nobody', cashFlowRoute, { to, interval })).data).toEqual([])
    expect((await insight('nobody', netWorthRoute, { to })).data).toEqual([])
  })
})
