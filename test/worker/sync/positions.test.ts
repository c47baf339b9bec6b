// Investments over time: the holdings at the end of each day, and investment transactions read page by page while the
// bank changes.
import { describe, expect, it } from 'vitest'
import { listAccounts } from '../../../src/db/records/accounts.ts'
import { listInvestmentTransactions } from '../../../src/db/records/investments.ts'
import type { Item } from '../../../src/db/items/items.ts'
import { allProducts, linkAndSync } from '../../support/linked.ts'
import { type OddAnswers, oddAnswers, type PlaidValue } from '../../support/odd-answers.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld(
  (made) => {
    world = made
    odd = oddAnswers(made)
  },
  // Enough investment transactions for several pages.
  { historyDays: 365 },
)

type Row = Record<string, unknown>

const ofItem = 'account_id in (select id from accounts where item_id = $1)'
const exactly = `account_id, security_id, trim_scale(quantity)::text as quantity, trim_scale(institution_price)::text as price,
  trim_scale(institution_value)::text as value, trim_scale(cost_basis)::text as cost, iso_currency_code, unofficial_currency_code`
const held = async (item: Item) =>
  await world.sql(`select ${exactly} from holdings where ${ofItem} order by account_id, security_id`, [item.id])
/** The positions `offset` days from today. */
const dayOf = async (item: Item, offset: number) =>
  await world.sql(
    `select ${exactly} from holding_days where ${ofItem} and day = (now() at time zone 'UTC')::date + $2::int order by account_id, security_id`,
    [item.id, offset],
  )
const versions = async (item: Item) =>
  await world.sql(`select account_id, security_id, day, xmin from holding_days where ${ofItem} order by 1, 2, 3`, [
    item.id,
  ])
/** Moves today's positions to yesterday. */
const nightFalls = async (item: Item) =>
  await world.sql(`update holding_days set day = day - 1 where ${ofItem}`, [item.id])

const withHoldings = (change: (value: PlaidValue<'getHoldings'>) => PlaidValue<'getHoldings'>) =>
  odd.withPlaid({
    async getHoldings(...args) {
      const answer = await world.services.plaid.getHoldings(...args)
      return answer.ok ? { ...answer, value: change(answer.value) } : answer
    },
  })

describe('the positions of a day', () => {
  it('are the last ones sent on that day, with every digit; earlier days stay', async () => {
    const item = await linkAndSync(world, 'days', allProducts)
    const first = await held(item)
    expect(first.length).toBeGreaterThan(3)
    expect(await dayOf(item, 0)).toEqual(first)
    await nightFalls(item)
    const long = '123456789012.000000000000000001'
    const changed = withHoldings((value) => ({
      ...value,
      holdings: value.holdings.map((holding, index) => (index === 0 ? { ...holding, quantity: long } : holding)),
    }))
    await odd.sync(item, 'holdings', changed)
    expect(await dayOf(item, 0)).toEqual(await held(item))
    expect((await dayOf(item, 0)).map(({ quantity }) => quantity)).toContain(long)
    expect(await dayOf(item, -1)).toEqual(first)
    await odd.sync(item, 'holdings')
    expect(await dayOf(item, 0)).toEqual(first)
    expect(await dayOf(item, -1)).toEqual(first)
  })

  it('lack positions that are no longer held, from the day of their removal', async () => {
    const item = await linkAndSync(world, 'gone', allProducts)
    const other = await linkAndSync(world, 'gone', allProducts)
    const [all, others] = [await held(item), await versions(other)]
    await nightFalls(item)
    await odd.sync(item, 'holdings')
    const without = withHoldings((value) => ({ ...value, holdings: value.holdings.slice(1) }))
    await odd.sync(item, 'holdings', without)
    const today = await dayOf(item, 0)
    expect(today).toEqual(await held(item))
    expect(today).toHaveLength(all.length - 1)
    expect(await dayOf(item, -1)).toEqual(all)
    const nothing = withHoldings((value) => ({ ...value, holdings: [] }))
    await odd.sync(item, 'holdings', nothing)
    expect(await dayOf(item, 0)).toEqual([])
    expect(await dayOf(item, -1)).toEqual(all)
    expect(await versions(other)).toEqual(others)
  })

  it('are written only where they differ', async () => {
    const item = await linkAndSync(world, 'same', allProducts)
    const before = await versions(item)
    await odd.sync(item, 'holdings')
    expect(await versions(item)).toEqual(before)
    const changed = withHoldings((value) => ({
      ...value,
      holdings: value.holdings.map((holding, index) => (index === 0 ? { ...holding, cost_basis: null } : holding)),
    }))
    await odd.sync(item, 'holdings', changed)
    const after = await versions(item)
    expect(after.filter(({ xmin }, index) => xmin !== before[index]?.['xmin'])).toHaveLength(1)
  })

  it('stay as they are where a position names an unknown account', async () => {
    const item = await linkAndSync(world, 'unknown', allProducts)
    const before = await versions(item)
    await odd.sync(
      item,
      'holdings',
      withHoldings((value) => ({
        ...value,
        holdings: value.holdings.map((holding, index) => (index === 0 ? { ...holding, account_id: 'no' } : holding)),
      })),
    )
    expect(await odd.lastRun(item)).toMatchObject({ error_code: 'ROWS_SET_ASIDE' })
    expect(await versions(item)).toEqual(before)
  })
})

