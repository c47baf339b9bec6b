// The foreign keys, from the catalog. Each has an index for deletions, and none lets a row refer to a row of another
// user.
import type { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { makeItem } from '../../../src/cli/bench/bank-rows.ts'
import { useDatabase } from '../../support/own-database.ts'

let owner: Client
useDatabase((client) => {
  owner = client
})

/** Foreign keys whose first column starts no full index. Deleting the referenced row then reads the whole table. */
const withoutIndex = `select c.conrelid::regclass::text || '.' || c.conname as key
  from pg_constraint c
  where c.contype = 'f' and not exists (
    select 1 from pg_index i
    where i.indrelid = c.conrelid and i.indisvalid and i.indpred is null and i.indkey[0] = c.conkey[1])
  order by 1`

const keysWithoutIndex = async (): Promise<unknown[]> =>
  (await owner.query(withoutIndex)).rows.map((row: { key: string }) => row.key)

describe('a foreign key', () => {
  it('begins an index of all rows of its table', async () => {
    expect(await keysWithoutIndex()).toEqual([])
  })

  it.each([
    [
      'transactions',
      'plaid_transaction_id, date, amount, name, pending, change_seq',
      `'t', '2026-01-01', 1, 'n', false, 1`,
    ],
    [
      'recurring_streams',
      'plaid_stream_id, direction, description, first_date, last_date, frequency, is_active, status, plaid_transaction_ids',
      `'s', 'inflow', 'd', '2026-01-01', '2026-01-01', 'MONTHLY', true, 'MATURE', '{}'`,
    ],
    ['liabilities', 'kind, details', `'credit', '{}'`],
    [
      'investment_transactions',
      'plaid_investment_transaction_id, date, name, quantity, amount, price, type, subtype',
      `'i', '2026-01-01', 'n', 1, 1, 1, 'buy', 'buy'`,
    ],
  ])('keeps a row of %s from naming an account of another item or user', async (table, columns, values) => {
    const [mine, second, other] = [
      await makeItem(owner, 'mine'),
      await makeItem(owner, 'mine'),
      await makeItem(owner, 'other'),
    ]
    const insert = async (userId: string, itemId: string, accountId: string | undefined): Promise<void> => {
      const text = `insert into ${table} (user_id, item_id, account_id, ${columns}) values ($1, $2, $3, ${values})`
      await owner.query(text, [userId, itemId, accountId])
    }
    const refused = { code: '23503', constraint: `${table}_owner` }
    await expect(insert(mine.userId, mine.itemId, other.accountIds[0])).rejects.toMatchObject(refused)
    await expect(insert(mine.userId, second.itemId, mine.accountIds[0])).rejects.toMatchObject(refused)
    await expect(insert(other.userId, mine.itemId, mine.accountIds[0])).rejects.toMatchObject(refused)
    await expect(insert(mine.userId, other.itemId, other.accountIds[0])).rejects.toMatchObject(refused)
    await insert(mine.userId, mine.itemId, mine.accountIds[0])
  })

  it('keeps a rule from naming an account of another user, in each of its writes', async () => {
    const [mine, other] = [await makeItem(owner, 'mine'), await makeItem(owner, 'other')]
    const insert = async (userId: string, accountId: string | undefined) =>
      await owner.query('insert into rules (user_id, position, account_id, hidden) values ($1, 1, $2, true)', [
        userId,
        accountId,
      ])
    const refused = { code: '23503', constraint: 'rules_account_owner' }
    await expect(insert(mine.userId, other.accountIds[0])).rejects.toMatchObject(refused)
    await insert(mine.userId, mine.accountIds[0])
    const moved = owner.query('update rules set account_id = $2 where user_id = $1', [mine.userId, other.accountIds[0]])
    await expect(moved).rejects.toMatchObject(refused)
  })

  it('keeps an account from naming the item of another user', async () => {
    const [mine, other] = [await makeItem(owner, 'mine'), await makeItem(owner, 'other')]
    const named = owner.query(
      `insert into accounts (user_id, item_id, plaid_account_id, name, type) values ($1, $2, 'a', 'n', 'depository')`,
      [mine.userId, other.itemId],
    )
    await expect(named).rejects.toMatchObject({ code: '23503', constraint: 'accounts_item_owner' })
  })
})

// src/cli/deploy/expand-only.ts lets a deployment add a unique index with this column.
it('a column `id` is the primary key of its table', async () => {
  const { rows } = await owner.query(
    `select a.attrelid::regclass::text as name from pg_attribute a join pg_class c on c.oid = a.attrelid
      where a.attname = 'id' and not a.attisdropped and c.relkind in ('r', 'p')
        and c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
        and not exists (select from pg_constraint k
          where k.conrelid = a.attrelid and k.contype = 'p' and k.conkey = array[a.attnum])`,
  )
  expect(rows).toEqual([])
})
