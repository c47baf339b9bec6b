// The planner reads a page of each list along an index, under row-level security and with any statistics. Neon loses
// its statistics at a restart, and a new table has none.
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { addCrowd } from '../../../../src/cli/bench/crowd.ts'
import { listBalances } from '../../../../src/db/read/balances.ts'
import { netWorth } from '../../../../src/db/read/insights.ts'
import { listAllItems } from '../../../../src/db/operations/admin.ts'
import { findById, findByTokenDigest } from '../../../../src/db/operations/search.ts'
import { connect } from '../../../../src/db/core/client.ts'
import { listHoldings, listInvestmentTransactions } from '../../../../src/db/records/investments.ts'
import { listItems } from '../../../../src/db/items/items.ts'
import { listSyncRuns } from '../../../../src/db/sync/runs.ts'
import { listTransactions } from '../../../../src/db/records/transactions.ts'
import { connectStack, type TestDatabase } from '../../../support/stack.ts'
import { runExplained, statementsOf, type Step } from '../../../support/statement-plans.ts'
import { type Ids, type List, type Logins, allDays, application, identity, lists } from './plan-lists.ts'

const minute = 60_000
const stack = connectStack(inject('control'))
const stored = { name: 'reader', users: 1, transactions: 5000, investments: 1500 }

/** Whether the node reads all matching rows before it returns the first one. */
const readsAll = ({ name }: Step): boolean => /^(Seq Scan|Bitmap|Sort|Incremental Sort|Hash|Merge Join)/.test(name)

/** What estimates the balances of past days reads the account's transactions. It has its own test. */
const isEstimate = ({ query }: { readonly query: string }): boolean => query.includes('estimate_anchors')

const isPlan = ({ query }: { readonly query: string }): boolean => query.startsWith('select set_config(')

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