type Move = PlaidValue<'getInvestmentTransactions'>['investment_transactions'][number]

/**
 * Services with these investment transactions, newest first, in pages of `size`. The bank may change after any page.
 */
async function bankOf(
  item: Item,
  size: number,
  afterPage: (page: number, moves: Move[]) => Promise<void> | void,
  count = 10,
) {
  const { first, ...value } = await odd.investmentTransactions(item)
  const move = (name: string): Move => ({ ...first, investment_transaction_id: name })
  const moves = Array.from({ length: count }, (_, index) => move(`move ${index}`))
  const offsets: number[] = []
  const services = odd.withPlaid({
    async getInvestmentTransactions(_token, { offset }) {
      offsets.push(offset)
      const page = {
        ...value,
        investment_transactions: moves.slice(offset, offset + size),
        total_investment_transactions: moves.length,
      }
      await afterPage(offsets.length, moves)
      return { ok: true as const, value: page, requestId: '' }
    },
  })
  return { services, offsets, moves, move }
}

const stored = async (item: Item) =>
  (
    await world.sql(
      'select plaid_investment_transaction_id as id from investment_transactions where item_id = $1 and removed_at is null',
      [item.id],
    )
  ).map((row: Row) => String(row['id']))
const idsOf = (moves: readonly Move[]) => moves.map((move) => move.investment_transaction_id).toSorted()
const lastRestarts = async (item: Item) =>
  (
    await world.sql(
      "select outcome, restarts, error_code from sync_runs where item_id = $1 and product = 'investment_transactions' order by finished_at desc limit 1",
      [item.id],
    )
  )[0]

describe('investment transactions', () => {
  it('are read completely, page by page, and rows that are no longer sent are removed', async () => {
    const item = await linkAndSync(world, 'several pages', allProducts)
    const before = await stored(item)
    expect(before.length).toBeGreaterThan(0)
    const { services, offsets, moves } = await bankOf(item, 3, () => undefined)
    await odd.sync(item, 'investment_transactions', services)
    expect(offsets).toEqual([0, 3, 6, 9])
    expect((await stored(item)).toSorted()).toEqual(idsOf(moves))
    moves.splice(4, 1)
    await odd.sync(item, 'investment_transactions', services)
    expect((await stored(item)).toSorted()).toEqual(idsOf(moves))
    expect(await lastRestarts(item)).toMatchObject({ outcome: 'committed', restarts: '0' })
  })

  it.each<[string, (moves: Move[]) => void]>([
    ['takes one back', (moves) => moves.splice(1, 1)],
    ['has a new one', (moves) => moves.unshift({ ...(moves[0] as Move), investment_transaction_id: 'newest' })],
  ])('are read again from the beginning when the bank %s between two pages', async (what, change) => {
    const item = await linkAndSync(world, what, allProducts)
    const { services, offsets, moves } = await bankOf(item, 3, (page, all) => {
      if (page === 2) change(all)
    })
    await odd.sync(item, 'investment_transactions', services)
    expect(offsets.slice(0, 4)).toEqual([0, 3, 6, 0])
    expect((await stored(item)).toSorted()).toEqual(idsOf(moves))
    expect(await lastRestarts(item)).toMatchObject({ outcome: 'committed', restarts: '1' })
  })

  it('stay as they were when the bank never stops changing, and are tried again later', async () => {
    const item = await linkAndSync(world, 'restless', allProducts)
    const before = await stored(item)
    const { services } = await bankOf(item, 3, (page, all) => {
      all.unshift({ ...(all[0] as Move), investment_transaction_id: `after page ${page}` })
    })
    await odd.sync(item, 'investment_transactions', services)
    expect(await stored(item)).toEqual(before)
    expect(await lastRestarts(item)).toEqual({ outcome: 'failed', restarts: '3', error_code: 'WINDOW_KEEPS_CHANGING' })
    await odd.sync(item, 'investment_transactions')
    expect((await stored(item)).toSorted()).toEqual(before.toSorted())
  })
})

