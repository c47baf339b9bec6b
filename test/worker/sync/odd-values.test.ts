// Puts every kind of odd value into every field of every kind of row and syncs. The run is committed, and each missing
// row is set aside.
import { afterEach, describe, expect, it } from 'vitest'
import { listAllSyncRuns } from '../../../src/db/sync/runs.ts'
import { everyTransaction } from '../../support/equality.ts'
import { accessTokenOf, useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import { oddAnswers, type OddAnswers } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'
import { sampled } from '../../support/sampled.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})
afterEach(() => world.bank.clearAlterations())

/** As JSON text, because JavaScript cannot hold some of them. */
const values = [
  'null',
  '""',
  '" "',
  'true',
  '7',
  '-0.000000000000000001',
  '"x"',
  '{"a":{"b":["\\u0000"]}}',
  '[[],{},"\\ud800"]',
  '"2026-02-30"',
  '"0000-01-01"',
  '"9999-12-31"',
  '"0001-01-01"',
  '"a\\u0000b"',
  '"\\udfff"',
  '1e999999',
  '9'.repeat(400),
  `"${'é'.repeat(20_000)}"`,
  `${'['.repeat(300)}${']'.repeat(300)}`,
]

/** The names of every field at every depth of an object, such as `balances.current`. */
function fieldsOf(value: unknown, before = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => [`${before}${name}`, ...fieldsOf(inner, `${before}${name}.`)])
}

const alter = (endpoint: string, path: string, value: string) =>
  world.bank.alter(`{"endpoint":${JSON.stringify(endpoint)},"path":${JSON.stringify(path)},"value":${value}}`)

const listAt = (answer: unknown, list: string): readonly unknown[] => {
  let found = answer
  for (const step of list.split('.'))
    found =
      typeof found === 'object' && found !== null ? Object.entries(found).find(([name]) => name === step)?.[1] : null
  return Array.isArray(found) ? found : []
}

describe('one odd value', () => {
  it('costs only the transactions that require the field', async () => {
    const subject = 'odd transactions'
    const item = await linkAndSync(world, subject)
    const before = (await everyTransaction(world, subject)).length
    const endpoint = '/transactions/sync'
    const answer = await world.bank.plaid(endpoint, { access_token: await accessTokenOf(world, item), count: 1 })
    const fields = fieldsOf(listAt(answer, 'added')[0])
    const every = fields.flatMap((field) => values.map((value) => [field, value] as const))
    expect(every.length).toBeGreaterThan(400)
    const places = sampled(every, 3)
    const pageSize = 500
    for (let start = 0; start < places.length; start += pageSize) {
      const page = places.slice(start, start + pageSize)
      await world.bank.change(item.plaidItemId, { add: page.length, silent: true })
      for (const [index, [field, value]] of page.entries()) await alter(endpoint, `added[${index}].${field}`, value)
      await odd.sync(item, 'transactions')
      const { rows } = await listAllSyncRuns(world.services.jobs, { itemId: item.id }, 1, null)
      expect(rows[0]).toMatchObject({ outcome: 'committed' })
      await world.bank.clearAlterations()
    }
    const [aside] = await world.sql('select count(*) as n from set_aside_rows where item_id = $1', [item.id])
    const arrived = (await everyTransaction(world, subject)).length - before
    expect(arrived + Number(aside?.['n'])).toBeGreaterThan(places.length - 5)
    const needed = new Set(['transaction_id', 'account_id', 'date', 'amount'])
    const excused = places.filter(([field]) => needed.has(field)).length
    expect(arrived).toBeGreaterThanOrEqual(places.length - excused)
  })

  it.each([
    ['balances', '/accounts/get', 'accounts', 'accounts'],
    ['recurring', '/transactions/recurring/get', 'outflow_streams', 'recurring_streams'],
    ['holdings', '/investments/holdings/get', 'holdings', 'holdings'],
    ['holdings', '/investments/holdings/get', 'securities', 'holdings'],
    ['holdings', '/investments/holdings/get', 'accounts', 'holdings'],
    ['investment_transactions', '/investments/transactions/get', 'investment_transactions', 'investment_transactions'],
    ['liabilities', '/liabilities/get', 'liabilities.credit', 'liabilities'],
    ['liabilities', '/liabilities/get', 'liabilities.student', 'liabilities'],
  ])('stops no run and removes no row, in %s (%s %s)', async (product, endpoint, list, table) => {
    const item = await linkAndSync(world, `odd ${list} of ${product}`, {
      products: ['transactions', 'investments', 'liabilities'],
    })
    const window = { start_date: '2024-01-01', end_date: '2027-12-31' }
    const body = {
      access_token: await accessTokenOf(world, item),
      ...(endpoint.includes('s/transactions') ? window : {}),
    }
    const fields = fieldsOf(listAt(await world.bank.plaid(endpoint, body), list)[0])
    // A row with another id is another row rather than an odd one.
    const plain = fields.filter((field) => !field.endsWith('_id'))
    expect(plain.length).toBeGreaterThan(5)
    const ids = () => world.sql(`select id from ${table} where item_id = $1 order by id`, [item.id])
    const before = await ids()
    // Outer fields first, then inner ones: an odd outer value replaces the inner fields.
    const isInner = (field: string) => field.includes('.')
    for (const places of [plain.filter((field) => !isInner(field)), plain.filter(isInner)])
      for (const value of places.length === 0 ? [] : sampled(values, 3, list.length)) {
        for (const field of places) await alter(endpoint, `${list}[0].${field}`, value)
        await odd.sync(item, product)
        const { rows } = await listAllSyncRuns(world.services.jobs, { itemId: item.id }, 1, null)
        expect({ value: value.slice(0, 40), run: rows[0] }).toMatchObject({ run: { product, outcome: 'committed' } })
        expect(await ids()).toEqual(before)
        await world.bank.clearAlterations()
      }
  })
})
