// Step 3: a pending transaction with the user's note posts under a new id. So many other changes come with it that its
// removal is on another page. The note must move to the posted transaction.
import { check } from '../compare.ts'
import type { Demo, Finding, Linked } from '../context.ts'
import { settle } from '../settle.ts'
import { pendingName } from './changes.ts'

const note = 'DEMO note: dinner with the neighbours 🦆'
/** More than Plaid's largest page. */
const otherChanges = 600

/** Writes the note, posts, waits, and checks the note. */
export async function postPending(demo: Demo, linked: Linked): Promise<Finding> {
  const { api, itemId, plaidItemId } = linked
  const pending = (await api.transactions()).find(({ name, pending: waits }) => waits && name === pendingName)
  if (pending === undefined) throw new Error(`${linked.name}: the API has no pending transaction ${pendingName}.`)
  await api.writeNote(pending.id, note)
  const { posted } = await demo.bank.change(
    plaidItemId,
    `{"post_pending": {"transaction_ids": ["${pending.plaid_transaction_id}"], "amount": 43.75}, "add": ${otherChanges}}`,
  )
  const newId = posted[0]?.transaction_id ?? ''
  const finding = await settle(demo, linked, '', ['transactions'])
  const after = (await api.transactions()).find((row) => row.plaid_transaction_id === newId)
  const pages = Math.max(0, ...(await api.runs(itemId)).filter(isTheRun).map((run) => run.pages))
  return {
    ...finding,
    summary: `pending → posted among ${otherChanges} others on ${pages} pages, the note moved with it`,
    differences: [
      ...finding.differences,
      ...check(
        'transactions',
        `${newId}: note, pending, amount`,
        [note, false, '43.75'],
        after && [after.note, after.pending, after.amount],
      ),
      ...check('sync runs', `${itemId}: removal on another page`, true, pages > 1),
    ],
  }
}

const isTheRun = (run: { product: string; outcome: string; upserted: number; removed: number }): boolean =>
  run.product === 'transactions' && run.outcome === 'committed' && run.upserted > otherChanges && run.removed > 0
