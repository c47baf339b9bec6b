// The bodies of the webhooks that Plaid sends about an item. Other modules decide when to send one.
import { type ErrorCode, errorInside } from '../lib/failure.ts'
import type { Item } from '../state/item.ts'
import { type LinkSession, type LinkToken, statusOf } from '../state/link-token.ts'

export type WebhookBody = Record<string, unknown> & { webhook_type: string; webhook_code: string }

const environment = 'sandbox'

const about = (item: Item) => ({ item_id: item.itemId, user_id: item.userId, environment })

export function syncUpdatesAvailable(item: Item): WebhookBody {
  const step = item.transactions?.step ?? 'NOT_READY'
  return {
    webhook_type: 'TRANSACTIONS',
    webhook_code: 'SYNC_UPDATES_AVAILABLE',
    initial_update_complete: step !== 'NOT_READY',
    historical_update_complete: step === 'HISTORICAL_UPDATE_COMPLETE',
    ...about(item),
  }
}

/** INITIAL_UPDATE, HISTORICAL_UPDATE and DEFAULT_UPDATE, with the number of new transactions. */
export function transactionsUpdate(
  item: Item,
  code: 'INITIAL_UPDATE' | 'HISTORICAL_UPDATE' | 'DEFAULT_UPDATE',
  newTransactions: number,
): WebhookBody {
  return {
    webhook_type: 'TRANSACTIONS',
    webhook_code: code,
    error: null,
    new_transactions: newTransactions,
    item_id: item.itemId,
    environment,
  }
}

export function transactionsRemoved(item: Item, removed: readonly string[]): WebhookBody {
  return {
    webhook_type: 'TRANSACTIONS',
    webhook_code: 'TRANSACTIONS_REMOVED',
    error: null,
    removed_transactions: removed,
    item_id: item.itemId,
    environment,
  }
}

export function recurringTransactionsUpdate(item: Item, accountIds: readonly string[]): WebhookBody {
  return {
    webhook_type: 'TRANSACTIONS',
    webhook_code: 'RECURRING_TRANSACTIONS_UPDATE',
    account_ids: accountIds,
    item_id: item.itemId,
    environment,
  }
}

/** ITEM webhooks without further data. */
export function itemEvent(item: Item, code: 'LOGIN_REPAIRED' | 'NEW_ACCOUNTS_AVAILABLE'): WebhookBody {
  const error = code === 'NEW_ACCOUNTS_AVAILABLE' ? { error: null } : {}
  return { webhook_type: 'ITEM', webhook_code: code, ...error, ...about(item) }
}

export function itemError(item: Item, code: ErrorCode): WebhookBody {
  return { webhook_type: 'ITEM', webhook_code: 'ERROR', error: errorInside(code), ...about(item) }
}

export function userPermissionRevoked(item: Item): WebhookBody {
  const error = errorInside('USER_PERMISSION_REVOKED')
  return { webhook_type: 'ITEM', webhook_code: 'USER_PERMISSION_REVOKED', error, ...about(item) }
}

/** Has no `error`, unlike the other ITEM webhooks. */
export function userAccountRevoked(item: Item, accountId: string): WebhookBody {
  return { webhook_type: 'ITEM', webhook_code: 'USER_ACCOUNT_REVOKED', account_id: accountId, ...about(item) }
}

/** With `disconnectTime` null the field is absent, as in older webhooks. */
export function pendingDisconnect(item: Item, reason: string, disconnectTime: string | null): WebhookBody {
  const deadline = disconnectTime === null ? {} : { disconnect_time: disconnectTime }
  return { webhook_type: 'ITEM', webhook_code: 'PENDING_DISCONNECT', reason, ...deadline, ...about(item) }
}

export function pendingExpiration(item: Item, consentExpirationTime: string): WebhookBody {
  return {
    webhook_type: 'ITEM',
    webhook_code: 'PENDING_EXPIRATION',
    consent_expiration_time: consentExpirationTime,
    ...about(item),
  }
}

export function webhookUpdateAcknowledged(item: Item, url: string): WebhookBody {
  return {
    webhook_type: 'ITEM',
    webhook_code: 'WEBHOOK_UPDATE_ACKNOWLEDGED',
    error: null,
    new_webhook_url: url,
    item_id: item.itemId,
    environment,
  }
}

export function holdingsUpdate(item: Item, newHoldings: number, updatedHoldings: number): WebhookBody {
  return {
    webhook_type: 'HOLDINGS',
    webhook_code: 'DEFAULT_UPDATE',
    error: null,
    new_holdings: newHoldings,
    updated_holdings: updatedHoldings,
    ...about(item),
  }
}

export function investmentTransactionsUpdate(
  item: Item,
  code: 'DEFAULT_UPDATE' | 'HISTORICAL_UPDATE',
  newCount: number,
  cancelledCount = 0,
): WebhookBody {
  return {
    webhook_type: 'INVESTMENTS_TRANSACTIONS',
    webhook_code: code,
    error: null,
    new_investments_transactions: newCount,
    cancelled_investments_transactions: cancelledCount,
    ...about(item),
  }
}

export function liabilitiesUpdate(item: Item, updated: Readonly<Record<string, readonly string[]>>): WebhookBody {
  return {
    webhook_type: 'LIABILITIES',
    webhook_code: 'DEFAULT_UPDATE',
    error: null,
    account_ids_with_new_liabilities: [],
    account_ids_with_updated_liabilities: updated,
    ...about(item),
  }
}

export function authUpdate(item: Item, accountIds: readonly string[]): WebhookBody {
  return {
    webhook_type: 'AUTH',
    webhook_code: 'DEFAULT_UPDATE',
    error: null,
    account_ids_with_new_auth: [],
    account_ids_with_updated_auth: Object.fromEntries(accountIds.map((id) => [id, ['ACCOUNT_NUMBER']])),
    item_id: item.itemId,
    environment,
  }
}

/** For a session that has ended; `public_tokens` is empty if it added no item. */
export function sessionFinished({ token, userId, namesUserId }: LinkToken, session: LinkSession): WebhookBody {
  return {
    webhook_type: 'LINK',
    webhook_code: 'SESSION_FINISHED',
    status: statusOf(session),
    link_session_id: session.id,
    link_token: token,
    public_tokens: session.added.map(({ publicToken }) => publicToken),
    ...(namesUserId && { user_id: userId }),
    environment,
  }
}

/** What the user did in the session; see `LinkEventsWebhook` of Plaid's description. */
export function linkEvents(linkToken: string, { id, events }: LinkSession): WebhookBody {
  return {
    webhook_type: 'LINK',
    webhook_code: 'EVENTS',
    events,
    link_session_id: id,
    link_token: linkToken,
    environment,
  }
}

export function itemAddResult(linkToken: string, sessionId: string, publicToken: string): WebhookBody {
  return {
    webhook_type: 'LINK',
    webhook_code: 'ITEM_ADD_RESULT',
    link_session_id: sessionId,
    link_token: linkToken,
    public_token: publicToken,
    environment,
  }
}
