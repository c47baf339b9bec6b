// Balances before the first report equal the bank's own books, day by day; where they cannot be known, the walk stops and
// says why. The simulator's books run forward from the opening balances, and share no code with the Worker.
import { expect, it } from 'vitest'
import * as z from 'zod'
import { estimateEnds } from '../../../src/db/read/estimates.ts'
import { listAccountsRoute, listBalancesRoute } from '../../../src/http/routes/accounts.ts'
import { netWorthRoute } from '../../../src/http/routes/insights.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { ask } from '../../support/call-route.ts'
import type { PastBalances } from '../../support/bank.ts'
import { partsOf, textOf } from '../../support/exact.ts'
import { chooseBank, daysAgo, type Login, useWorld } from '../../support/item-lifecycle.ts'
import { link } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'
import { insight } from './insight-sums.ts'

let world: World
useWorld((made) => {
  world = made
})

const balanceList = z.object({
  data: z.array(
    z.object({
      date: z.string(),
      current: z.string().nullable(),
      available: z.string().nullable(),
      as_of: z.string().nullable(),
      estimated: z.boolean(),
    }),
  ),
  next_cursor: z.string().nullable(),
  estimated_from: z.string().nullable(),
  estimate_ends: z.enum(estimateEnds).nullable(),
})
const accountList = z.object({
  data: z.array(z.object({ id: z.string(), plaid_account_id: z.string(), type: z.string(), name: z.string() })),
})

const accountsOf = async (subject: string) => accountList.parse(await ask(world.user(subject), listAccountsRoute)).data

/** All days of an account, page by page, and why there are no earlier ones. */
async function balancesOf(subject: string, id: string, query: Record<string, string> = {}) {
  const days: z.infer<typeof balanceList>['data'] = []
  for (let cursor: string | null = ''; ;) {
    const given: Record<string, string> = { ...query, limit: '300', ...(cursor === '' ? {} : { cursor }) }
    const page = balanceList.parse(await ask(world.user(subject), listBalancesRoute, { params: { id }, query: given }))
    days.push(...page.data)
    cursor = page.next_cursor
    if (cursor === null) return { days, from: page.estimated_from, ends: page.estimate_ends }
  }
}

const yesterday = daysAgo(1)

/** Fails unless every day from `from` until yesterday is estimated, with the balance in the bank's books. */
async function expectBooks(subject: string, plaidItemId: string, ends: string) {
  const books = await world.bank.pastBalances(plaidItemId)
  const types: string[] = []
  for (const account of await accountsOf(subject)) {
    const book = books.find(({ account_id: id }) => id === account.plaid_account_id)
    if (book === undefined || book.days.length === 0) continue
    const found = await balancesOf(subject, account.id)
    const estimated = found.days.filter((day) => day.estimated)
    // The history so far may have none of its transactions.
    if (ends === 'history_incomplete' && found.ends === 'no_transactions') continue
    const from = found.from ?? ''
    const expected = book.days.filter(({ date }) => date >= from && date <= yesterday)
    expect([account.name, found.ends, expected.length > 3]).toEqual([account.name, ends, true])
    expect([account.name, estimated.map(({ date, current }) => ({ date, current }))]).toEqual([account.name, expected])
    expect(estimated.every((day) => day.available === null && day.as_of === null)).toBe(true)
    expect(found.days.filter((day) => !day.estimated).map(({ date }) => date)).toEqual([daysAgo(0)])
    types.push(account.type)
  }
  return new Set(types)
}

/** The first estimated day of all accounts. */
async function earliest(subject: string): Promise<string> {
  const spans = await Promise.all((await accountsOf(subject)).map(async ({ id }) => await balancesOf(subject, id)))
  return spans.flatMap(({ from }) => from ?? []).toSorted()[0] ?? ''
}

