// Search in transactions: `q` finds text however its accents are encoded.
import { expect, it } from 'vitest'
import { editTransaction, listTransactions } from '../../../src/db/records/transactions.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { everyTransaction } from '../../support/equality.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const found = async (subject: string, q: string): Promise<string[]> => {
  const page = await listTransactions(world.services.api, world.user(subject).actor.identity, { q }, 500, null)
  return page.rows.map(({ name }) => name).toSorted()
}

it('the search finds composed and combining accents, each by the other', async () => {
  const subject = 'accents'
  const item = await linkAndSync(world, subject, { institution: 'ins_109509' })
  const texts = ['Crème Brûlée', 'Ångström', 'Việt Nam', 'Señor 100% _x', '한국 식당', 'naïve ☕']
  const names = texts.flatMap((text) => [`1 ${text.normalize('NFC')}`, `2 ${text.normalize('NFD')}`])
  // One accent each way in one name.
  const mixed = '3 Crème Bru\u0302le\u0301e'
  await world.bank.change(item.plaidItemId, { add: [...names, mixed].map((name) => ({ name })), silent: true })
  await requestSync(world.user(subject), item.id)
  await world.drain()
  for (const text of texts) {
    const all = [...names, mixed].filter((name) => name.normalize('NFC').includes(text.normalize('NFC'))).toSorted()
    expect(all.length).toBeGreaterThan(1)
    for (const form of ['NFC', 'NFD']) expect(await found(subject, text.normalize(form))).toEqual(all)
    expect(await found(subject, text.normalize('NFD').toLowerCase())).toEqual(all)
  }
  expect(await found(subject, '100% _')).toHaveLength(2)
  expect(await found(subject, 'é%é')).toEqual([])
  expect(await found(subject, 'Zürich')).toEqual([])
})

it('the search finds a note in either encoding', async () => {
  const subject = 'accents in notes'
  await linkAndSync(world, subject, { institution: 'ins_109509' })
  const [first, second] = await everyTransaction(world, subject)
  const { identity } = world.user(subject).actor
  await editTransaction(world.services.api, identity, first?.id ?? '', { note: 'mit Zoe\u0308' })
  await editTransaction(world.services.api, identity, second?.id ?? '', { note: 'mit Zoë' })
  for (const q of ['zoë', 'Zoe\u0308']) expect((await found(subject, q)).length).toBeGreaterThanOrEqual(2)
})
