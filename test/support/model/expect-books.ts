// When all work is done, what the API lists equals the bank's books, in exact decimals: accounts and balances, positions,
// investment transactions, liabilities and recurring streams. So do the newest of the daily balances and positions.
import { expect } from 'vitest'
import type { WholeCopy } from '../whole-feed.ts'
import { type Books, booksOf, type Compared, listedOf } from './books.ts'
import type { Chaos, Happened } from './types.ts'

const kinds = ['account', 'holding', 'investment_transaction', 'liability', 'recurring_stream'] as const
/** The events that the rows of a kind prove. */
const proofs: Readonly<Record<(typeof kinds)[number], string>> = {
  account: 'balances',
  holding: 'positions',
  investment_transaction: 'trades',
  liability: 'liabilities',
  recurring_stream: 'streams',
}

const sorted = (rows: readonly object[]): object[] =>
  rows.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
const keyOf = (row: object): string =>
  JSON.stringify(Object.entries(row).toSorted(([one], [other]) => (one < other ? -1 : 1)))

/** Compares the healthy items of a user and returns Plaid's ids of them. The others cannot be read. */
export function expectBooks(
  chaos: Chaos,
  banks: readonly Books[],
  copy: WholeCopy,
  happened: Happened,
): ReadonlySet<string> {
  const { items, rows } = listedOf(copy, (account) => chaos.neverShared.has(account))
  const compared = banks.filter(({ item_id: id }) => items.has(id)).map(booksOf)
  const ofKind = (kind: keyof Compared): object[] => sorted(compared.flatMap((bank) => bank[kind]))
  expect(Object.fromEntries(kinds.map((kind) => [kind, sorted(rows[kind])]))).toEqual(
    Object.fromEntries(kinds.map((kind) => [kind, ofKind(kind)])),
  )
  for (const kind of kinds) {
    const what = proofs[kind]
    if (rows[kind].length > 0) happened.set(what, (happened.get(what) ?? 0) + rows[kind].length)
  }
  return items
}

/** The item's newest day: today, or yesterday where midnight (UTC) has passed since the last sync. */
const newestOf = (table: string): string => `(select max(n.day) from ${table} n join accounts b on b.id = n.account_id
  where b.item_id = i.id and n.day >= (now() at time zone 'UTC')::date - 1)`
const newestDays = `select i.plaid_item_id as item, a.plaid_account_id as id, trim_scale(d.current)::text as one,
    trim_scale(d.available)::text as other
  from account_balances d join accounts a on a.id = d.account_id join items i on i.id = a.item_id
  where i.removed_at is null and i.status = 'healthy' and d.day = ${newestOf('account_balances')} and not a.closed
  union all
  select i.plaid_item_id, a.plaid_account_id || ' ' || s.plaid_security_id, trim_scale(d.quantity)::text,
    trim_scale(d.institution_value)::text
  from holding_days d join accounts a on a.id = d.account_id join items i on i.id = a.item_id
    join securities s on s.id = d.security_id
  where i.removed_at is null and i.status = 'healthy' and d.day = ${newestOf('holding_days')} and not a.closed`

/** The newest day of each healthy item, of all users; `banks` are theirs. */
export async function expectNewestDays({ world }: Chaos, banks: readonly Books[]): Promise<void> {
  const stored = await world.sql(newestDays)
  const held = banks.flatMap(({ item_id: item, accounts, holdings }) => [
    ...accounts.map(({ account_id: id, balances: { current, available } }) => ({
      item,
      id,
      one: current,
      other: available,
    })),
    ...holdings.map((row) => ({
      item,
      id: `${row.account_id} ${row.security_id}`,
      one: row.quantity,
      other: row.institution_value,
    })),
  ])
  expect(sorted(stored)).toEqual(sorted(held))
}
