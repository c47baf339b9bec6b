// What an item's status asks of its user.
import type { Item } from '../db/items/items.ts'
import { isItemStatus, itemStatusTable, type RequiredAction } from '../item-status.ts'

/** What a client should ask its user to do; null when there is nothing to do. */
export function actionRequired({ status, newAccountsAvailable, products }: Item): RequiredAction | null {
  const rule = isItemStatus(status) ? itemStatusTable[status] : null
  if (rule?.action) return rule.action
  if (rule?.background !== 'all') return null
  if (products.some((product) => product.status === 'consent_needed')) return 'give_consent'
  return newAccountsAvailable ? 'add_accounts' : null
}
