// The webhooks of Plaid's description.

/** The schema of each webhook that the simulator sends. */
export const webhookSchemas: Readonly<Record<string, string>> = {
  'TRANSACTIONS SYNC_UPDATES_AVAILABLE': 'SyncUpdatesAvailableWebhook',
  'TRANSACTIONS INITIAL_UPDATE': 'InitialUpdateWebhook',
  'TRANSACTIONS HISTORICAL_UPDATE': 'HistoricalUpdateWebhook',
  'TRANSACTIONS DEFAULT_UPDATE': 'DefaultUpdateWebhook',
  'TRANSACTIONS TRANSACTIONS_REMOVED': 'TransactionsRemovedWebhook',
  'TRANSACTIONS RECURRING_TRANSACTIONS_UPDATE': 'RecurringTransactionsUpdateWebhook',
  'ITEM ERROR': 'ItemErrorWebhook',
  'ITEM LOGIN_REPAIRED': 'ItemLoginRepairedWebhook',
  'ITEM NEW_ACCOUNTS_AVAILABLE': 'NewAccountsAvailableWebhook',
  'ITEM PENDING_DISCONNECT': 'PendingDisconnectWebhook',
  'ITEM PENDING_EXPIRATION': 'PendingExpirationWebhook',
  'ITEM USER_PERMISSION_REVOKED': 'UserPermissionRevokedWebhook',
  'ITEM USER_ACCOUNT_REVOKED': 'UserAccountRevokedWebhook',
  'ITEM WEBHOOK_UPDATE_ACKNOWLEDGED': 'WebhookUpdateAcknowledgedWebhook',
  'HOLDINGS DEFAULT_UPDATE': 'HoldingsDefaultUpdateWebhook',
  'INVESTMENTS_TRANSACTIONS DEFAULT_UPDATE': 'InvestmentsDefaultUpdateWebhook',
  'INVESTMENTS_TRANSACTIONS HISTORICAL_UPDATE': 'InvestmentsHistoricalUpdateWebhook',
  'LIABILITIES DEFAULT_UPDATE': 'LiabilitiesDefaultUpdateWebhook',
  'AUTH DEFAULT_UPDATE': 'AuthDefaultUpdateWebhook',
  'LINK EVENTS': 'LinkEventsWebhook',
  'LINK SESSION_FINISHED': 'LinkSessionFinishedWebhook',
  'LINK ITEM_ADD_RESULT': 'ItemAddResultWebhook',
}
