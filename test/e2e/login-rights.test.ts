// What the Worker's database logins may not do, in any table: change the schema, take another role, or use what only
// another login needs.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Edge, startEdge } from '../support/edge.ts'
import {
  attempt,
  connectLogins,
  insufficientPrivilege,
  issuer,
  type LoginClients,
  logins,
  ours,
} from '../support/login-clients.ts'

let edge: Edge
let clients: LoginClients

beforeAll(async () => {
  edge = await startEdge()
  await edge.sql("insert into users (issuer, subject) values ($1, 'owner'), ($1, 'neighbour')", [issuer])
  clients = await connectLogins(edge.database)
})
afterAll(async () => {
  await clients.end()
  await edge.stop()
})

describe.each(logins)('the login %s', (login) => {
  const client = () => clients.byLogin[login]

  test('has no attribute and no membership, and owns nothing', async () => {
    const [role] = await edge.sql(
      `select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as special,
          (select count(*) from pg_auth_members where member = r.oid) as memberships,
          (select count(*) from pg_class where relowner = r.oid) + (select count(*) from pg_proc where proowner = r.oid)
            + (select count(*) from pg_namespace where nspowner = r.oid)
            + (select count(*) from pg_database where datdba = r.oid) as owned
        from pg_roles r where rolname = $1`,
      [login],
    )
    expect(role).toEqual({ special: 'f', memberships: '0', owned: '0' })
  })

  test.each([
    'create table public.mine (id int)',
    'create table app.mine (id int)',
    'create schema mine',
    'create function public.mine() returns int language sql as $$ select 1 $$',
    'create view public.mine as select * from public.items',
    'alter table public.items disable row level security',
    'drop policy own_rows on public.items',
    'truncate public.items',
    "copy public.items to program 'cat'",
    "select pg_read_file('/etc/hostname')",
    'delete from public.users',
    'delete from public.transactions',
    'delete from public.sync_runs',
    'delete from public.webhook_events',
    'delete from public.account_balances',
    'delete from public.transaction_tombstones',
    'update public.transaction_tombstones set change_seq = 0',
    'delete from public.changes',
    'update public.changes set seq = 0',
    "select app.number_changes(gen_random_uuid(), '{}', '{}')",
  ])('may not %s', async (statement) => {
    expect((await attempt(client(), null, statement)).refusal).toBe(insufficientPrivilege)
  })

  test("may not take the owner's place, or another login's", async () => {
    const owner = new URL(edge.database.ownerUrl).username
    for (const role of [owner, ...logins].filter((name) => name !== login)) {
      const statement = `set role "${role}"`
      expect([role, (await attempt(client(), null, statement)).refusal]).toEqual([role, insufficientPrivilege])
    }
  })
})

test.each([
  'select replay_key from webhook_events',
  'select 1 from dead_letters',
  'select 1 from sync_staging',
  'select 1 from investment_staging',
  'select 1 from drizzle.__drizzle_migrations',
  "select app.begin_commit(gen_random_uuid(), gen_random_uuid(), '')",
  'update transactions set amount = 0 where false',
  'update item_products set cursor = null where false',
  "update items set access_token_sealed = '' where false",
  "update items set status = 'healthy' where false",
  'update items set removed_at = null where false',
  'update link_exchanges set item_id = null where false',
  'insert into items default values',
  'delete from items',
  'insert into item_products default values',
  'delete from accounts',
  'delete from plaid_removals',
  'select access_token_sealed from plaid_removals',
  'select 1 from plaid_usage',
  'select 1 from safety_switches',
  'select 1 from webhook_keys',
  'select 1 from unmatched_webhooks',
  'select app.begin_link(gen_random_uuid(), null)',
  'select app.hide_account(gen_random_uuid())',
  'insert into transactions default values',
  'insert into users (issuer, subject) values (current_user, current_user)',
])('a request of a user to the database may not %s', async (statement) => {
  expect((await attempt(clients.byLogin.wn_api, 'neighbour', statement)).refusal).toBe(insufficientPrivilege)
})

test('jobs cannot become a user', async () => {
  expect((await attempt(clients.byLogin.wn_jobs, null, `select app.enter('${issuer}', 'owner', true)`)).refusal).toBe(
    insufficientPrivilege,
  )
})

test('the login of built-in accounts reads and writes no table, and becomes no user', async () => {
  const relations = await edge.sql(
    `select format('%I.%I', nspname, relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where relkind in ('r', 'p', 'v', 'm') and n.oid in (${ours})`,
  )
  expect(relations.map(({ name }) => name)).toEqual(expect.arrayContaining(['public.items', 'identity.accounts']))
  for (const { name } of relations)
    for (const statement of [`select 1 from ${name}`, `delete from ${name}`, `insert into ${name} default values`])
      expect([statement, (await attempt(clients.byLogin.wn_identity, null, statement)).refusal]).toEqual([
        statement,
        insufficientPrivilege,
      ])
  const entering = `select app.enter('${issuer}', 'owner', true)`
  expect((await attempt(clients.byLogin.wn_identity, null, entering)).refusal).toBe(insufficientPrivilege)
})

test('a function that acts with the rights of its owner fixes where it looks for names', async () => {
  const loose = await edge.sql(
    `select p.oid::regproc::text as name from pg_proc p where pronamespace in (${ours}) and prosecdef
      and not coalesce(array_to_string(proconfig, ' '), '') like '%search_path=pg_catalog, pg_temp%'`,
  )
  expect(loose).toEqual([])
})