describe('holdings without the subtype, which older clients and some institutions omit,', () => {
  it.each([
    ['removed', { remove: true }],
    ['null', { value: null }],
  ])('an account and its investment transactions are stored and listed (%s)', async (how, change) => {
    const subject = `no subtype, ${how}`
    const endpoints = ['/accounts/get', '/investments/transactions/get', '/investments/holdings/get'] as const
    for (const endpoint of endpoints) await world.bank.alter({ endpoint, path: 'accounts[*].subtype', ...change })
    await world.bank.alter({ endpoint: endpoints[1], path: 'investment_transactions[*].subtype', ...change })
    await linkAndSync(world, subject, allProducts)
    await world.bank.clearAlterations()
    const { api } = world.services
    const { identity } = world.user(subject).actor
    const accounts = await listAccounts(api, identity, 100, null)
    expect(accounts.rows.some(({ type }) => type === 'investment')).toBe(true)
    expect(new Set(accounts.rows.map(({ subtype }) => subtype))).toEqual(new Set([null]))
    const { rows } = await listInvestmentTransactions(api, identity, {}, 500, null)
    expect(rows.length).toBeGreaterThan(3)
    expect(rows.map(({ subtype }) => subtype)).toEqual(rows.map(({ type }) => type))
  })
})

describe('the investment transactions of a long window', () => {
  const staged = async () => Number((await world.sql('select count(*) as n from investment_staging'))[0]?.['n'])
  /** Two pages exceed what is held in memory, so the third is merged with staged rows. */
  const [size, count] = [2600, 5300]

  it('are staged between pages, and leave nothing behind when they are stored', async () => {
    const item = await linkAndSync(world, 'long window', allProducts)
    const waiting: number[] = []
    const { services, moves } = await bankOf(item, size, async () => void waiting.push(await staged()), count)
    await odd.sync(item, 'investment_transactions', services)
    expect(waiting).toEqual([0, 0, 5200])
    expect((await stored(item)).toSorted()).toEqual(idsOf(moves))
    expect(await staged()).toBe(0)
  })

  it('are forgotten with what was staged when the window changes', async () => {
    const item = await linkAndSync(world, 'long window that changes', allProducts)
    const change = (page: number, moves: Move[]) => {
      if (page === 2) moves.splice(1, 1)
    }
    const { services, offsets, moves } = await bankOf(item, size, change, count)
    await odd.sync(item, 'investment_transactions', services)
    expect(offsets).toEqual([0, 2600, 5200, 0, 2600, 5200])
    expect((await stored(item)).toSorted()).toEqual(idsOf(moves))
    expect(await staged()).toBe(0)
  })

  it('are not stored when staged rows were lost, and cancel nothing', async () => {
    const item = await linkAndSync(world, 'lost rows', allProducts)
    const before = await stored(item)
    const lose = async (page: number) => {
      if (page === 3) await world.sql('delete from investment_staging where seq < 10')
    }
    const { services } = await bankOf(item, size, lose, count)
    await odd.sync(item, 'investment_transactions', services)
    expect(await lastRestarts(item)).toMatchObject({ outcome: 'failed', error_code: 'STAGING_LOST' })
    expect(await stored(item)).toEqual(before)
    await odd.sync(item, 'investment_transactions')
    expect(await stored(item)).toEqual(before)
    expect(await staged()).toBe(0)
  })
})