it('an estimated balance equals the books of deposits, cards and loans, while the history arrives and after each change', async () => {
  const item = await link(world, 'walker', { institution: 'ins_109508' })
  await world.bank.change(item.plaidItemId, { history: 'initial', silent: true })
  await world.drain()
  await expectBooks('walker', item.plaidItemId, 'history_incomplete')
  const early = await earliest('walker')
  await world.bank.change(item.plaidItemId, { history: 'historical', silent: true })
  const sync = async () => {
    await requestSync(world.user('walker'), item.id)
    await world.drain()
  }
  await sync()
  const types = await expectBooks('walker', item.plaidItemId, 'oldest_transaction')
  expect([...types].toSorted()).toEqual(['credit', 'depository', 'loan'])
  expect((await earliest('walker')) < early).toBe(true)
  await world.bank.change(item.plaidItemId, { remove: 5, silent: true })
  await sync()
  await expectBooks('walker', item.plaidItemId, 'oldest_transaction')
  const past = [daysAgo(40), daysAgo(15)].map((date) => ({ date, amount: 77.13, name: 'LATE' }))
  await world.bank.change(item.plaidItemId, { add: [...past, { pending: true }], silent: true })
  await sync()
  await expectBooks('walker', item.plaidItemId, 'oldest_transaction')
  await world.bank.change(item.plaidItemId, { post_pending: true, silent: true })
  await sync()
  await expectBooks('walker', item.plaidItemId, 'oldest_transaction')
})

const sumOf = (amounts: readonly string[]): string => textOf(amounts.reduce((sum, amount) => sum + partsOf(amount), 0n))

function expectedWorth(books: PastBalances, date: string) {
  const on = (owed: boolean) =>
    books
      .filter(({ type }) => (type === 'credit' || type === 'loan') === owed)
      .flatMap(({ days }) => days.filter((day) => day.date === date).map(({ current }) => current))
  return { date, assets: sumOf(on(false)), liabilities: sumOf(on(true)) }
}

it('an estimated balance makes the net worth of the days before the link, and marks them', async () => {
  const item = await link(world, 'worth', { institution: 'ins_13' })
  await world.bank.change(item.plaidItemId, { history: 'historical', silent: true })
  await world.drain()
  const books = await world.bank.pastBalances(item.plaidItemId)
  const [from, to] = [daysAgo(200), daysAgo(0)]
  const { data } = await insight(world, 'worth', netWorthRoute, { from, to })
  const shown = data.filter(({ date }) => date !== to)
  const known = new Set(books.flatMap(({ days }) => days.map(({ date }) => date)))
  const days = Array.from({ length: 200 }, (_, index) => daysAgo(200 - index)).filter((date) => known.has(date))
  expect(days.length).toBeGreaterThan(60)
  expect(shown.map(({ date, assets, liabilities }) => ({ date, assets, liabilities }))).toEqual(
    days.map((date) => expectedWorth(books, date)),
  )
  expect(new Set(shown.map(({ estimated }) => estimated))).toEqual(new Set([true]))
  expect(data.at(-1)).toMatchObject({ date: to, estimated: false })
  const window = await balancesOf('worth', (await accountsOf('worth'))[0]?.id ?? '', {
    from: daysAgo(9),
    to: daysAgo(5),
  })
  expect(window.days.map(({ date }) => date)).toEqual([9, 8, 7, 6, 5].map(daysAgo))
})

/** A bank with one account, whose user has no other. */
async function oneAccount(subject: string, account: object): Promise<string> {
  const rows = [2, 4, 9].map((days) => ({
    date_transacted: daysAgo(days),
    date_posted: daysAgo(days),
    amount: days + 0.5,
    description: `Row ${days}`,
    currency: 'USD',
  }))
  const override = { type: 'depository', subtype: 'checking', starting_balance: 100, transactions: rows, ...account }
  const login: Login = {
    username: 'user_custom',
    password: JSON.stringify({ seed: subject, override_accounts: [override] }),
  }
  const { publicToken, plaidItemId } = await chooseBank(world, subject, login)
  await exchangePublicToken(world.user(subject), { publicToken, institution: null })
  await world.bank.change(plaidItemId, { history: 'historical', silent: true })
  await world.drain()
  return (await accountsOf(subject))[0]?.id ?? ''
}

const estimated = async (subject: string, id: string) => {
  const { days, from, ends } = await balancesOf(subject, id)
  return { from, ends, currents: days.filter((day) => day.estimated).map(({ current }) => current) }
}

