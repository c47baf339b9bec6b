// What an item's status asks of its user.
import type { Item } from '../db/items.ts'
import { isItemStatus, itemStatusTable, type RequiredAction } from '../item-status.ts'

/** What a client should ask its user to do; null when there is nothing to do. */
export function actionRequired({ status, newAccountsAvailable }: Item): RequiredAction | null {
  const rule = isItemStatus(status) ? itemStatusTable[status] : null
  if (rule?.action) return rule.action
  return newAccountsAvailable && rule?.background === 'all' ? 'add_accounts' : null
}
