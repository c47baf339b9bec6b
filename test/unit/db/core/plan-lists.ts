// The lists of the API, each as one call whose statements are explained.
import { type AuditFilters, listAudit, listOwnAudit } from '../../../../src/db/read/audit.ts'
import { listBalances } from '../../../../src/db/read/balances.ts'
import { listAccounts } from '../../../../src/db/records/accounts.ts'
import { listAllItems, listWebhooks } from '../../../../src/db/operations/admin.ts'
import { listOpenExchanges, listRemovals } from '../../../../src/db/link/waiting.ts'
import { listKeys } from '../../../../src/db/applications/keys.ts'
import { type DeliveryFilter, listDeliveries } from '../../../../src/db/events/deliveries.ts'
import { listEndpoints } from '../../../../src/db/events/endpoints.ts'
import type { EndpointOwner } from '../../../../src/db/events/owner.ts'
import { listChanges } from '../../../../src/db/read/changes.ts'
import { readChanges as readFeed } from '../../../../src/db/read/feed.ts'
import type { ApiDatabase, JobsDatabase } from '../../../../src/db/core/client.ts'
import { listDeadLetters } from '../../../../src/db/operations/dead-letters.ts'
import { listTimeline, timelineKinds } from '../../../../src/db/operations/timeline.ts'
import { listSetAside } from '../../../../src/db/sync/set-aside.ts'
import { listHoldings, listInvestmentTransactions } from '../../../../src/db/records/investments.ts'
import { listItems } from '../../../../src/db/items/items.ts'
import { listLiabilities } from '../../../../src/db/records/liabilities.ts'
import type { Key } from '../../../../src/db/core/page.ts'
import { listRecurring } from '../../../../src/db/records/recurring.ts'
import { listAllSyncRuns, listSyncRuns } from '../../../../src/db/sync/runs.ts'
import { listTransactions, type TransactionFilters } from '../../../../src/db/records/transactions.ts'

export const identity = { issuer: 'bench', subject: 'reader 1' }

export interface Ids {
  readonly user: string
  readonly item: string
  readonly account: string
}

export interface Logins {
  readonly api: ApiDatabase
  readonly jobs: JobsDatabase
}

const someId = '00000000-0000-4000-8000-000000000000'

export type List = (logins: Logins, ids: Ids, limit: number, from: Key | null) => Promise<unknown>

const byDay: Key = ['2026-06-01', someId]
const byTime: Key = ['2026-06-01T00:00:00.000Z', someId]
const byId: Key = [someId, someId]

export const application = '00000000-0000-4000-8000-00000000000a'
type OwnerOf = (logins: Logins) => EndpointOwner
const ofUser: OwnerOf = ({ api }) => ({ kind: 'user', api, identity })
const ofApplication: OwnerOf = ({ api }) => ({ kind: 'application', api, applicationId: application })
const everyone: OwnerOf = ({ jobs }) => ({ kind: 'everyone', jobs })
const deliveriesOf =
  (owner: OwnerOf, filter: DeliveryFilter = {}): List =>
  (logins, _, limit, from) =>
    listDeliveries(owner(logins), filter, limit, from)
const endpointsOf =
  (owner: OwnerOf): List =>
  (logins, _, limit, from) =>
    listEndpoints(owner(logins), limit, from)
const auditBy =
  (filters: (ids: Ids) => AuditFilters): List =>
  ({ jobs }, ids, limit, from) =>
    listAudit(jobs, filters(ids), limit, from)

const transactionsBy =
  (filters: (ids: Ids) => TransactionFilters): List =>
  ({ api }, ids, limit, from) =>
    listTransactions(api, identity, filters(ids), limit, from)

