// The equality that `npm run demo` ends with: every account, transaction, holding, investment transaction and liability of a
// user over HTTP, against the bank's books.
import { expect, vi } from 'vitest'
import { apiBook } from '../../src/cli/demo/api-book.ts'
import { bankBook } from '../../src/cli/demo/bank-book.ts'
import { tableNames } from '../../src/cli/demo/book.ts'
import { compareBooks } from '../../src/cli/demo/compare.ts'
import { apiOf } from '../../src/cli/lib/api-client.ts'
import { bankOf } from '../../src/cli/lib/bank-client.ts'
import { sendTo } from '../../src/cli/lib/http.ts'

export interface Holder {
  /** A token of the user, who has this item alone. */
  readonly token: string
  readonly plaidItemId: string
}

interface Deployment {
  readonly url: string
  readonly simulatorUrl: string
  readonly timeoutMs?: number
}

/**
 * Waits until the API returns for each user what the bank has. Returns the number of the bank's rows of all users; there
 * must be accounts and transactions.
 */
export async function expectBooksEqual(
  { url, simulatorUrl, timeoutMs = 60_000 }: Deployment,
  holders: readonly Holder[],
): Promise<number> {
  const { signal } = new AbortController()
  const bank = bankOf(sendTo(simulatorUrl, {}, signal))
  let rows = 0
  for (const { token, plaidItemId } of holders)
    await vi.waitFor(
      async () => {
        const api = apiOf(sendTo(url, { authorization: `Bearer ${token}` }, signal))
        const expected = bankBook(await bank.truth(plaidItemId), [], new Date())
        expect(compareBooks(expected, apiBook(await api.lists()), tableNames)).toEqual([])
        expect(expected.accounts.length).toBeGreaterThan(0)
        expect(expected.transactions.length).toBeGreaterThan(0)
        rows += tableNames.reduce((sum, table) => sum + expected[table].length, 0)
      },
      { timeout: timeoutMs, interval: 500 },
    )
  return rows
}
