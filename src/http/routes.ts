// All routes, by access.
import type { Route } from './route.ts'
import { editAccountRoute, getAccountRoute, listAccountsRoute, listBalancesRoute } from './routes/accounts.ts'
import { listSetAsideRoute } from './routes/admin/set-aside.ts'
import { listDeadLettersRoute, replayDeadLetterRoute, replayDeadLettersRoute } from './routes/admin/dead-letters.ts'
import { freezeRoute, getFreezeRoute, unfreezeRoute } from './routes/admin/freeze.ts'
import { listAllItemsRoute, listAllSyncRunsRoute, recheckItemRoute, resyncItemRoute } from './routes/admin/items.ts'
import {
  createApplicationRoute,
  createKeyRoute,
  listApplicationsRoute,
  listKeysRoute as listApiKeysRoute,
  revokeKeyRoute,
} from './routes/applications/admin.ts'
import { createOwnKeyRoute, listOwnKeysRoute, revokeOwnKeyRoute } from './routes/applications/own-keys.ts'
import { createTokenRoute } from './routes/applications/tokens.ts'
import { auditVerificationRoute, listAllAuditRoute } from './routes/admin/audit.ts'
import { listOwnAuditRoute } from './routes/audit.ts'
import { listKeysRoute, rotateKeysRoute } from './routes/admin/keys.ts'
import { listAlarmsRoute } from './routes/admin/alarms.ts'
import { listExchangesRoute, listRemovalsRoute, orphansRoute } from './routes/admin/link-work.ts'
import { quotaRoute } from './routes/admin/quota.ts'
import { listRefusalsRoute } from './routes/admin/refusals.ts'
import { getAnyItemRoute, timelineRoute } from './routes/admin/timeline.ts'
import { searchRoute } from './routes/admin/search.ts'
import { listBackupsRoute, verifiedBackupRoute } from './routes/admin/backups.ts'
import { listCronsRoute, metricsRoute } from './routes/admin/metrics.ts'
import { planRetentionRoute, runRetentionRoute } from './routes/admin/retention.ts'
import { listWebhooksRoute, usageRoute } from './routes/admin/plaid.ts'
import { listTokensRoute, rotateTokensRoute } from './routes/admin/access-tokens.ts'
import {
  forgotPasswordRoute,
  loginRoute,
  logoutRoute,
  refreshRoute,
  registerRoute,
  resetPasswordRoute,
  verifyEmailRoute,
} from './routes/auth/sign-in.ts'
import {
  changePasswordRoute,
  confirmTotpRoute,
  disableTotpRoute,
  endSessionRoute,
  enrollTotpRoute,
  listSessionsRoute,
  logoutAllRoute,
} from './routes/auth/account.ts'
import { listAllChangesRoute } from './routes/changes/changes.ts'
import { createLiveTicketRoute, liveRoute } from './routes/live/live.ts'
import { listChangesRoute } from './routes/transactions/changes.ts'
import { listDuplicatesRoute, settleDuplicateRoute } from './routes/items/duplicates.ts'
import { healthRoute, readyRoute } from './routes/system/health.ts'
import { statusRoute } from './routes/system/status.ts'
import { cashFlowRoute, netWorthRoute, spendingRoute } from './routes/insights.ts'
import { listHoldingsRoute, listInvestmentTransactionsRoute } from './routes/investments.ts'
import {
  getItemRoute,
  listItemsRoute,
  refreshItemRoute,
  removeItemRoute,
  repairItemRoute,
  rotateAccessTokenRoute,
} from './routes/items/items.ts'
import { listLiabilitiesRoute } from './routes/liabilities.ts'
import { openapiRoute } from './routes/system/openapi.ts'
import { policyRoute } from './routes/privacy/policy.ts'
import { securityTxtRoute } from './routes/system/security-txt.ts'
import { androidAppLinksRoute, appleAppLinksRoute } from './routes/system/app-links.ts'
import { createLinkTokenRoute, exchangePublicTokenRoute } from './routes/link.ts'
import { listRecurringRoute } from './routes/transactions/recurring.ts'
import { listSyncRunsRoute, syncAllRoute, syncItemRoute } from './routes/sync.ts'
import {
  applyRulesRoute,
  createRuleRoute,
  deleteRuleRoute,
  getRuleRoute,
  listRulesRoute,
  orderRulesRoute,
  previewRuleRoute,
  replaceRuleRoute,
} from './routes/rules.ts'
import { editTransactionRoute, getTransactionRoute, listTransactionsRoute } from './routes/transactions/transactions.ts'
import { getConsentsRoute, putConsentsRoute } from './routes/privacy/consents.ts'
import { eraseRoute, getErasureRoute } from './routes/privacy/erase.ts'
import { exportRoute } from './routes/privacy/export.ts'
import { webhookRoute } from './routes/system/webhook.ts'
import { deliveryRoutes } from './routes/webhooks/deliveries.ts'
import { endpointRoutes } from './routes/webhooks/endpoints.ts'
import { ofAdministrators, ofUsers } from './routes/webhooks/owned.ts'

