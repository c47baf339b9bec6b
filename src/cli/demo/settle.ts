// Waiting by asking: until the API tells what the bank holds, or patience ends.
import { setTimeout as delay } from 'node:timers/promises'
import { apiBook } from './api-book.ts'
import { bankBook } from './bank-book.ts'
import type { Book, TableName } from './book.ts'
import { tableNames } from './book.ts'
import { compareBooks } from './compare.ts'
import type { Demo, Finding, Linked } from './context.ts'

const pollMs = 250

/** Asks until the answer satisfies, or `patienceMs` are over; gives the last answer either way. */
export async function askUntil<Answer>(
  demo: Pick<Demo, 'signal' | 'patienceMs'>,
  ask: () => Promise<Answer>,
  isGood: (answer: Answer) => boolean,
): Promise<Answer> {
  const deadline = performance.now() + demo.patienceMs
  for (;;) {
    const answer = await ask()
    if (isGood(answer) || performance.now() > deadline) return answer
    await delay(pollMs, undefined, { signal: demo.signal })
  }
}

/** What differs now, and how many rows the bank has. */
async function look({ bank }: Demo, linked: Linked, tables: readonly TableName[]) {
  const expected = bankBook(await bank.truth(linked.plaidItemId), linked.closed, new Date())
  const actual = apiBook(await linked.api.lists())
  return { differences: compareBooks(expected, actual, tables), counts: countsOf(expected, tables) }
}

function countsOf(book: Book, tables: readonly TableName[]): Finding['counts'] {
  return Object.fromEntries(tables.map((table) => [table, book[table].length]))
}

/** Waits until the API equals the bank in these tables; all of them unless given. */
export async function settle(
  demo: Demo,
  linked: Linked,
  summary: string,
  tables: readonly TableName[] = tableNames,
): Promise<Finding> {
  const found = await askUntil(
    demo,
    () => look(demo, linked, tables),
    ({ differences }) => differences.length === 0,
  )
  return { customer: linked.name, summary, ...found }
}
