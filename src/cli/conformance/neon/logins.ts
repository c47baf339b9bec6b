// Assertions about what the migrations and `db:bootstrap` need: an owner who is not a superuser, and the logins that it
// creates.
import { Client } from 'pg'
import { type Assertion, expectEqual, expectThat } from '../assertion.ts'
import { batchRowsOf, failureOf, type NeonTarget, roleUrl, rowsOf } from './target.ts'

const roles = 'https://neon.com/docs/manage/roles'
const postgres = 'https://www.postgresql.org/docs/17'

async function makeLogin(target: NeonTarget): Promise<string> {
  await target.rows(`alter role ${target.role} login password '${target.password}'`)
  return roleUrl(target)
}

export const loginAssertions: readonly Assertion<NeonTarget>[] = [
  {
    name: 'neon/server-version',
    promise: 'The server is PostgreSQL 15, 16, 17 or 18.',
    source: 'https://neon.com/docs/postgresql/postgres-version-policy',
    certainty: 'sure',
    async check(target) {
      const [row] = await target.rows("select current_setting('server_version_num')::int / 10000 as major")
      expectThat('a supported major version', [15, 16, 17, 18].includes(Number(row?.['major'])), row)
    },
  },
  {
    name: 'neon/role-by-sql',
    promise: 'A role made by SQL is a member of no other role and has no attribute that passes row-level security.',
    source: roles,
    certainty: 'sure',
    async check(target) {
      const query = `select rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
        (select count(*)::int from pg_auth_members where member = oid) as memberships from pg_roles where rolname = $1`
      const no = { rolcanlogin: false, rolsuper: false, rolbypassrls: false, rolcreaterole: false }
      const expected = [{ ...no, rolcreatedb: false, rolreplication: false, memberships: 0 }]
      expectEqual('role', await target.rows(query, [target.role]), expected)
    },
  },
  {
    name: 'neon/login-by-sql',
    promise: 'ALTER ROLE … LOGIN PASSWORD makes a login that works over HTTP at once.',
    source: roles,
    certainty: 'likely',
    async check(target) {
      const url = await makeLogin(target)
      const rows = rowsOf(await target.ask({ send: { query: 'select current_user::text as name' }, url }))
      expectEqual('login', rows, [{ name: target.role }])
    },
  },
  {
    name: 'neon/owner-is-no-superuser',
    promise: 'The owner may create roles and databases, is no superuser, and may not deny a role SUPERUSER.',
    source: roles,
    certainty: 'sure',
    async check(target) {
      const rows = await target.rows(
        'select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user',
      )
      expectEqual('owner', rows, [{ rolsuper: false, rolcreaterole: true, rolcreatedb: true }])
      const denied = failureOf(await target.ask({ send: { query: `alter role ${target.role} nosuperuser` } }))
      expectEqual('code', denied.code, '42501')
    },
  },
  {
    name: 'neon/statement-timeout-by-role',
    promise: 'ALTER ROLE … SET statement_timeout by the owner cancels a longer statement of that login with 57014.',
    source: `${postgres}/sql-alterrole.html`,
    certainty: 'likely',
    async check(target) {
      await target.rows(`alter role ${target.role} set statement_timeout = '300ms'`)
      const url = await makeLogin(target)
      try {
        // A pooled connection can be older than the setting; a new one must have it.
        await target.ask({ send: { query: 'select pg_terminate_backend(pg_backend_pid())' }, url })
        const { status, code } = failureOf(await target.ask({ send: { query: 'select pg_sleep(5)' }, url }))
        expectEqual('status and code', [status, code], [400, '57014'])
      } finally {
        await target.rows(`alter role ${target.role} reset statement_timeout`)
      }
    },
  },
  {
    name: 'neon/row-level-security',
    promise: 'A policy reads the setting of its batch: a login sees the rows of that user alone, and none without one.',
    source: `${postgres}/ddl-rowsecurity.html`,
    certainty: 'sure',
    async check(target) {
      const { schema, role } = target
      const table = `${schema}.guarded`
      const url = await makeLogin(target)
      await target.rows(`create table ${table} as select 'ada' as owner union all select 'bob'`)
      await target.rows(`alter table ${table} enable row level security`)
      await target.rows(`create policy own on ${table} using (owner = current_setting('app.conformance_user', true))`)
      await target.rows(`grant usage on schema ${schema} to ${role}`)
      await target.rows(`grant select on ${table} to ${role}`)
      const read = { query: `select owner from ${table}` }
      const set = { query: "select set_config('app.conformance_user', 'ada', true)" }
      const [, own] = batchRowsOf(await target.ask({ send: [set, read], url }))
      expectEqual('rows with a user', own, [{ owner: 'ada' }])
      expectEqual('rows without', rowsOf(await target.ask({ send: read, url })), [])
    },
  },
  {
    name: 'neon/security-definer',
    promise: 'A SECURITY DEFINER function of the owner runs inside a batch with the rights of the owner.',
    source: `${postgres}/sql-createfunction.html`,
    certainty: 'sure',
    async check(target) {
      const { schema, role } = target
      const url = await makeLogin(target)
      const body = "language sql security definer set search_path = '' as 'select current_user::text'"
      await target.rows(`create function ${schema}.acting_as() returns text ${body}`)
      await target.rows(`grant usage on schema ${schema} to ${role}`)
      const send = [{ query: `select ${schema}.acting_as() <> current_user::text as changed` }]
      expectEqual('rights', batchRowsOf(await target.ask({ send, url })), [[{ changed: true }]])
    },
  },
  {
    name: 'neon/session-lock',
    promise: 'A session-level advisory lock holds on a direct connection, so that two migrations take turns.',
    source: 'https://neon.com/docs/connect/connection-pooling',
    certainty: 'sure',
    async check(target) {
      const [first, second] = [new Client(target.url), new Client(target.url)]
      const lock = 'select pg_try_advisory_lock(hashtext($1)) as held'
      try {
        await Promise.all([first.connect(), second.connect()])
        expectEqual('first', (await first.query(lock, [target.schema])).rows, [{ held: true }])
        expectEqual('second', (await second.query(lock, [target.schema])).rows, [{ held: false }])
      } finally {
        await Promise.all([first.end(), second.end()])
      }
    },
  },
]
