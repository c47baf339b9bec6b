import { getTableColumns, getTableName } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { erasedTables, lastErasedTables } from '../../../src/db/privacy/erasures.ts'
import { schemaTables } from '../../support/schema-tables.ts'

/** Tables with a user that an erasure does not empty portion by portion, and why. */
const otherwise: Readonly<Record<string, string>> = {
  erasures: 'keeps the tombstone, without the user',
  item_products: 'is deleted with its items',
  changes: 'is deleted with the user',
  rules: 'are deleted with the user',
  user_visits: 'is deleted with the user',
  plaid_removals: 'is deleted when Plaid has confirmed the removal',
}

it('an erasure deletes the rows of every table that names a user', async () => {
  const named = (await schemaTables())
    .filter((table) => Object.values(getTableColumns(table)).some(({ name }) => name === 'user_id'))
    .map((table) => getTableName(table))
  expect(named.length).toBeGreaterThan(15)
  const erased: readonly string[] = [...erasedTables, ...lastErasedTables, ...Object.keys(otherwise)]
  expect(named.filter((name) => !erased.includes(name))).toEqual([])
})
