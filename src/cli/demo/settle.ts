// Waits until the API returns what the bank holds.
import { pollUntil } from '../lib/poll.ts'
import { apiBook } from './api-book.ts'
import { bankBook } from './bank-book.ts'
import { type Book, type TableName, tableNames } from './book.ts'
import { compareBooks } from './compare.ts'
import type { Demo, Finding, Linked } from './context.ts'

/** The differences now, and the number of the bank's rows. */
async function look({ bank }: Demo, linked: Linked, tables: readonly TableName[]) {
  const expected = bankBook(await bank.truth(linked.plaidItemId), linked.closed, new Date())
  const actual = apiBook(await linked.api.lists())
  return { differences: compareBooks(expected, actual, tables), counts: countsOf(expected, tables) }
}

function countsOf(book: Book, tables: readonly TableName[]): Finding['counts'] {
  return Object.fromEntries(tables.map((table) => [table, book[table].length]))
}

/** Waits until the API equals the bank in these tables, all by default. */
export async function settle(
  demo: Demo,
  linked: Linked,
  summary: string,
  tables: readonly TableName[] = tableNames,
): Promise<Finding> {
  const found = await pollUntil(
    demo,
    () => look(demo, linked, tables),
    ({ differences }) => differences.length === 0,
  )
  return { customer: linked.name, summary, ...found }
}
