// The planner reads a page of each list along an index, under row-level security and with any statistics. Neon loses
// its statistics at a restart, and a new table has none.
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { addCrowd } from '../../../../src/cli/bench/crowd.ts'
import { type AuditFilters, listAudit, listOwnAudit } from '../../../../src/db/read/audit.ts'
import { listBalances } from '../../../../src/db/read/balances.ts'
import { netWorth } from '../../../../src/db/read/insights.ts'
import { listAccounts } from '../../../../src/db/records/accounts.ts'
import { listAllItems, listWebhooks } from '../../../../src/db/operations/admin.ts'
import { listOpenExchanges, listRemovals } from '../../../../src/db/link/waiting.ts'
import { listKeys } from '../../../../src/db/applications/keys.ts'
import { type DeliveryFilter, listDeliveries } from '../../../../src/db/events/deliveries.ts'
import { listEndpoints } from '../../../../src/db/events/endpoints.ts'
import type { EndpointOwner } from '../../../../src/db/events/owner.ts'
import { findById, findByTokenDigest } from '../../../../src/db/operations/search.ts'
import { listChanges } from '../../../../src/db/read/changes.ts'
import { readChanges as readFeed } from '../../../../src/db/read/feed.ts'
import { type ApiDatabase, connect, type JobsDatabase } from '../../../../src/db/core/client.ts'
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
import { connectStack, type TestDatabase } from '../../../support/stack.ts'
import { runExplained, statementsOf, type Step } from '../../../support/statement-plans.ts'

const minute = 60_000
const stack = connectStack(inject('control'))
const identity = { issuer: 'bench', subject: 'reader 1' }
const stored = { name: 'reader', users: 1, transactions: 5000, investments: 1500 }

interface Ids {
  readonly user: string
  readonly item: string
  readonly account: string
}

interface Logins {
  readonly api: ApiDatabase
  readonly jobs: JobsDatabase
}

const someId = '00000000-0000-4000-8000-000000000000'

type List = (logins: Logins, ids: Ids, limit: number, from: Key | null) => Promise<unknown>

const byDay: Key = ['2026-06-01', someId]
const byTime: Key = ['2026-06-01T00:00:00.000Z', someId]
const byId: Key = [someId, someId]

