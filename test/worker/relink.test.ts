// Relink continuity: a bank that is linked again goes on where it was — our ids, notes, categories — and its history is
// not doubled.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { listAccounts } from '../../src/db/accounts.ts'
import { editTransaction, type Transaction } from '../../src/db/transactions.ts'
import { removeItem } from '../../src/items/remove-item.ts'
import { exchangePublicToken } from '../../src/link/exchange-public-token.ts'
import { reconcile } from '../../src/link/reconcile.ts'
import { everyTransaction, expectTruth } from '../support/equality.ts'
import { linkAndSync } from '../support/linked.ts'
import { createWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
})
afterAll(() => world.stop())

async function relink(subject: string, options = {}) {
  const publicToken = await world.bank.publicToken(options)
  const item = await exchangePublicToken(world.user(subject), { publicToken, institution: null })
  await world.bank.change(item.plaidItemId, { history: 'historical' })
  await world.drain()
  return item
}

const accountsOf = async (subject: string) =>
  (await listAccounts(world.services.api, world.user(subject).actor.identity, 100, null)).rows

/** By what does not change from link to link. */
const known = (row: Transaction) => [row.date, row.amount, row.name, row.pending].join(' | ')

describe('a bank that was removed and is linked again', () => {
  it('goes on under the same ids, with its notes, and without a second history', async () => {
    const subject = 'relink removed'
    const first = await linkAndSync(world, subject)
    const before = await everyTransaction(world, subject)
    const accounts = await accountsOf(subject)
    const { identity } = world.user(subject).actor
    const noted = before.slice(0, 5)
    for (const { id } of noted)
      await editTransaction(world.services.api, identity, id, { note: `note on ${id}`, userCategory: 'MINE' })
    await removeItem(world.user(subject), first.id, { purge: false })
    expect(await everyTransaction(world, subject)).toEqual([])

    const second = await relink(subject)
    expect(second.id).toBe(first.id)
    expect(second.plaidItemId).not.toBe(first.plaidItemId)
    const after = await expectTruth(world, subject, second.plaidItemId)
    expect(new Set(after.map(({ id }) => id))).toEqual(new Set(before.map(({ id }) => id)))
    expect(new Map(after.map((row) => [row.id, known(row)]))).toEqual(new Map(before.map((row) => [row.id, known(row)])))
    for (const { id } of noted)
      expect(after.find((row) => row.id === id)).toMatchObject({ note: `note on ${id}`, userCategory: 'MINE' })
    expect((await accountsOf(subject)).map(({ id, closed }) => [id, closed])).toEqual(
      accounts.map(({ id, closed }) => [id, closed]),
    )
    await reconcile(world.job())
    expect(await world.sql('select * from plaid_removals')).toEqual([])
  })
})