export interface RouteTable {
  /** Served with any configuration. */
  readonly alive: readonly Route[]
  /** Public. */
  readonly open: readonly Route[]
  /** Public, authenticated by a signature over the body. */
  readonly signed: readonly Route[]
  /** Public, with built-in accounts only. */
  readonly accounts: readonly Route[]
  /** For verified tokens only. */
  readonly private: readonly Route[]
}

/** @param loadDocument reads the document of `/openapi.json` */
export function routeTable(loadDocument: () => Promise<Record<string, unknown>>): RouteTable {
  return {
    alive: [healthRoute],
    open: [
      liveRoute,
      readyRoute,
      openapiRoute(loadDocument),
      securityTxtRoute,
      appleAppLinksRoute,
      androidAppLinksRoute,
      policyRoute,
      getErasureRoute,
    ],
    signed: [webhookRoute],
    accounts: [
      registerRoute,
      verifyEmailRoute,
      loginRoute,
      refreshRoute,
      logoutRoute,
      forgotPasswordRoute,
      resetPasswordRoute,
    ],
    private: [
      statusRoute,
      createLinkTokenRoute,
      exchangePublicTokenRoute,
      listItemsRoute,
      getItemRoute,
      repairItemRoute,
      refreshItemRoute,
      removeItemRoute,
      rotateAccessTokenRoute,
      listDuplicatesRoute,
      settleDuplicateRoute,
      syncAllRoute,
      syncItemRoute,
      listSyncRunsRoute,
      listAccountsRoute,
      getAccountRoute,
      editAccountRoute,
      listBalancesRoute,
      listRulesRoute,
      createRuleRoute,
      previewRuleRoute,
      applyRulesRoute,
      orderRulesRoute,
      getRuleRoute,
      replaceRuleRoute,
      deleteRuleRoute,
      listTransactionsRoute,
      listChangesRoute,
      listAllChangesRoute,
      createLiveTicketRoute,
      listRecurringRoute,
      getTransactionRoute,
      editTransactionRoute,
      listHoldingsRoute,
      listInvestmentTransactionsRoute,
      listLiabilitiesRoute,
      netWorthRoute,
      cashFlowRoute,
      spendingRoute,
      exportRoute,
      eraseRoute,
      getConsentsRoute,
      putConsentsRoute,
      listOwnAuditRoute,
      listOwnKeysRoute,
      createOwnKeyRoute,
      revokeOwnKeyRoute,
      createTokenRoute,
      listApplicationsRoute,
      createApplicationRoute,
      listApiKeysRoute,
      createKeyRoute,
      revokeKeyRoute,
      ...endpointRoutes(ofUsers),
      ...deliveryRoutes(ofUsers),
      listAllItemsRoute,
      getAnyItemRoute,
      timelineRoute,
      searchRoute,
      recheckItemRoute,
      resyncItemRoute,
      listWebhooksRoute,
      listAllSyncRunsRoute,
      listSetAsideRoute,
      listDeadLettersRoute,
      replayDeadLettersRoute,
      replayDeadLetterRoute,
      usageRoute,
      ...endpointRoutes(ofAdministrators),
      ...deliveryRoutes(ofAdministrators),
      listKeysRoute,
      listAllAuditRoute,
      auditVerificationRoute,
      rotateKeysRoute,
      listTokensRoute,
      rotateTokensRoute,
      getFreezeRoute,
      freezeRoute,
      unfreezeRoute,
      planRetentionRoute,
      runRetentionRoute,
      listBackupsRoute,
      verifiedBackupRoute,
      metricsRoute,
      listAlarmsRoute,
      listCronsRoute,
      listExchangesRoute,
      listRemovalsRoute,
      orphansRoute,
      quotaRoute,
      listRefusalsRoute,
      logoutAllRoute,
      changePasswordRoute,
      enrollTotpRoute,
      confirmTotpRoute,
      disableTotpRoute,
      listSessionsRoute,
      endSessionRoute,
    ],
  }
}

/** All routes, in the order of the table. */
export function everyRoute(table: RouteTable): Route[] {
  return [...table.alive, ...table.open, ...table.signed, ...table.accounts, ...table.private]
}