/** The lists of the routes, with each of their filters and a position in them, but for those that have few rows: applications, a user's keys. */
export const lists: Readonly<Record<string, readonly [List, Key]>> = {
  transactions: [transactionsBy(() => ({})), byDay],
  'transactions of an account': [transactionsBy(({ account }) => ({ accountId: account })), byDay],
  'transactions of a time': [transactionsBy(() => ({ from: '2026-01-01', to: '2026-09-01' })), byDay],
  'transactions with a text': [transactionsBy(() => ({ q: 'merchant' })), byDay],
  'transactions of a category': [transactionsBy(() => ({ category: 'FOOD_AND_DRINK' })), byDay],
  'transactions of an amount': [transactionsBy(() => ({ minAmount: '1', maxAmount: '400' })), byDay],
  'pending transactions': [transactionsBy(() => ({ pending: true })), byDay],
  'pending transactions of an account': [
    transactionsBy(({ account }) => ({ accountId: account, pending: true })),
    byDay,
  ],
  changes: [({ api }, _, limit, from) => listChanges(api, identity, from === null ? 0 : 9000, limit), byDay],
  feed: [({ api }, _, limit, from) => readFeed(api, identity, from === null ? 0 : 9000, limit), byDay],
  'investment transactions': [
    ({ api }, _, limit, from) => listInvestmentTransactions(api, identity, {}, limit, from),
    byDay,
  ],
  'investment transactions of an account': [
    ({ api }, { account }, limit, from) =>
      listInvestmentTransactions(api, identity, { accountId: account }, limit, from),
    byDay,
  ],
  'investment transactions of a time': [
    ({ api }, _, limit, from) =>
      listInvestmentTransactions(api, identity, { from: '2026-01-01', to: '2026-09-01' }, limit, from),
    byDay,
  ],
  holdings: [({ api }, _, limit, from) => listHoldings(api, identity, null, limit, from), byId],
  'holdings of an account': [
    ({ api }, { account }, limit, from) => listHoldings(api, identity, account, limit, from),
    byId,
  ],
  accounts: [({ api }, _, limit, from) => listAccounts(api, identity, limit, from), byTime],
  balances: [
    ({ api }, { account }, limit, from) =>
      listBalances(api, identity, account, { from: null, to: null, limit, after: from?.[0] ?? null }),
    byDay,
  ],
  items: [({ api }, _, limit, from) => listItems(api, identity, limit, from), byTime],
  liabilities: [({ api }, _, limit, from) => listLiabilities(api, identity, limit, from), byId],
  'recurring streams': [({ api }, _, limit, from) => listRecurring(api, identity, {}, limit, from), byDay],
  'recurring streams of an account': [
    ({ api }, { account }, limit, from) =>
      listRecurring(api, identity, { accountId: account, active: true }, limit, from),
    byDay,
  ],
  'sync runs': [({ api }, _, limit, from) => listSyncRuns(api, identity, null, limit, from), byTime],
  'sync runs of an item': [({ api }, { item }, limit, from) => listSyncRuns(api, identity, item, limit, from), byTime],
  'all items': [({ jobs }, _, limit, from) => listAllItems(jobs, {}, limit, from), byTime],
  'all items of a state': [
    ({ jobs }, _, limit, from) => listAllItems(jobs, { status: 'healthy' }, limit, from),
    byTime,
  ],
  'all items of a user': [
    ({ jobs }, { user }, limit, from) => listAllItems(jobs, { userId: user }, limit, from),
    byTime,
  ],
  'all sync runs': [({ jobs }, _, limit, from) => listAllSyncRuns(jobs, {}, limit, from), byTime],
  'all sync runs of an item': [
    ({ jobs }, { item }, limit, from) => listAllSyncRuns(jobs, { itemId: item }, limit, from),
    byTime,
  ],
  'all failed sync runs': [
    ({ jobs }, _, limit, from) => listAllSyncRuns(jobs, { outcome: 'failed' }, limit, from),
    byTime,
  ],
  webhooks: [({ jobs }, _, limit, from) => listWebhooks(jobs, null, limit, from), byTime],
  'webhooks of an item': [({ jobs }, _, limit, from) => listWebhooks(jobs, 'reader 1', limit, from), byTime],
  'all entries of the timeline of an item': [
    ({ jobs }, { item }, limit, from) => listTimeline(jobs, item, timelineKinds, limit, from),
    byTime,
  ],
  'dead letters': [({ jobs }, _, limit, from) => listDeadLetters(jobs, { open: false }, limit, from), byTime],
  'all rows set aside': [({ jobs }, _, limit, from) => listSetAside(jobs, {}, limit, from), byTime],
  'all rows set aside of an item': [
    ({ jobs }, { item }, limit, from) => listSetAside(jobs, { itemId: item }, limit, from),
    byTime,
  ],
  'all rows set aside of a product': [
    ({ jobs }, _, limit, from) => listSetAside(jobs, { product: 'balances' }, limit, from),
    byTime,
  ],
  'all open exchanges': [({ jobs }, _, limit, from) => listOpenExchanges(jobs, {}, limit, from), byTime],
  'all open exchanges of a user': [
    ({ jobs }, { user }, limit, from) => listOpenExchanges(jobs, { userId: user }, limit, from),
    byTime,
  ],
  'all removals': [({ jobs }, _, limit, from) => listRemovals(jobs, {}, limit, from), byTime],
  'all removals for a reason': [
    ({ jobs }, _, limit, from) => listRemovals(jobs, { reason: 'orphan' }, limit, from),
    byTime,
  ],
  'the own audit trail': [({ api }, _, limit, from) => listOwnAudit(api, identity, limit, from), byTime],
  'all of the audit trail': [auditBy(() => ({})), byTime],
  'all of the audit trail of a user': [auditBy(({ user: userId }) => ({ userId })), byTime],
  'all of the audit trail of an action': [auditBy(() => ({ action: 'sync_requested' })), byTime],
  'all of the audit trail about a target': [auditBy(() => ({ targetId: 'target' })), byTime],
  'all of the audit trail of a time': [auditBy(() => ({ from: '2026-01-01', to: '2027-01-01' })), byTime],
  'all of the audit trail by administrators': [auditBy(() => ({ actorKind: 'admin' })), byTime],
  'own endpoints': [endpointsOf(ofUser), byTime],
  'endpoints of an application': [endpointsOf(ofApplication), byTime],
  'all endpoints of administrators': [endpointsOf(everyone), byTime],
  'own deliveries': [deliveriesOf(ofUser), byTime],
  'own deliveries of an endpoint': [deliveriesOf(ofUser, { endpointId: someId }), byTime],
  'own failed deliveries': [deliveriesOf(ofUser, { state: 'failed' }), byTime],
  'deliveries of an application': [deliveriesOf(ofApplication), byTime],
  'all deliveries of administrators': [deliveriesOf(everyone), byTime],
  'all API keys': [({ jobs }, _, limit, from) => listKeys(jobs, null, limit, from), byTime],
  'open dead letters': [({ jobs }, _, limit, from) => listDeadLetters(jobs, { open: true }, limit, from), byTime],
}

export const allDays = { from: null, to: null, limit: 100, after: null }
