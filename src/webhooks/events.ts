// Maps verified webhooks to their effect: which products to sync, and changes of the item's status. No other data is
// taken from a webhook; the sync reads it from Plaid.
import * as z from 'zod'
import type { AuditAction } from '../audit/actions.ts'
import type { ItemUpdate } from '../db/operations/webhook-events.ts'
import { optionalTime } from '../plaid/time.ts'
import { type SyncProduct, syncProducts } from '../sync/products.ts'

/** The recorded name of a missing type or code. */
export const unnamed = 'UNNAMED'

const name = z.string().trim().min(1).max(100).catch(unnamed)
const optionalText = z.string().min(1).max(200).nullish().catch(null)

/**
 * Accepts every verified webhook: Plaid adds types and fields at any time, and stops sending to an endpoint that
 * rejects too many. Invalid fields read as absent.
 */
export const webhookBody = z.looseObject({
  webhook_type: name,
  webhook_code: name,
  item_id: optionalText,
  reason: optionalText,
  disconnect_time: optionalTime,
  consent_expiration_time: optionalTime,
  account_id: optionalText,
  link_token: optionalText,
})
export type WebhookBody = z.output<typeof webhookBody>

export interface WebhookEffect {
  readonly products: readonly SyncProduct[]
  readonly update: ItemUpdate
  /** What the audit trail records where the update changes the item. */
  readonly action?: AuditAction
}

/** Plaid announces a disconnection a week ahead. Older webhooks have no `disconnect_time`. */
const disconnectNoticeMs = 7 * 24 * 3600 * 1000

const productsOfType: ReadonlyMap<string, readonly SyncProduct[]> = new Map([
  ['TRANSACTIONS', ['transactions']],
  ['HOLDINGS', ['holdings']],
  ['INVESTMENTS_TRANSACTIONS', ['investment_transactions']],
  ['LIABILITIES', ['liabilities']],
])

function productsOf({ webhook_type: type, webhook_code: code }: WebhookBody): readonly SyncProduct[] {
  if (type === 'TRANSACTIONS' && code === 'RECURRING_TRANSACTIONS_UPDATE') return ['recurring']
  return productsOfType.get(type) ?? []
}

/** The effect of a webhook. An unknown one has none; it is recorded. */
export function effectOf(body: WebhookBody, now: Date): WebhookEffect {
  if (body.webhook_type !== 'ITEM') return { products: productsOf(body), update: {} }
  switch (body.webhook_code) {
    case 'ERROR':
      return { products: ['item'], update: {} }
    case 'LOGIN_REPAIRED':
      return { products: syncProducts, update: { repaired: true }, action: 'item_repaired' }
    case 'PENDING_DISCONNECT':
      return {
        products: ['item'],
        update: {
          status: 'pending_disconnect',
          statusReason: body.reason ?? 'PENDING_DISCONNECT',
          disconnectAt: body.disconnect_time ?? new Date(now.getTime() + disconnectNoticeMs),
        },
        action: 'item_end_announced',
      }
    case 'PENDING_EXPIRATION':
      return {
        products: ['item'],
        update: {
          status: 'pending_expiration',
          statusReason: 'PENDING_EXPIRATION',
          ...(body.consent_expiration_time === null ? {} : { consentExpiresAt: body.consent_expiration_time }),
        },
        action: 'item_end_announced',
      }
    case 'USER_PERMISSION_REVOKED':
      return {
        products: [],
        update: { status: 'revoked', statusReason: 'USER_PERMISSION_REVOKED' },
        action: 'item_revoked',
      }
    case 'USER_ACCOUNT_REVOKED':
      return {
        products: ['item', 'balances'],
        ...(body.account_id
          ? { update: { revokedPlaidAccountId: body.account_id }, action: 'account_revoked' }
          : { update: {} }),
      }
    case 'NEW_ACCOUNTS_AVAILABLE':
      return { products: ['item'], update: { newAccountsAvailable: true } }
    default:
      return { products: [], update: {} }
  }
}
