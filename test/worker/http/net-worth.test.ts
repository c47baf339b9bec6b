// Net worth equals the sums that the test computes from generated accounts, and the bank's balances today.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { registerUser } from '../../../src/db/core/scope.ts'
import { netWorthRoute } from '../../../src/http/routes/insights.ts'
import { partsOf, textOf } from '../../support/exact.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'
import { dayAt, type Row, insight, keyed, type Sums, sumsIn } from './insight-sums.ts'
import { sampleSize } from '../../support/sampled.ts'

let world: World
useWorld((made) => {
  world = made
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
     ), given as (select * from jsonb_to_recordset($2::jsonb) as r(id uuid, type text, currency jsonb, closed boolean, revoked int, balances jsonb)),
     made as (
       insert into accounts (id, user_id, item_id, plaid_account_id, name, type, closed, revoked_at)
       select given.id, $1, item.id, given.id::text, 'account', type, closed,
         ((now() at time zone 'UTC')::date + revoked + time '11:00') at time zone 'UTC' from given cross join item returning id
     )
     insert into account_balances (account_id, day, user_id, current, available, iso_currency_code, unofficial_currency_code, as_of)
     select given.id, (now() at time zone 'UTC')::date + (b->>'day')::int, $1, (b->>'current')::numeric, (b->>'available')::numeric, currency->>0, currency->>1, now()
     from given join made using (id) cross join lateral jsonb_array_elements(balances) b`,
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
      sums.count += 1
      if (type === 'credit' || type === 'loan') sums.out += partsOf(worth)
      else sums.in += partsOf(worth)
    }
  const rows = [...book].map(([key, { in: assets, out: liabilities, count }]) => {
    const [date = '', currency = null] = z.array(z.string().nullable()).parse(JSON.parse(key))
    return {
      date,
      currency,
      estimated: false,
      accounts: count,
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
        const { data, left_out: leftOut } = await insight(world, 'worth', netWorthRoute, {
          from: dayAt(from),
          to: dayAt(to),
        })
        expect(keyed(data, 'date', 'currency')).toEqual(expectedWorth(accounts, from, to))
        expect(leftOut).toEqual(
          expectedLeftOut(accounts, ids, to)
            .toSorted()
            .map((id) => ({ account_id: id, reason: 'no_balance' })),
        )
        const dates = data.map(({ date }) => String(date))
        expect(dates).toEqual(dates.toSorted())
      }),
      { numRuns: sampleSize({ all: 60, few: 15 }) },
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
    const answer = await insight(world, 'today', netWorthRoute)
    expect(answer).toMatchObject({ from: dayAt(-29), to: dayAt(0) })
    expect(book.size).toBeGreaterThan(0)
    expect(
      new Map(
        answer.data
          .filter((row) => row['estimated'] === false)
          .map((row) => [JSON.stringify([row['date'], row['currency']]), [row['assets'], row['liabilities']]]),
      ),
    ).toEqual(new Map([...book].map(([key, sums]) => [key, [textOf(sums.in), textOf(sums.out)]])))
  })
})
