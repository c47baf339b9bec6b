// When all work is done, balances and positions equal the bank's: the current ones, and the newest of the daily ones.
import { expect } from 'vitest'
import { listHoldings } from '../../../src/db/records/investments.ts'
import type { TrueItem } from './banks.ts'
import type { Chaos, Happened } from './types.ts'

/** The item's newest day: today, or yesterday where midnight (UTC) has passed since the last sync. */
const newestOf = (table: string): string => `(select max(n.day) from ${table} n join accounts b on b.id = n.account_id
  where b.item_id = i.id and n.day >= (now() at time zone 'UTC')::date - 1)`

const balances = `select a.plaid_account_id as id, a.current_balance as one, a.available_balance as other
  from accounts a join items i on i.id = a.item_id where i.plaid_item_id = $1 and not a.closed`
const newestBalances = `select a.plaid_account_id as id, d.current as one, d.available as other
  from account_balances d join accounts a on a.id = d.account_id join items i on i.id = a.item_id
  where i.plaid_item_id = $1 and d.day = ${newestOf('account_balances')} and not a.closed`
const holdings = `select a.plaid_account_id || ' ' || s.plaid_security_id as id, h.quantity as one, h.institution_value as other
  from holdings h join accounts a on a.id = h.account_id join items i on i.id = a.item_id join securities s on s.id = h.security_id
  where i.plaid_item_id = $1 and h.id = any($2)`
const newestHoldings = `select a.plaid_account_id || ' ' || s.plaid_security_id as id, d.quantity as one, d.institution_value as other
  from holding_days d join accounts a on a.id = d.account_id join items i on i.id = a.item_id join securities s on s.id = d.security_id
  where i.plaid_item_id = $1 and d.day = ${newestOf('holding_days')} and not a.closed`

/** Formats amounts as numbers: the bank and the database write the same decimal in different ways. */
const line = (id: unknown, one: unknown, other: unknown): string =>
  [id, ...[one, other].map((amount) => (amount === null ? 'none' : Number(amount)))].join(' ')

async function expectItem({ world }: Chaos, item: TrueItem, listed: readonly string[]): Promise<void> {
  const rowsOf = async (query: string, ...more: string[]) =>
    (await world.sql(query, [item.item_id, ...more])).map((row) => line(row['id'], row['one'], row['other'])).toSorted()
  const atBank = item.accounts.map(({ account_id: id, balances: held }) => line(id, held.current, held.available))
  const owned = item.holdings.map((held) =>
    line(`${held.account_id} ${held.security_id}`, held.quantity, held.institution_value),
  )
  const [accounts, positions] = [atBank.toSorted(), owned.toSorted()]
  expect({ balances: await rowsOf(balances), holdings: await rowsOf(holdings, `{${listed.join(',')}}`) }).toEqual({
    balances: accounts,
    holdings: positions,
  })
  expect({ balances: await rowsOf(newestBalances), holdings: await rowsOf(newestHoldings) }).toEqual({
    balances: accounts,
    holdings: positions,
  })
}

/** Compares each healthy item. The others cannot be read. */
export async function expectSnapshots(chaos: Chaos, happened: Happened): Promise<void> {
  const healthy = await chaos.world.sql(
    "select plaid_item_id from items where removed_at is null and status = 'healthy'",
  )
  const working = new Set(healthy.map((row) => row['plaid_item_id']))
  const listed: string[] = []
  for (const subject of chaos.subjects) {
    const { identity } = chaos.world.user(subject).actor
    const { rows } = await listHoldings(chaos.world.services.api, identity, null, 1000, null)
    listed.push(...rows.map(({ id }) => id))
  }
  for (const item of await chaos.control.items()) {
    if (!working.has(item.item_id)) continue
    await expectItem(chaos, item, listed)
    happened.set('balances', (happened.get('balances') ?? 0) + item.accounts.length)
    if (item.holdings.length > 0) happened.set('positions', (happened.get('positions') ?? 0) + item.holdings.length)
  }
}
