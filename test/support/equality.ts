// Compares the stored rows with the bank's: id by id, amounts as exact decimals, no row missing and no removed row
// left.
import { expect } from 'vitest'
import { listTransactions, type Transaction } from '../../src/db/records/transactions.ts'
import type { Key } from '../../src/db/core/page.ts'
import type { World } from './world.ts'

/** All of a user's transactions, page by page. */
export async function everyTransaction(world: World, subject: string): Promise<Transaction[]> {
  const { identity } = world.user(subject).actor
  const all: Transaction[] = []
  let from: Key | null = null
  do {
    const page = await listTransactions(world.services.api, identity, {}, 500, from)
    all.push(...page.rows)
    from = page.next
  } while (from !== null)
  return all
}

const byId = <Row extends { id: string }>(left: Row, right: Row) => (left.id < right.id ? -1 : 1)

/** Fails unless the user's transactions equal the bank's. There must be at least one. */
export async function expectTruth(world: World, subject: string, plaidItemId: string): Promise<Transaction[]> {
  const [stored, truth] = [await everyTransaction(world, subject), await world.bank.truth(plaidItemId)]
  const seen = stored.map((row) => ({
    id: row.plaidTransactionId,
    amount: row.amount,
    currency: row.currency,
    date: row.date,
    name: row.name,
    pending: row.pending,
  }))
  const held = truth.transactions.map((row) => ({
    id: row.transaction_id,
    amount: row.amount,
    currency: row.iso_currency_code ?? row.unofficial_currency_code,
    date: row.date,
    name: row.name,
    pending: row.pending,
  }))
  expect(held.length).toBeGreaterThan(0)
  expect(seen.toSorted(byId)).toEqual(held.toSorted(byId))
  return stored
}
