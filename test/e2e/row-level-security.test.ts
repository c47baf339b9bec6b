// The database's access rules: without any filter in the query, a login reads and changes one user's rows or none.
// Connects to PostgreSQL with the Worker's logins, without the Worker.
import { randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { type Edge, startEdge } from '../support/edge.ts'
import {
  attempt,
  connectLogins,
  insufficientPrivilege,
  issuer,
  logins,
  ours,
  type LoginClients,
} from '../support/login-clients.ts'
import { userTables } from '../support/tables.ts'

const roles = logins.map((name) => `'${name}'`).join(', ')
/** The roles that serve requests and jobs, and the logins of either generation that are members of them. */
const anyLogin = '^wn_(api|jobs|identity)(_[ab])?$'

let edge: Edge
let tables: string[]
let ownerId: string
let neighbourId: string
let api: Client
let jobs: Client
let identity: Client
let clients: LoginClients

beforeAll(async () => {
  edge = await startEdge()
  await edge.linkAndSync('owner')
  await edge.linkAndSync('neighbour')
  tables = await userTables(edge.sql)
  const idOf = async (subject: string) =>
    z.string().parse((await edge.sql('select id from users where subject = $1', [subject]))[0]?.['id'])
  ;[ownerId, neighbourId] = [await idOf('owner'), await idOf('neighbour')]
  // Staging tables are empty between two runs, so they need a row for the test.
  await edge.sql(
    `insert into sync_staging (run_id, user_id, seq, removed, plaid_transaction_id)
      values (gen_random_uuid(), $1, 1, false, 'staged')`,
    [ownerId],
  )
  await edge.sql(
    `insert into investment_staging (run_id, user_id, seq, plaid_investment_transaction_id, plaid_account_id, date, name, quantity,
        amount, price, type, subtype)
      values (gen_random_uuid(), $1, 1, 'staged', 'account', now(), 'n', 1, 1, 1, 'buy', 'buy')`,
    [ownerId],
  )
  await edge.sql(
    `insert into set_aside_rows (user_id, item_id, product, kind, row_key, problems, run_id)
      select user_id, id, 'transactions', 'transaction', 'unread', array['amount missing'], gen_random_uuid()
      from items where user_id = $1`,
    [ownerId],
  )
  await edge.sql(
    `insert into consents (user_id, version, linking_and_sync, insights, product_emails, diagnostics)
      values ($1, 1, true, true, false, true)`,
    [ownerId],
  )
  await edge.sql(`insert into rules (user_id, position, contains, user_category) values ($1, 1, 'rent', 'Rent')`, [
    ownerId,
  ])
  await edge.sql(`insert into erasures (user_id, subject_hash) values ($1, 'hash')`, [ownerId])
  await edge.sql(`insert into plaid_removals (user_id, plaid_item_id, reason) values ($1, 'ended', 'removed')`, [
    ownerId,
  ])
  await edge.sql(`insert into link_sessions (user_id, token_digest, expires_at) values ($1, 'digest', now())`, [
    ownerId,
  ])
  await edge.sql(
    `insert into transaction_tombstones (user_id, change_seq, transaction_id) values ($1, -1, gen_random_uuid())`,
    [ownerId],
  )
  await edge.sql(
    `insert into api_keys (id, user_id, name, prefix, digest, scopes)
      values (gen_random_uuid(), $1, 'n', 'wn_test_', 'digest', '{read}')`,
    [ownerId],
  )
  await edge.sql(
    `insert into idempotent_requests (user_id, route, key_digest, request_digest, run_id)
      values ($1, 'r', 'key', 'request', gen_random_uuid())`,
    [ownerId],
  )
  await edge.sql(
    `with e as (insert into webhook_endpoints (user_id, url, secret_sealed) values ($1, 'https://app.example.com', 'sealed')
        returning id, user_id)
      insert into webhook_deliveries (event_id, endpoint_id, owner_id, user_id, type, data)
      select gen_random_uuid(), id, user_id, user_id, 'ping', '{}' from e`,
    [ownerId],
  )
  clients = await connectLogins(edge.database)
  ;({ wn_api: api, wn_jobs: jobs, wn_identity: identity } = clients.byLogin)
})
afterAll(async () => {
  await clients.end()
  await edge.stop()
})

const asNeighbour = (text: string, params: unknown[] = []) => attempt(api, 'neighbour', text, params)

/** A row of the owner as JSON, read as the tables' owner. */
async function ownersRow(table: string): Promise<string> {
  const rows = await edge.sql(`select to_jsonb(r)::text as row from ${table} r where user_id = $1 limit 1`, [ownerId])
  return z.string().parse(rows[0]?.['row'])
}

test('every table with user data is tried here, with rows of two users in it', async () => {
  expect(tables).toEqual(expect.arrayContaining(['public.items', 'public.accounts', 'public.transactions']))
  for (const table of tables) {
    const rows = await edge.sql(`select count(*) as n from ${table} where user_id = $1`, [ownerId])
    expect([table, Number(rows[0]?.['n']) > 0]).toEqual([table, true])
  }
})

test('a query without a filter reads own rows and no others', async () => {
  for (const table of tables) {
    const seen = await asNeighbour(`select user_id from ${table}`)
    expect([null, insufficientPrivilege]).toContain(seen.refusal)
    expect([table, seen.rows.filter((row) => row['user_id'] !== neighbourId)]).toEqual([table, []])
  }
  const users = await asNeighbour('select id from users')
  expect(users.rows).toEqual([{ id: neighbourId }])
})

test('a user reads no delivery to an endpoint of administrators, even about themselves', async () => {
  await edge.sql(
    `with e as (insert into webhook_endpoints (url, secret_sealed) values ('https://admin.example.com', 'sealed') returning id)
      insert into webhook_deliveries (event_id, endpoint_id, user_id, type, data)
      select gen_random_uuid(), id, $1, 'item.linked', '{}' from e`,
    [neighbourId],
  )
  expect((await asNeighbour('select 1 from webhook_deliveries')).count).toBe(0)
  expect((await asNeighbour('select 1 from webhook_endpoints')).count).toBe(0)
})

/** Runs one statement as an application that acts for no user, and rolls it back. */
async function asApplication(id: string, text: string, params: unknown[] = [], subject: string | null = null) {
  await api.query('begin')
  try {
    await api.query('select app.enter_application($1)', [id])
    if (subject !== null) await api.query('select app.enter($1, $2, false)', [issuer, subject])
    return (await api.query<Record<string, unknown>>(text, params)).rows
  } finally {
    await api.query('rollback')
  }
}

test('an application sees its own endpoints and deliveries, and none of users, administrators or another application', async () => {
  const [mine, theirs] = [randomUUID(), randomUUID()]
  for (const id of [mine, theirs]) {
    await edge.sql("insert into applications (id, name, issuer) values ($1, 'app', $2)", [id, issuer])
    await edge.sql(
      `with e as (insert into webhook_endpoints (application_id, url, secret_sealed) values ($1, 'https://app.example.com', 'sealed')
          returning id, application_id)
        insert into webhook_deliveries (event_id, endpoint_id, application_id, user_id, type, data)
        select gen_random_uuid(), id, application_id, $2, 'item.linked', '{}' from e`,
      [id, neighbourId],
    )
  }
  for (const table of ['webhook_endpoints', 'webhook_deliveries']) {
    expect(await asApplication(mine, `select application_id from ${table}`)).toEqual([{ application_id: mine }])
    expect(await asApplication(randomUUID(), `select 1 from ${table}`)).toEqual([])
    // Neither the user whom an event is about, nor a transaction that enters the user afterwards.
    expect((await asNeighbour(`select 1 from ${table} where application_id is not null`)).count).toBe(0)
    expect(await asApplication(mine, `select 1 from ${table} where application_id = $1`, [mine], 'neighbour')).toEqual(
      [],
    )
  }
  expect(
    await asApplication(mine, "update webhook_endpoints set url = 'https://evil.example.com' returning application_id"),
  ).toEqual([{ application_id: mine }])
  expect(await asApplication(mine, 'delete from webhook_endpoints returning application_id')).toEqual([
    { application_id: mine },
  ])
  for (const insert of [
    "webhook_endpoints (application_id, url, secret_sealed) values ($1, 'u', 's')",
    `webhook_deliveries (event_id, endpoint_id, application_id, type, data)
      values (gen_random_uuid(), gen_random_uuid(), $1, 'ping', '{}')`,
  ])
    await expect(asApplication(mine, `insert into ${insert}`, [theirs])).rejects.toMatchObject({
      code: insufficientPrivilege,
    })
  const errorCode = (error: unknown) => z.object({ code: z.string() }).parse(error).code
  for (const table of tables.filter((each) => !/webhook_(?:endpoints|deliveries)$/.test(each)))
    expect([table, await asApplication(mine, `select count(*) as n from ${table}`).catch(errorCode)]).toEqual([
      table,
      expect.toSatisfy((seen: unknown) => seen === insufficientPrivilege || JSON.stringify(seen) === '[{"n":"0"}]'),
    ])
  await edge.sql('delete from webhook_endpoints where application_id is not null')
})

test('a user reads own rows at all', async () => {
  expect((await asNeighbour('select 1 from transactions')).count).toBeGreaterThan(100)
  expect((await asNeighbour('select 1 from items')).count).toBe(1)
})

test.each([null, 'nobody-known'])('entered as %s, the login sees nothing at all', async (subject) => {
  for (const table of [...tables, 'users']) {
    const seen = await attempt(api, subject, `select 1 from ${table}`)
    expect([table, seen.count]).toEqual([table, 0])
  }
})

test('the user of one transaction does not stay for the next one', async () => {
  expect((await asNeighbour('select 1 from items')).count).toBe(1)
  expect((await attempt(api, null, 'select 1 from items')).count).toBe(0)
})

test("another user's row is neither updated nor deleted", async () => {
  for (const table of tables) {
    const columns = await edge.sql(
      `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
      [table],
    )
    for (const { name } of columns) {
      const touched = await asNeighbour(`update ${table} set "${name}" = "${name}" where user_id = '${ownerId}'`)
      expect([table, name, touched.count]).toEqual([table, name, 0])
    }
    const deleted = await asNeighbour(`delete from ${table} where user_id = '${ownerId}'`)
    expect([table, deleted.count]).toEqual([table, 0])
  }
})

test('an update or delete that forgets its filter touches own rows alone', async () => {
  const edited = await asNeighbour(`update transactions set note = 'x' returning user_id`)
  expect(edited.count).toBeGreaterThan(100)
  expect(edited.rows.every((row) => row['user_id'] === neighbourId)).toBe(true)
  const deleted = await asNeighbour('delete from link_exchanges returning user_id')
  expect(deleted.rows).toEqual([{ user_id: neighbourId }])
  const marked = await asNeighbour('update item_products set dirty_seq = dirty_seq + 1 returning user_id')
  expect(marked.rows.every((row) => row['user_id'] === neighbourId)).toBe(true)
})

test('no row is written in the name of another user, and none is given to one', async () => {
  for (const table of tables) {
    const insert = `insert into ${table} select * from jsonb_populate_record(null::${table}, $1::jsonb)`
    const inserted = await asNeighbour(insert, [await ownersRow(table)])
    expect([table, inserted.refusal]).toEqual([table, insufficientPrivilege])
    const given = await asNeighbour(`update ${table} set user_id = $1`, [ownerId])
    expect([table, given.refusal]).toEqual([table, insufficientPrivilege])
  }
})

/** Login → table → its rights on the whole table, and on single columns in brackets. */
const everythingOfTheirs = 'INSERT SELECT UPDATE'
/** The right to read some columns. */
const columnsOf = (names: string): string =>
  names
    .split(' ')
    .map((name) => `SELECT(${name})`)
    .join(' ')
/** A login writes the digest of a key, and reads it never. */
const keyRights = `INSERT ${columnsOf(
  'application_id created_at expires_at id last_used_at name networks prefix request_digest revoked_at scopes user_id',
)} UPDATE(revoked_at)`
const grants: Record<string, Record<string, string>> = {
  wn_api: {
    account_balances: 'SELECT',
    accounts: 'SELECT UPDATE(hidden) UPDATE(in_insights) UPDATE(own_name) UPDATE(updated_at)',
    api_keys: keyRights,
    audit_log: 'SELECT',
    audit_people: 'SELECT',
    changes: 'SELECT',
    consents: 'SELECT',
    holding_days: 'SELECT',
    holdings: 'SELECT',
    idempotent_requests:
      'DELETE INSERT SELECT UPDATE(body) UPDATE(request_digest) UPDATE(run_id) UPDATE(started_at) UPDATE(status)',
    investment_transactions: 'SELECT',
    item_products: 'SELECT UPDATE(dirty_seq) UPDATE(next_attempt_at) UPDATE(status)',
    items:
      'SELECT UPDATE(disconnect_at) UPDATE(new_accounts_available) UPDATE(rotation_owner) UPDATE(rotation_started_at) UPDATE(updated_at)',
    liabilities: 'SELECT',
    link_exchanges:
      'DELETE INSERT SELECT UPDATE(access_token_sealed) UPDATE(next_attempt_at) UPDATE(plaid_item_id) UPDATE(state) UPDATE(updated_at)',
    link_sessions: 'INSERT SELECT',
    plaid_removals: columnsOf('attempts created_at id item_id last_error next_attempt_at plaid_item_id reason user_id'),
    recurring_streams: 'SELECT',
    rules:
      'DELETE INSERT SELECT UPDATE(account_id) UPDATE(contains) UPDATE(hidden) UPDATE(max_amount) UPDATE(min_amount) UPDATE(position) UPDATE(updated_at) UPDATE(user_category)',
    securities: 'SELECT',
    set_aside_rows: columnsOf(
      'first_seen_at id item_id kind last_seen_at payload plaid_account_id problems product row_key run_id user_id',
    ),
    sync_runs: 'SELECT',
    transaction_tombstones: 'SELECT',
    transactions:
      'SELECT UPDATE(category_by) UPDATE(change_seq) UPDATE(hidden) UPDATE(hidden_by) UPDATE(note) UPDATE(updated_at) UPDATE(user_category)',
    user_visits: 'SELECT UPDATE(live_until)',
    users: 'SELECT UPDATE(change_seq) UPDATE(plaid_user_id)',
    webhook_deliveries:
      'INSERT(application_id) INSERT(data) INSERT(endpoint_id) INSERT(event_id) INSERT(owner_id) INSERT(type) INSERT(user_id) SELECT UPDATE(expires_at) UPDATE(next_attempt_at) UPDATE(state)',
    webhook_endpoints:
      'DELETE INSERT(application_id) INSERT(events) INSERT(id) INSERT(secret_sealed) INSERT(url) INSERT(user_id) SELECT UPDATE(disabled_reason) UPDATE(events) UPDATE(failing_since) UPDATE(failures) UPDATE(next_attempt_at) UPDATE(previous_sealed) UPDATE(previous_until) UPDATE(secret_sealed) UPDATE(state) UPDATE(updated_at) UPDATE(url)',
    webhook_events: columnsOf('id item_id payload plaid_item_id received_at scheme user_id webhook_code webhook_type'),
  },
  wn_jobs: {
    account_balances: everythingOfTheirs,
    accounts: `DELETE ${everythingOfTheirs}`,
    api_keys: keyRights,
    applications: 'INSERT SELECT',
    audit_chains: 'INSERT SELECT UPDATE(head) UPDATE(number)',
    audit_checkpoints: 'INSERT SELECT',
    audit_links: 'INSERT SELECT',
    audit_log: 'SELECT',
    audit_people: 'SELECT',
    audit_prunings: 'SELECT',
    audit_unchained: 'DELETE SELECT',
    backups: `DELETE ${everythingOfTheirs}`,
    changes: 'SELECT',
    dead_letters: `DELETE ${everythingOfTheirs}`,
    erasures:
      'SELECT UPDATE(attempts) UPDATE(copied_at) UPDATE(deleted) UPDATE(next_attempt_at) UPDATE(plaid_user_removed)',
    holding_days: `DELETE ${everythingOfTheirs}`,
    holdings: `DELETE ${everythingOfTheirs}`,
    investment_staging: 'DELETE INSERT SELECT',
    investment_transactions: everythingOfTheirs,
    item_products: everythingOfTheirs,
    items: `DELETE ${everythingOfTheirs}`,
    liabilities: `DELETE ${everythingOfTheirs}`,
    link_exchanges: 'DELETE SELECT UPDATE',
    link_sessions: 'DELETE SELECT UPDATE',
    plaid_removals: `DELETE ${everythingOfTheirs}`,
    plaid_usage: everythingOfTheirs,
    recurring_streams: `DELETE ${everythingOfTheirs}`,
    rules: 'SELECT',
    safety_switches: 'SELECT UPDATE',
    securities: `DELETE ${everythingOfTheirs}`,
    set_aside_rows: `DELETE ${everythingOfTheirs}`,
    sync_runs: 'INSERT SELECT',
    sync_staging: 'DELETE INSERT SELECT',
    transaction_tombstones: 'INSERT SELECT',
    transactions: everythingOfTheirs,
    unmatched_webhooks: everythingOfTheirs,
    user_visits: 'SELECT UPDATE(noticed_at)',
    users: 'SELECT UPDATE(change_seq) UPDATE(plaid_items_checked_at)',
    webhook_deliveries:
      'INSERT(application_id) INSERT(data) INSERT(endpoint_id) INSERT(event_id) INSERT(owner_id) INSERT(type) INSERT(user_id) SELECT UPDATE(attempts) UPDATE(data) UPDATE(expires_at) UPDATE(history) UPDATE(last_attempt_at) UPDATE(last_duration_ms) UPDATE(last_error) UPDATE(last_status) UPDATE(next_attempt_at) UPDATE(state)',
    webhook_endpoints:
      'DELETE INSERT(application_id) INSERT(events) INSERT(id) INSERT(secret_sealed) INSERT(url) INSERT(user_id) SELECT UPDATE(disabled_reason) UPDATE(events) UPDATE(failing_since) UPDATE(failures) UPDATE(lease_expires_at) UPDATE(lease_owner) UPDATE(next_attempt_at) UPDATE(previous_sealed) UPDATE(previous_until) UPDATE(secret_sealed) UPDATE(state) UPDATE(updated_at) UPDATE(url) UPDATE(woken_until)',
    webhook_events: 'INSERT SELECT',
    webhook_keys: `DELETE ${everythingOfTheirs}`,
  },
}

test('the logins hold exactly the grants that are listed here', async () => {
  const held = await edge.sql(`
    select grantee::regrole::text as login, relation as table, string_agg(what, ' ' order by what) as rights from (
      select (aclexplode(relacl)).grantee, oid::regclass::text as relation, (aclexplode(relacl)).privilege_type as what
        from pg_class where relnamespace in (${ours})
      union all
      select (aclexplode(attacl)).grantee, c.oid::regclass::text, (aclexplode(attacl)).privilege_type || '(' || attname || ')'
        from pg_attribute join pg_class c on c.oid = attrelid where relnamespace in (${ours})
    ) g where grantee = 0 or grantee in (select oid from pg_roles where rolname ~ '${anyLogin}')
    group by 1, 2`)
  const found: Record<string, Record<string, string>> = {}
  for (const { login, table, rights } of held) (found[String(login)] ??= {})[String(table)] = String(rights)
  expect(found).toEqual(grants)
})

test('a table without policies is one that no login may touch', async () => {
  const open = await edge.sql(
    `select c.oid::regclass::text as relation, r.rolname as login
      from pg_class c cross join pg_roles r
      where relkind in ('r', 'p', 'v', 'm', 'f') and relnamespace in (${ours}) and not relrowsecurity
        and r.rolname ~ '${anyLogin}'
        and (has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate, references, trigger')
          or has_any_column_privilege(r.oid, c.oid, 'select, insert, update, references'))`,
  )
  expect(open).toEqual([])
})

test('the login of backups reads every row of every table and sequence, and may do nothing else', async () => {
  const { wn_backup: backup } = clients.byLogin
  const rights = await edge.sql(
    `select c.oid::regclass::text as relation, c.relkind as kind, string_agg(a.privilege_type, ' ') as rights
      from pg_class c left join aclexplode(c.relacl) a on a.grantee = 'wn_backup'::regrole
      where c.relkind in ('r', 'p', 'v', 'm', 'S') and c.relnamespace in (${ours}) group by 1, 2`,
  )
  expect(rights.filter((row) => row['rights'] !== 'SELECT')).toEqual([])
  const relations = rights.filter(({ kind }) => kind !== 'S').map(({ relation }) => String(relation))
  expect(relations).toEqual(
    expect.arrayContaining(['transactions', 'identity.accounts', 'drizzle.__drizzle_migrations']),
  )
  for (const relation of relations) {
    const [held] = await edge.sql(`select count(*) as n from ${relation}`)
    const seen = await attempt(backup, null, `select count(*) as n from ${relation}`)
    expect([relation, seen.rows]).toEqual([relation, [held]])
    for (const statement of [`delete from ${relation}`, `insert into ${relation} default values`])
      expect([statement, (await attempt(backup, null, statement)).refusal]).toEqual([statement, insufficientPrivilege])
  }
})

/** Who may execute each function of this project. Functions without a login are only called by other functions. */
const executors: Record<string, string> = {
  'app.applied_migrations': 'wn_api wn_identity wn_jobs',
  'app.begin_commit': 'wn_jobs',
  'app.begin_erasure': 'wn_jobs',
  'app.decide_consents': 'wn_api',
  'app.begin_link': 'wn_jobs',
  'app.erase_absent': 'wn_jobs',
  'app.erase_rows': 'wn_jobs',
  'app.finish_erasure': 'wn_jobs',
  'app.forget_in_audit': 'wn_jobs',
  'app.forget_webhooks': 'wn_jobs',
  'app.give_up_removals': 'wn_jobs',
  'app.hide_account': 'wn_jobs',
  'app.merge_accounts': 'wn_jobs',
  'app.move_account': 'wn_jobs',
  'app.note_unused_accounts': 'wn_jobs',
  'app.person_of': 'wn_jobs',
  'app.prune_audit': 'wn_jobs',
  'app.prune_checkpoints': 'wn_jobs',
  'app.record_audit': 'wn_api wn_identity wn_jobs',
  'app.refuse': 'wn_jobs',
  'app.renumber_item': 'wn_jobs',
  'app.same_transactions': 'wn_jobs',
  'app.settle_duplicates': 'wn_jobs',
  'app.subject_hash': 'wn_jobs',
  'app.trim_deliveries': 'wn_jobs',
  'app.trim_links': 'wn_api',
  'app.take_paid_calls': 'wn_api',
  'app.use_api_key': 'wn_api',
  'app.use_named_api_key': 'wn_api',
  'app.trim_runs': 'wn_jobs',
  'app.trim_tombstones': 'wn_jobs',
  'app.trim_webhooks': 'wn_jobs',
  'app.count_expired': 'wn_jobs',
  'app.purge_history': 'wn_jobs',
  'app.purge_changes': 'wn_jobs',
  'app.purge_removals': 'wn_jobs',
  'app.take_numbers': 'wn_jobs',
  'app.purge_rows': 'wn_jobs',
  'app.application_id': 'wn_api',
  'app.enter': 'wn_api',
  'app.enter_application': 'wn_api',
  'app.user_id': 'wn_api wn_jobs',
  ...Object.fromEntries(
    [
      'address_of',
      'begin_reauthentication',
      'begin_registration',
      'begin_sign_in',
      'begin_verification',
      'change_password',
      'count_expired',
      'disable_totp',
      'end_session',
      'erase_account',
      'enable_totp',
      'enroll_totp',
      'enrolled_totp',
      'export_account',
      'find_reset',
      'finish_sign_in',
      'finish_verification',
      'forgot_password',
      'list_sessions',
      'end_session_of',
      'log_out',
      'log_out_everywhere',
      'purge_expired',
      'refresh',
      'register',
      'renew_session',
      'replace_totp',
      'session_lives',
      'set_password_by_mail',
      'totp_key_ids',
      'totp_keys',
      'totp_of_other_keys',
    ].map((name) => [`identity.${name}`, 'wn_identity']),
  ),
}

test('each function is for the login that is listed here, and none is public', async () => {
  const functions = await edge.sql(
    `select p.oid::regproc::text as name,
        coalesce((select string_agg(rolname, ' ' order by rolname) from pg_roles
          where rolname in (${roles}) and has_function_privilege(oid, p.oid, 'execute')), '') as who,
        exists (select 1 from aclexplode(coalesce(proacl, acldefault('f', proowner))) a where a.grantee = 0) as everybody
      from pg_proc p where pronamespace in (${ours}) order by 1`,
  )
  expect(functions.filter(({ everybody }) => everybody === 't')).toEqual([])
  const executable = functions.filter(({ who }) => who !== '')
  expect(Object.fromEntries(executable.map(({ name, who }) => [name, who]))).toEqual(executors)
})

test('a login has only the rights of its role', async () => {
  const held = await edge.sql(
    `select grantee::regrole::text as login, name from (
        select (aclexplode(proacl)).grantee, oid::regprocedure::text as name from pg_proc where pronamespace in (${ours})
        union all select (aclexplode(nspacl)).grantee, nspname from pg_namespace where oid in (${ours})
      ) g where grantee in (select oid from pg_roles where rolname ~ '^wn_[a-z]+_[ab]$')`,
  )
  expect(held).toEqual([])
})

/**
 * A call of every function for logins, with nulls as arguments. A login without the right must get only the refusal.
 */
const accountCalls = async (): Promise<string[]> => {
  const found = await edge.sql(
    `select format('select identity.%I(%s)', proname, (select string_agg(format('null::%s', t::regtype), ', ' order by n)
        from unnest(proargtypes::oid[]) with ordinality a (t, n))) as call
      from pg_proc where pronamespace = 'identity'::regnamespace and prosecdef`,
  )
  return found.map(({ call }) => String(call))
}

test('only the login of built-in accounts calls their functions', async () => {
  const calls = await accountCalls()
  expect(calls).toHaveLength(Object.values(executors).filter((who) => who === 'wn_identity').length)
  for (const call of calls) {
    expect([call, (await asNeighbour(call)).refusal]).toEqual([call, insufficientPrivilege])
    expect([call, (await attempt(jobs, null, call)).refusal]).toEqual([call, insufficientPrivilege])
    expect([call, (await attempt(identity, null, call)).refusal]).not.toEqual([call, insufficientPrivilege])
  }
})
