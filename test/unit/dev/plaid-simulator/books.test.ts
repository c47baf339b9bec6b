// The double-entry books of a bank, and money that a control moves.
import { expect, test } from 'vitest'
import * as z from 'zod'
import { openDesk } from './bank-desk.ts'

const truthSchema = z.object({
  accounts: z.array(z.looseObject({ account_id: z.string(), type: z.string() })),
  transactions: z.array(z.looseObject({ transaction_id: z.string(), date: z.string() })),
})
const booksSchema = z.object({
  movements: z.array(
    z.looseObject({
      transaction_id: z.string(),
      date: z.string(),
      from: z.looseObject({ kind: z.string() }),
      to: z.looseObject({ kind: z.string() }),
      meaning: z.string(),
    }),
  ),
  totals: z.array(z.looseObject({ meaning: z.string() })),
})

test('a move between two accounts is two postings and one movement', async () => {
  const desk = await openDesk()
  const { item_id } = await desk.link({ institution: 'ins_109511' })
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  const { accounts } = truthSchema.parse((await desk.control(`/truth?item_id=${item_id}`)).body)
  const idOf = (type: string) => accounts.find((account) => account.type === type)?.account_id
  const before = booksSchema.parse((await desk.control(`/books?item_id=${item_id}`)).body)
  const move = [
    { from: idOf('depository'), to: idOf('loan'), amount: 7 },
    { from: 'outside', to: idOf('credit'), amount: 8 },
    { from: idOf('depository'), to: 'cash', amount: 9 },
    { from: idOf('investment'), to: idOf('depository'), amount: 10 },
    { from: 'outside', to: idOf('investment'), amount: 11 },
  ]
  const { added } = z
    .looseObject({ added: z.array(z.string()) })
    .parse((await desk.control(`/items/${item_id}/bank`, { move, silent: true })).body)
  expect(added).toHaveLength(5)
  const after = booksSchema.parse((await desk.control(`/books?item_id=${item_id}`)).body)
  const fresh = after.movements.filter(({ transaction_id: id }) => added.includes(id))
  expect(fresh.map(({ meaning }) => meaning)).toEqual(['spent', 'earned', 'kept', 'kept'])
  expect(after.movements).toHaveLength(before.movements.length + 4)
})

test('the books of some days have those days alone', async () => {
  const desk = await openDesk()
  const { item_id } = await desk.link()
  await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
  const { transactions } = truthSchema.parse((await desk.control(`/truth?item_id=${item_id}`)).body)
  const day = transactions.at(-1)?.date ?? ''
  const books = booksSchema.parse((await desk.control(`/books?item_id=${item_id}&from=${day}&to=${day}`)).body)
  expect(new Set(books.movements.map(({ date }) => date))).toEqual(new Set([day]))
  expect((await desk.control(`/books?item_id=${item_id}&from=yesterday`)).status).toBe(400)
})

test('a side that the bank does not have is refused', async () => {
  const desk = await openDesk()
  const { item_id } = await desk.link()
  const move = [{ from: 'nowhere', to: 'cash', amount: 1 }]
  expect((await desk.control(`/items/${item_id}/bank`, { move })).status).toBe(404)
})
