// Step 2: the bank adds, changes and removes transactions, with amounts that no float can represent, and sends
// webhooks.
import { check, type Difference } from '../compare.ts'
import type { Demo, Finding, Linked } from '../context.ts'
import { settle } from '../settle.ts'

/** The name of the pending transaction that is posted later. */
export const pendingName = 'DEMO pending'

// JSON text, because JavaScript would round these numbers before sending them.
const additions = `{"add": [
  {"name": "DEMO sixteen digits", "amount": 1234567890123456.10},
  {"name": "DEMO eighteen places", "amount": 0.000000000000000001},
  {"name": "DEMO money in", "amount": -98765432109876.543210},
  {"name": "DEMO unofficial currency", "amount": 0.00012345, "unofficial_currency_code": "BTC"},
  {"name": "DEMO “odd” text: 'ünï' 漢字 🦆 \\\\ %_ \\u0009.", "amount": 1e3},
  {"name": "DEMO to be changed", "amount": 10},
  {"name": "DEMO to be removed", "amount": 20},
  {"name": "${pendingName}", "amount": 42.50, "pending": true}
]}`
const exactAmounts = ['1234567890123456.1', '0.000000000000000001', '-98765432109876.54321', '0.00012345', '1000']

/** Three rounds of changes, each with webhooks. */
export async function changeBank(demo: Demo, linked: Linked): Promise<Finding> {
  const { bank } = demo
  const { plaidItemId } = linked
  const first = await bank.change(plaidItemId, '{"add": 25, "modify": 5, "remove": 5}')
  const { added } = await bank.change(plaidItemId, additions)
  const [changed = '', removed = ''] = added.slice(exactAmounts.length)
  const last = await bank.change(
    plaidItemId,
    `{"modify": [{"transaction_id": "${changed}", "name": "DEMO changed", "amount": 10.000000001, "date": "${yesterday()}"}],
      "remove": ["${removed}"]}`,
  )
  const summary =
    `${first.added.length + added.length} added, ${first.modified.length + last.modified.length} modified, ` +
    `${first.removed.length + last.removed.length} removed, webhooks`
  const finding = await settle(demo, linked, summary, ['transactions'])
  return { ...finding, differences: [...finding.differences, ...(await exactness(linked, added))] }
}

/** Compares the amounts with what was sent to the bank, independently of what the bank returns. */
async function exactness({ api }: Linked, ids: readonly string[]): Promise<Difference[]> {
  const returned = new Map((await api.transactions()).map((row) => [row.plaid_transaction_id, row]))
  return exactAmounts.flatMap((amount, index) => {
    const id = ids[index] ?? ''
    return check('transactions', id, amount, returned.get(id)?.amount)
  })
}

const dayMs = 86_400_000
const yesterday = (): string => new Date(Date.now() - dayMs).toISOString().slice(0, 10)