/** Reports a balance for an earlier day, as if the account had been linked then. */
const report = async (id: string, days: number, current: string, currency = 'USD') =>
  await world.sql(
    `insert into account_balances (account_id, day, user_id, current, iso_currency_code, as_of)
     select id, $2::date, user_id, $3::numeric, $4, now() from accounts where id = $1
     on conflict (account_id, day) do update set current = excluded.current, iso_currency_code = excluded.iso_currency_code`,
    [id, daysAgo(days), current, currency],
  )

it('an estimated balance never replaces a reported day, and stops where the next report contradicts it', async () => {
  const id = await oneAccount('reported', {})
  expect(await estimated('reported', id)).toEqual({
    from: daysAgo(9),
    ends: 'oldest_transaction',
    currents: ['107', '107', '107', '107', '107', '102.5', '102.5', '100', '100'],
  })
  await report(id, 3, '102.5')
  const fitting = await balancesOf('reported', id)
  expect(fitting.days.map(({ date, current, estimated: is }) => [date, current, is])).toEqual([
    ...[9, 8, 7, 6, 5].map((days) => [daysAgo(days), '107', true]),
    [daysAgo(4), '102.5', true],
    [daysAgo(3), '102.5', false],
    [daysAgo(0), '100', false],
  ])
  await report(id, 4, '107')
  expect(await estimated('reported', id)).toMatchObject({ from: daysAgo(9), currents: Array(5).fill('107') })
  await report(id, 5, '55')
  expect(await estimated('reported', id)).toEqual({ from: null, ends: 'balance_mismatch', currents: [] })
  await report(id, 6, '107', 'EUR')
  expect(await estimated('reported', id)).toMatchObject({ ends: 'currency', currents: [] })
})

const foreign = [3, 6, 9].map((days) => ({
  date_transacted: daysAgo(days),
  date_posted: daysAgo(days),
  amount: 5,
  description: 'Row',
  currency: days === 6 ? 'EUR' : 'USD',
}))

it.each([
  ['a foreign transaction', { transactions: foreign }, { from: daysAgo(6), ends: 'currency' }],
  ['no transaction', { transactions: [] }, { from: null, ends: 'no_transactions' }],
  ['an account of another type', { type: 'other', subtype: 'other' }, { from: null, ends: 'account_type' }],
  // Plaid sends no prices of past days.
  ['an investment account', { type: 'investment', subtype: 'brokerage' }, { from: null, ends: 'account_type' }],
  [
    'a pending transaction that the available balance does not show',
    {
      force_available_balance: 100,
      transactions: [
        ...foreign.slice(0, 1),
        { ...foreign[0], date_transacted: daysAgo(1), date_posted: daysAgo(-3), description: 'Pending' },
      ],
    },
    { from: null, ends: 'pending_in_doubt' },
  ],
])('an estimated balance stops at %s', async (title, account, expected) => {
  const id = await oneAccount(title, account)
  expect(await estimated(title, id)).toMatchObject(expected)
})

it('an estimated balance follows a change of the account type, and a transaction that is removed', async () => {
  const id = await oneAccount('retyped', {})
  const { currents } = await estimated('retyped', id)
  expect([currents[0], currents.at(-1)]).toEqual(['107', '100'])
  const retype = async (type: string) => await world.sql('update accounts set type = $2 where id = $1', [id, type])
  await retype('credit')
  expect((await estimated('retyped', id)).currents[0]).toBe('93')
  await world.sql("update transactions set removed_at = now() where account_id = $1 and name = 'Row 4'", [id])
  expect((await estimated('retyped', id)).currents[0]).toBe('97.5')
  await retype('investment')
  expect(await estimated('retyped', id)).toEqual({ from: null, ends: 'account_type', currents: [] })
})

it('an estimated balance is absent for an account with transactions that could not be read', async () => {
  const id = await oneAccount('unreadable', {})
  await world.sql(
    `insert into set_aside_rows (user_id, item_id, product, kind, row_key, plaid_account_id, problems, run_id)
     select user_id, item_id, 'transactions', 'transaction', 'odd', plaid_account_id, '{}', gen_random_uuid()
     from accounts where id = $1`,
    [id],
  )
  expect(await estimated('unreadable', id)).toEqual({ from: null, ends: 'unreadable_transactions', currents: [] })
})
