// Insights equal the bank's double-entry books. A movement between the user's own accounts is neither income nor
// spending, and any other movement counts once, for every combination of accounts that report it.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { cashFlow, spending } from '../../../src/db/read/insights.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import type { BooksTotal } from '../../support/bank.ts'
import { partsOf, textOf } from '../../support/exact.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const dayAt = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
type Sums = Record<string, string>

function added(book: Map<string, bigint>, key: readonly (string | null)[], amount: string): void {
  const name = JSON.stringify(key)
  book.set(name, (book.get(name) ?? 0n) + partsOf(amount))
}
const texts = (book: Map<string, bigint>): Sums =>
  Object.fromEntries([...book].filter(([, sum]) => sum !== 0n).map(([key, sum]) => [key, textOf(sum)]))

/** Money in and out by currency, and money out by category, from the bank's books. */
function expected(totals: readonly BooksTotal[]): Sums {
  const book = new Map<string, bigint>()
  for (const { currency, meaning, category, amount } of totals) {
    if (meaning === 'spent') added(book, ['out', currency], amount)
    if (meaning === 'earned') added(book, ['in', currency], amount)
    if (meaning === 'spent') added(book, ['spending', currency, category], amount)
  }
  return texts(book)
}

/** The same sums from the Worker. */
async function counted(subject: string, from: string, to: string): Promise<Sums> {
  const { identity } = world.user(subject).actor
  const book = new Map<string, bigint>()
  for (const { currency, inflow, outflow } of await cashFlow(world.services.api, identity, { from, to }, 'month')) {
    added(book, ['in', currency], inflow)
    added(book, ['out', currency], outflow)
  }
  for (const { currency, category, total } of await spending(world.services.api, identity, { from, to }))
    added(book, ['spending', currency, category], total)
  return texts(book)
}

it('insights equal the books of an ordinary bank, in which a loan charges interest, pays out and is paid off', async () => {
  const subject = 'ordinary books'
  const item = await linkAndSync(world, subject, { institution: 'ins_109511' })
  for (const first of [-89, -60, -31]) {
    const [from, to] = [dayAt(first), dayAt(0)]
    const totals = await world.bank.books(item.plaidItemId, from, to)
    const kinds = totals.map(({ meaning, category }) => `${meaning} ${category}`)
    expect(kinds).toEqual(
      expect.arrayContaining([
        'earned INCOME',
        'spent FOOD_AND_DRINK',
        'spent BANK_FEES',
        'spent LOAN_PAYMENTS',
        'kept LOAN_PAYMENTS',
        'kept TRANSFER_OUT',
        'owed BANK_FEES',
        'borrowed LOAN_DISBURSEMENTS',
      ]),
    )
    expect(await counted(subject, from, to)).toEqual(expected(totals))
  }
})

const types = ['depository', 'credit', 'loan', 'investment', 'other'] as const
/** Each test has a separate bank. */
const customBank = (seed: string) => ({
  seed,
  override_accounts: types.flatMap((type) =>
    [1, 2].map((number) => ({
      type,
      ...(type === 'loan' ? { subtype: 'auto' } : {}),
      starting_balance: 1000,
      currency: 'USD',
      meta: { name: `${type} ${number}`, mask: `${types.indexOf(type)}00${number}` },
    })),
  ),
})

/** Rewrites the categories to Plaid's first taxonomy. */
const firstTaxonomy = `update transactions set
    category_detailed = case when category_primary = 'LOAN_DISBURSEMENTS' then 'TRANSFER_IN_CASH_ADVANCES_AND_LOANS'
      when category_detailed = 'INCOME_SALARY' then 'INCOME_WAGES' else category_detailed end,
    category_primary = case category_primary when 'LOAN_DISBURSEMENTS' then 'TRANSFER_IN' else category_primary end,
    category_version = 'v1' where item_id = $1`

it('insights equal the books for random movements between accounts of all types, cash and others, in both taxonomies', async () => {
  const subject = 'random books'
  const item = await linkAndSync(world, subject, { username: 'user_custom', password: customBank(subject) })
  const { accounts } = await world.bank.truth(item.plaidItemId)
  const sides = [...accounts.map((account) => account.account_id), 'cash', 'own_elsewhere', 'outside']
  const move = fc
    .record({
      from: fc.constantFrom(...sides),
      to: fc.constantFrom(...sides),
      cents: fc.integer({ min: 1, max: 10_000_000 }),
      offset: fc.integer({ min: -20, max: 0 }),
      pending: fc.boolean(),
    })
    .filter(({ from, to }) => from !== to)
  const [from, to] = [dayAt(-20), dayAt(0)]
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 30 }), async (moves) => {
      await world.bank.change(item.plaidItemId, {
        move: moves.map(({ cents, offset, ...rest }) => ({ ...rest, amount: cents / 100, date: dayAt(offset) })),
        silent: true,
      })
      await requestSync(world.user(subject), item.id)
      await world.drain()
      expect(await counted(subject, from, to)).toEqual(expected(await world.bank.books(item.plaidItemId, from, to)))
    }),
    { numRuns: 25 },
  )
  const totals = await world.bank.books(item.plaidItemId, from, to)
  expect(new Set(totals.map(({ meaning }) => meaning)).size).toBe(5)
  await world.sql(firstTaxonomy, [item.id])
  expect(await counted(subject, from, to)).toEqual(expected(totals))
})

it('spending counts a loan paid with a card, and not a card paid with a loan or with another card', async () => {
  const subject = 'debts pay debts'
  const item = await linkAndSync(world, subject, { username: 'user_custom', password: customBank(subject) })
  const { accounts } = await world.bank.truth(item.plaidItemId)
  const called = (name: string) => accounts.find((account) => account['name'] === name)?.account_id
  const [card, otherCard, loan] = [called('credit 1'), called('credit 2'), called('loan 1')]
  const pairs = [
    { from: card, to: loan, amount: 1, category: 'LOAN_PAYMENTS_CAR_PAYMENT' },
    { from: loan, to: card, amount: 10 },
    { from: card, to: otherCard, amount: 100 },
    { from: 'own_elsewhere', to: card, amount: 1000, category: 'LOAN_PAYMENTS_OTHER_PAYMENT' },
  ]
  await world.bank.change(item.plaidItemId, { move: pairs, silent: true })
  await requestSync(world.user(subject), item.id)
  await world.drain()
  const [row] = await cashFlow(
    world.services.api,
    world.user(subject).actor.identity,
    { from: dayAt(-1), to: dayAt(1) },
    'day',
  )
  expect(row).toMatchObject({ inflow: '0', outflow: '1' })
})
