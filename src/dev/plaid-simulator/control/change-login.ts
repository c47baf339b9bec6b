// Changes the item's login and consent: breaks or repairs the login, announces its end, revokes the consent.
import { repairLogin, requireLogin } from '../items/login-status.ts'
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'
import {
  itemError,
  itemEvent,
  pendingDisconnect,
  pendingExpiration,
  userAccountRevoked,
  userPermissionRevoked,
  type WebhookBody,
} from '../webhooks/events.ts'
import { withdrawAccount } from './change-accounts.ts'
import type { BankChange } from './requests.ts'

const weekMs = 7 * 86_400_000

/**
 * Makes the requested changes. Returns their webhooks and the revoked accounts. For a revoked item, the webhook of the
 * revocation is the last.
 */
export function changeLogin(
  world: World,
  item: Item,
  wanted: BankChange,
): { webhooks: WebhookBody[]; accounts: string[] } {
  const inAWeek = new Date(world.clock.nowMs() + weekMs).toISOString()
  const news: WebhookBody[] = []
  const accounts = revokedAccounts(item, wanted)
  news.push(...accounts.map((accountId) => userAccountRevoked(item, item.bank.fromBank(accountId))))
  if (wanted.login_required !== undefined) {
    const code = wanted.login_required === true ? 'ITEM_LOGIN_REQUIRED' : wanted.login_required.error_code
    requireLogin(item, code)
    news.push(itemError(item, code))
  }
  if (wanted.login_repaired === true && repairLogin(world, item)) news.push(itemEvent(item, 'LOGIN_REPAIRED'))
  changeProducts(item, wanted)
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

/** Plaid sends no webhook when a product becomes absent or returns. */
function changeProducts(item: Item, { products_absent, products_returned }: BankChange): void {
  const returned = products_returned === true ? [...item.absent.keys()] : (products_returned ?? [])
  for (const product of returned) item.absent.delete(product)
  if (products_absent === undefined) return
  const { products, error_code } = Array.isArray(products_absent)
    ? { products: products_absent, error_code: 'PRODUCTS_NOT_SUPPORTED' as const }
    : products_absent
  for (const product of products) item.absent.set(product, error_code)
}

/** `revoke: {account_id}` is an older form of `revoke_account`. */
function revokedAccounts(item: Item, { revoke, revoke_account }: BankChange): string[] {
  const wanted = [
    ...(typeof revoke === 'object' ? [revoke.account_id] : []),
    ...(revoke_account === undefined ? [] : [revoke_account]),
  ]
  return wanted.map((accountId) => withdrawAccount(item, accountId))
}
