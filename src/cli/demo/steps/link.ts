// Step 1: link token, Link and exchange. Then the API must return everything that the bank has.
import type { ApiItem } from '../../lib/api-client.ts'
import { pollUntil } from '../../lib/poll.ts'
import { check } from '../compare.ts'
import type { Customer, Demo, Finding, Linked } from '../context.ts'
import { settle } from '../settle.ts'

/** Plays the user in Link and exchanges the public token. */
export async function linkBank({ bank }: Demo, customer: Customer): Promise<Linked> {
  const linkToken = await customer.api.createLinkToken()
  const { publicToken, plaidItemId } = await bank.finishLink(linkToken, customer.login)
  const item = await customer.api.exchange(publicToken, linkToken)
  return { ...customer, itemId: item.id, plaidItemId, closed: [] }
}

/** Whether every product was read once, or the bank does not have it. */
const isComplete = (item: ApiItem): boolean =>
  item.status === 'healthy' &&
  item.products.every(({ status, last_synced_at }) => status === 'absent' || last_synced_at !== null)

/** Waits for a healthy item with its whole history. */
export async function firstSync(demo: Demo, linked: Linked): Promise<Finding> {
  const item = await pollUntil(demo, () => linked.api.item(linked.itemId), isComplete)
  const finding = await settle(demo, linked, `linked ${item.institution.name ?? 'a bank'}`)
  const plaidId = check('items', item.id, linked.plaidItemId, item.plaid_item_id)
  const health = isComplete(item) ? [] : check('items', item.id, 'healthy, every product read', item)
  return { ...finding, differences: [...plaidId, ...health, ...finding.differences] }
}
