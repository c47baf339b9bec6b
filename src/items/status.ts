// What an item's status asks of its user.
import type { Item } from '../db/items.ts'

export type RequiredAction = 'update' | 'add_accounts' | 'contact_bank' | 'relink'

/** What a client should ask its user to do; null when there is nothing to do. */
export function actionRequired(item: Item): RequiredAction | null {
  switch (item.status) {
    case 'needs_update':
    case 'pending_disconnect':
    case 'pending_expiration':
      return 'update'
    case 'bank_action_required':
      return 'contact_bank'
    case 'relink_required':
    case 'revoked':
      return 'relink'
    default:
      return item.newAccountsAvailable ? 'add_accounts' : null
  }
}
