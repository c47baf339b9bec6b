// The item's login and consent: broken, repaired, about to end, withdrawn.

import type { Item } from '../item.ts'
import { repairLogin, requireLogin } from '../login.ts'
import type { WebhookBody } from '../webhooks/events.ts'
import {
  itemError,
  itemEvent,
  pendingDisconnect,
  pendingExpiration,
  userAccountRevoked,
  userPermissionRevoked,
} from '../webhooks/events.ts'
import type { World } from '../world.ts'
import { withdrawAccount } from './change-accounts.ts'
import type { BankChange } from './requests.ts'

const weekMs = 7 * 86_400_000

/** Makes the wanted changes; gives their webhooks, and the accounts that were taken back. A revoked item's webhook is its last. */
export function changeLogin(
  world: World,
  item: Item,
  wanted: BankChange,
): { webhooks: WebhookBody[]; accounts: string[] } {
  const inAWeek = new Date(world.clock.nowMs() + weekMs).toISOString()
  const news: WebhookBody[] = []
  const accounts = takenBack(item, wanted)
  news.push(...accounts.map((accountId) => userAccountRevoked(item, item.bank.fromBank(accountId))))
  if (wanted.login_required !== undefined) {
    const code = wanted.login_required === true ? 'ITEM_LOGIN_REQUIRED' : wanted.login_required.error_code
    requireLogin(item, code)
    news.push(itemError(item, code))
  }
  if (wanted.login_repaired === true && repairLogin(world, item)) news.push(itemEvent(item, 'LOGIN_REPAIRED'))
  if (wanted.pending_disconnect !== undefined) {
    const { reason, disconnect_time } = wanted.pending_disconnect === true ? {} : wanted.pending_disconnect
    const deadline = disconnect_time === undefined ? inAWeek : disconnect_time
    news.push(pendingDisconnect(item, reason ?? 'INSTITUTION_MIGRATION', deadline))
  }
  if (wanted.pending_expiration !== undefined) {
    const { pending_expiration } = wanted
    item.consentExpirationTime = pending_expiration === true ? inAWeek : pending_expiration.consent_expiration_time
    news.push(pendingExpiration(item, item.consentExpirationTime))
  }
  if (wanted.revoke === true) {
    item.status = 'revoked'
    news.push(userPermissionRevoked(item))
  }
  return { webhooks: news, accounts }
}

/** `revoke: {account_id}` is the older way to say `revoke_account`. */
function takenBack(item: Item, { revoke, revoke_account }: BankChange): string[] {
  const wanted = [
    ...(typeof revoke === 'object' ? [revoke.account_id] : []),
    ...(revoke_account === undefined ? [] : [revoke_account]),
  ]
  return wanted.map((accountId) => withdrawAccount(item, accountId))
}
