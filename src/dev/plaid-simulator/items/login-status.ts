// Whether the item's login works. Without it data cannot be read, and Plaid pulls nothing.
import { type ErrorCode, errorInside } from '../lib/failure.ts'
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'
import { scheduleHistory } from './history.ts'

/** Breaks the login: data cannot be read, and Plaid pulls nothing. */
export function requireLogin(item: Item, code: ErrorCode = 'ITEM_LOGIN_REQUIRED'): void {
  if (item.status !== 'good') return
  item.status = 'login_required'
  item.error = errorInside(code)
}

/** Repairs the login and resumes the history. Returns whether the login was broken. */
export function repairLogin(world: World, item: Item): boolean {
  item.consentExpirationTime = null
  if (item.status !== 'login_required') return false
  item.status = 'good'
  item.error = null
  if (item.transactions !== null && item.transactions.step !== 'HISTORICAL_UPDATE_COMPLETE')
    scheduleHistory(world, item)
  return true
}
