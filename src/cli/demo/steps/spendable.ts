// Decides which banks have transactions that can change: one with only a brokerage or a loan has none.
import type { Demo, Finding, Linked } from '../context.ts'
import { settle } from '../settle.ts'

const kinds = new Set(['depository', 'credit'])

async function hasTransactions({ bank }: Demo, { plaidItemId }: Linked): Promise<boolean> {
  const { accounts } = await bank.truth(plaidItemId)
  return accounts.some(({ type }) => kinds.has(type))
}

/** The items whose bank has an account with transactions, and those without. */
export async function bySpendable(
  demo: Demo,
  items: readonly Linked[],
): Promise<{ with: Linked[]; without: Linked[] }> {
  const answers = await Promise.all(items.map((linked) => hasTransactions(demo, linked)))
  return {
    with: items.filter((_, index) => answers[index]),
    without: items.filter((_, index) => !answers[index]),
  }
}

/** Nothing can change at such a bank, so nothing may change in the API. */
export async function unchanged(demo: Demo, linked: Linked): Promise<Finding> {
  return await settle(demo, linked, 'no account with transactions, nothing to change')
}
