// Maps an item's state to the action that its user has to take.
import type { Item } from '../db/items/items.ts'
import { isItemStatus, itemStatusTable, type RequiredAction } from '../item-status.ts'

type ItemState = Pick<Item, 'status' | 'newAccountsAvailable'> & {
  readonly products: readonly Pick<Item['products'][number], 'status'>[]
}

/** The action that a client should ask its user for; null if there is none. */
export function actionRequired({ status, newAccountsAvailable, products }: ItemState): RequiredAction | null {
  const rule = isItemStatus(status) ? itemStatusTable[status] : null
  if (rule?.action) return rule.action
  if (rule?.background !== 'all') return null
  if (products.some((product) => product.status === 'consent_needed')) return 'give_consent'
  return newAccountsAvailable ? 'add_accounts' : null
}