const application = '00000000-0000-4000-8000-00000000000a'
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
const lists: Readonly<Record<string, readonly [List, Key]>> = {
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

/** Whether the node reads all matching rows before it returns the first one. */
const readsAll = ({ name }: Step): boolean => /^(Seq Scan|Bitmap|Sort|Incremental Sort|Hash|Merge Join)/.test(name)

/** What estimates the balances of past days reads the account's transactions. It has its own test. */
const isEstimate = ({ query }: { readonly query: string }): boolean => query.includes('estimate_anchors')

const isPlan = ({ query }: { readonly query: string }): boolean => query.startsWith('select set_config(')
const allDays = { from: null, to: null, limit: 100, after: null }

/** Lists that skip rows until the page is full. Only their plans are checked. */
const searches: ReadonlySet<string> = new Set([
  'pending transactions',
  'pending transactions of an account',
  'all failed sync runs',
  'all open exchanges of a user',
  'all of the audit trail by administrators',
  'own failed deliveries',
  'all rows set aside of an item',
  'all rows set aside of a product',
])

const idsRow = z.object({ user: z.string(), item: z.string(), account: z.string() })

async function idsOf(owner: Client): Promise<Ids> {
  const { rows } = await owner.query(
    `select user_id as user, item_id as item, min(id::text) as account from accounts
      where user_id = (select id from users where subject = $1) group by 1, 2`,
    [identity.subject],
  )
  return z.tuple([idsRow]).parse(rows)[0]
}

const others = { name: 'other', users: 20, transactions: 200, investments: 20 }
const few = { ...stored, name: 'few', transactions: 5, investments: 5 }

/** Two thousand rows of the audit trail, and endpoints of each kind of owner with as many deliveries. */
const trails = `
  insert into applications (id, name, issuer) values ('${application}', 'Plans', 'https://plans.test');
  insert into webhook_endpoints (user_id, application_id, url, secret_sealed, state)
    select owner.user_id, owner.application_id, 'https://plans.test/' || n, '', 'enabled' from generate_series(1, 3) n, (
      select id as user_id, null::uuid as application_id from users where subject = '${identity.subject}'
      union all values (null::uuid, '${application}'::uuid), (null::uuid, null::uuid)) owner;
  insert into webhook_deliveries (event_id, endpoint_id, owner_id, application_id, type, data, created_at)
    select gen_random_uuid(), id, user_id, application_id, 'ping', '{}', now() - make_interval(mins => n)
    from webhook_endpoints, generate_series(1, 700) n;
  insert into api_keys (id, user_id, application_id, name, prefix, digest, scopes, created_at)
    select gen_random_uuid(), owner.user_id, owner.application_id, 'key', left(md5(n::text || owner.place), 20), decode(md5(n::text || owner.place), 'hex'),
      '{read}', now() - make_interval(mins => n)
    from generate_series(1, 600) n, (
      select 1 as place, id as user_id, null::uuid as application_id from users where subject = '${identity.subject}'
      union all values (2, null::uuid, '${application}'::uuid)) owner;
  create temporary table trail as
    select gen_random_uuid() as id, now() - make_interval(mins => n) as at, u.issuer, u.subject
    from generate_series(1, 700) n, users u where u.subject in ('${identity.subject}', 'other 1', 'other 2');
  insert into audit_log (id, at, actor_kind, action, target_kind, target_id, request_id, key_id, mac)
    select id, at, 'user', 'sync_requested', 'item', 'target', 'request', 'k', '' from trail;
  insert into audit_people (audit_id, part, person, at)
    select id, part, app.person_of(issuer, subject), at from trail, unnest(array['actor', 'owner']) part;
  drop table trail`

async function addReader(owner: Client): Promise<void> {
  await addCrowd(owner, stored)
  await owner.query(trails)
}

/** The planner's knowledge of the tables, and how to set it up. */
const knowledge: Readonly<Record<string, (owner: Client) => Promise<void>>> = {
  'no statistics': async (owner) => {
    await addCrowd(owner, others)
    await addReader(owner)
  },
  'statistics of the empty tables': async (owner) => {
    await owner.query('analyze')
    await addCrowd(owner, others)
    await addReader(owner)
  },
  'statistics of other users alone': async (owner) => {
    await addCrowd(owner, few)
    await owner.query('analyze')
    await addReader(owner)
  },
  'statistics of this user alone': async (owner) => {
    await addReader(owner)
    await owner.query('analyze')
    await addCrowd(owner, others)
  },
  'right statistics': async (owner) => {
    await addCrowd(owner, others)
    await addReader(owner)
    await owner.query('vacuum analyze')
  },
}

/** One user with 200 items, each with an account and twenty rows of each listed kind. */
const collection = `
  with collector as (insert into users (issuer, subject) values ('bench', 'collector') returning id),
    collected as (insert into items (user_id, plaid_item_id, access_token_sealed, status)
      select id, 'collected ' || n, 'none', 'healthy' from collector, generate_series(1, 200) n returning id, user_id)
    insert into item_products (item_id, user_id, product, status)
      select id, user_id, product, 'ok' from collected, unnest(array['item', 'holdings', 'recurring']) product;
  insert into accounts (user_id, item_id, plaid_account_id, name, type)
    select user_id, id, plaid_item_id, 'Account', 'depository' from items where plaid_item_id like 'collected %';
  create temporary table rows_to_list as
    select a.user_id, a.item_id, a.id as account_id, a.plaid_account_id || ' ' || n as name, n, p.id as item_product_id
    from accounts a join item_products p on p.item_id = a.item_id and p.product = 'item' cross join generate_series(1, 20) n
    where a.plaid_account_id like 'collected %';
  insert into securities (user_id, plaid_security_id, name) select user_id, n, 'Security' from rows_to_list group by 1, n;
  insert into transactions (user_id, item_id, account_id, plaid_transaction_id, date, amount, name, pending, payment_channel, change_seq)
    select user_id, item_id, account_id, name, date '2026-11-01' - n, n, name, false, 'in store', n from rows_to_list;
  insert into investment_transactions (user_id, item_id, account_id, plaid_investment_transaction_id, date, name, quantity, amount,
      price, type, subtype)
    select user_id, item_id, account_id, name, date '2026-11-01' - n, name, 1, n, n, 'buy', 'buy' from rows_to_list;
  insert into holdings (user_id, item_id, account_id, security_id, quantity, institution_price, institution_value)
    select r.user_id, item_id, account_id, s.id, 1, 1, 1 from rows_to_list r
      join securities s on s.user_id = r.user_id and s.plaid_security_id = r.n::text;
  insert into sync_runs (id, user_id, item_id, item_product_id, product, trigger, outcome, plaid_request_ids, started_at)
    select gen_random_uuid(), user_id, item_id, item_product_id, 'item', 'sweep', 'committed', '{}', now() - make_interval(hours => n)
    from rows_to_list;
  drop table rows_to_list`

describe.each(Object.entries(knowledge))('planner statistics: %s', (_, fill) => {
  let database: TestDatabase
  let logins: Logins
  let sessions: Readonly<Record<'owner' | 'api' | 'jobs', Client>>
  let ids: Ids
  beforeAll(async () => {
    database = await stack.createDatabase()
    const { ownerUrl, apiUrl, jobsUrl, endpoint } = database
    logins = { api: connect('wn_api', apiUrl, endpoint), jobs: connect('wn_jobs', jobsUrl, endpoint) }
    sessions = { owner: new Client(ownerUrl), api: new Client(apiUrl), jobs: new Client(jobsUrl) }
    await Promise.all(Object.values(sessions).map((session) => session.connect()))
    const { owner } = sessions
    const { rows } = await owner.query(
      `select format('alter table %s set (autovacuum_enabled = off)', oid::regclass) as off from pg_class
        where relkind = 'r' and relnamespace = 'public'::regnamespace`,
    )
    for (const { off } of z.array(z.object({ off: z.string() })).parse(rows)) await owner.query(off)
    await fill(owner)
    ids = await idsOf(owner)
  }, 2 * minute)
  afterAll(async () => {
    await Promise.all(Object.values(sessions).map((session) => session.end()))
    await stack.dropDatabase(database.name)
  })

  it.each(Object.entries(lists))('a page of %s is read along an index', async (name, [list, place]) => {
    const session = /^(all|webhooks|dead|open)/.test(name) ? sessions.jobs : sessions.api
    for (const [limit, from] of [
      [1, null],
      [100, place],
      [500, null],
    ] as const) {
      const statements = await statementsOf(() => list(logins, ids, limit, from))
      const steps = await runExplained(
        session,
        statements.filter((statement) => !isEstimate(statement)),
      )
      const plan = `limit ${limit}: ${steps.map(({ name: step, rows }) => `${step} ${rows}`).join(' < ')}`
      expect({ plan, readsAll: steps.filter(readsAll) }).toEqual({ plan, readsAll: [] })
      const read = steps.reduce((sum, { rows }) => sum + rows, 0)
      const isBounded = searches.has(name) || read < 4 * (limit + 20)
      expect({ plan, isBounded }).toEqual({ plan, isBounded: true })
    }
  })

  it.each<[string, number, () => Promise<unknown>]>([
    ['the balances of an account', 1, () => listBalances(logins.api, identity, ids.account, allDays)],
    ['net worth', 4, () => netWorth(logins.api, identity, { from: '2025-11-01', to: '2026-10-30' })],
  ])(
    'the estimates of %s read the transactions of each account once, along an index',
    async (_title, accounts, ask) => {
      const sent = await statementsOf(ask)
      const steps = await runExplained(
        sessions.api,
        sent.filter((statement, index) => index === 0 || isEstimate(statement) || isPlan(statement)),
      )
      const read = steps.filter(({ name }) => name.endsWith(' transactions'))
      const rows = read.reduce((sum, step) => sum + step.rows, 0)
      const plan = read.map((step) => `${step.name} ${step.rows}`).join(' < ')
      expect({ plan, scans: read.filter(({ name }) => !name.includes('Index')) }).toEqual({ plan, scans: [] })
      expect({ plan, isRead: rows > 1000, isOnce: rows <= accounts * stored.transactions }).toEqual({
        plan,
        isRead: true,
        isOnce: true,
      })
    },
  )

  it.each<readonly [(of: Ids) => Promise<unknown>, string]>([
    [({ account }) => findById(logins.jobs, account), 'our id'],
    [() => findById(logins.jobs, 'reader 1'), 'an id of Plaid'],
    [() => findByTokenDigest(logins.jobs, 'digest'), 'a link token'],
  ])('a search by an index reads no table as a whole: %#', async (find) => {
    const steps = await runExplained(sessions.jobs, await statementsOf(() => find(ids)))
    const plan = steps.map(({ name, rows }) => `${name} ${rows}`).join(' < ')
    expect({ plan, scans: steps.filter(({ name }) => name.startsWith('Seq Scan')) }).toEqual({ plan, scans: [] })
    // An id of Plaid's is one step of an index for each item.
    const items = steps.filter(({ name }) => name.endsWith(' items')).reduce((sum, { rows }) => sum + rows, 0)
    const read = steps.reduce((sum, { rows }) => sum + rows, 0)
    expect({ plan, isBounded: read - items < 60 }).toEqual({ plan, isBounded: true })
  })

  describe('lists of a user with many items', () => {
    const collector = { issuer: identity.issuer, subject: 'collector' }
    let collected: Ids
    beforeAll(async () => {
      const { owner } = sessions
      await owner.query(collection)
      const { rows } = await owner.query(
        `select user_id as user, item_id as item, id::text as account from accounts
          where user_id = (select id from users where subject = 'collector') order by plaid_account_id limit 1`,
      )
      collected = z.tuple([idsRow]).parse(rows)[0]
    }, minute)

    it.each([
      ['listItems', (limit: number) => listItems(logins.api, collector, limit, null)],
      ['listAllItems', (limit: number) => listAllItems(logins.jobs, { userId: collected.user }, limit, null)],
    ])("a page of %s reads the products of the page's items alone", async (name, list) => {
      const session = name === 'listItems' ? sessions.api : sessions.jobs
      const steps = await runExplained(session, await statementsOf(() => list(10)))
      const products = steps.filter(({ name: step }) => step.endsWith(' item_products'))
      expect(products.reduce((sum, { rows }) => sum + rows, 0)).toBe(30)
    })

    it.each<[string, List]>([
      [
        'transactions',
        ({ api }, { account }, limit) => listTransactions(api, collector, { accountId: account }, limit, null),
      ],
      [
        'investment_transactions',
        ({ api }, { account }, limit) =>
          listInvestmentTransactions(api, collector, { accountId: account }, limit, null),
      ],
      ['holdings', ({ api }, { account }, limit) => listHoldings(api, collector, account, limit, null)],
      ['sync_runs', ({ api }, { item }, limit) => listSyncRuns(api, collector, item, limit, null)],
    ])('a page of %s of one account or item reads no others', async (table, list) => {
      const steps = await runExplained(sessions.api, await statementsOf(() => list(logins, collected, 10, null)))
      const plan = steps.map(({ name: step, rows }) => `${step} ${rows}`).join(' < ')
      const listed = steps.filter(({ name }) => name.endsWith(` ${table}`))
      const read = listed.reduce((sum, { rows }) => sum + rows, 0)
      expect({ plan, isListed: read >= 11, isBounded: read < 30 }).toEqual({ plan, isListed: true, isBounded: true })
    })
  })
})
