// Links, notes and removes small banks, for the tests of relinks.
import { expect } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { editTransaction, type Transaction } from '../../../src/db/records/transactions.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { everyTransaction } from '../../support/equality.ts'
import { chooseBank, smallBank } from '../../support/item-lifecycle.ts'
import { oddAnswers } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'

/** The fields of a transaction that stay the same from link to link. */
export const known = (row: Transaction) => [row.date, row.amount, row.name, row.pending].join(' | ')

export const idsOf = (rows: readonly Transaction[]) => new Set(rows.map(({ id }) => id))

export const byName = (rows: readonly Transaction[], name: string) => rows.find((row) => row.name === name)

export interface Linking {
  readonly bank?: ReturnType<typeof smallBank>
  /** Changes at the bank before Plaid reads it for the new item. */
  readonly meanwhile?: object
  readonly history?: 'initial' | 'historical'
}

/** Helpers over the world of a test file. */
export function relinking(world: () => World) {
  const note = async (subject: string, id: string, text: string) =>
    await editTransaction(world().services.api, world().user(subject).actor.identity, id, {
      note: text,
      userCategory: 'MINE',
    })
  const hide = async (subject: string, item: Item) => await removeItem(world().user(subject), item.id, { purge: false })
  /** Links the subject's small bank and syncs its history as far as Plaid has it. */
  async function link(subject: string, { bank, meanwhile, history = 'historical' }: Linking = {}): Promise<Item> {
    const { publicToken, plaidItemId } = await chooseBank(world(), subject, bank ?? smallBank(subject))
    if (meanwhile !== undefined) await world().bank.change(plaidItemId, { ...meanwhile, silent: true })
    const item = await exchangePublicToken(world().user(subject), { publicToken, institution: null })
    await world().bank.change(item.plaidItemId, { history, silent: true })
    await world().drain()
    return item
  }
  /** Syncs the item's transactions, even when they are not dirty. */
  const sync = (item: Item) => oddAnswers(world()).sync(item, 'transactions')
  /** Links a bank, writes a note on each transaction, and removes the item. */
  async function predecessor(subject: string, linking: Linking = {}) {
    const item = await link(subject, linking)
    const before = await everyTransaction(world(), subject)
    for (const { id, name } of before) await note(subject, id, `note on ${name}`)
    await hide(subject, item)
    return { item, before }
  }
  /** Fails unless the user has the same transactions under the same ids, each with its note. */
  async function expectSame(subject: string, before: readonly Transaction[]): Promise<void> {
    const after = await everyTransaction(world(), subject)
    expect(new Map(after.map((row) => [row.id, known(row)]))).toEqual(
      new Map(before.map((row) => [row.id, known(row)])),
    )
    expect(after.map((row) => row.note)).toEqual(after.map(({ name }) => `note on ${name}`))
  }
  return { note, hide, link, sync, predecessor, expectSame }
}
