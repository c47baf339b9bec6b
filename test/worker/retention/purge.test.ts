// The deletion of old rows: each class at its time and not before, during syncs, and what clients and later syncs see.
import { describe, expect, it } from 'vitest'
import { purgeExpired } from '../../../src/retention/purge.ts'
import { planRetention } from '../../../src/retention/plan.ts'
import { classesBy, daysOf, isClass, policy } from '../../../src/retention/policy.ts'
import { netWorthRoute } from '../../../src/http/routes/insights.ts'
import type { Item } from '../../../src/db/items/items.ts'
import type { Services } from '../../../src/context.ts'
import { syncProduct } from '../../../src/sync/engine.ts'
import { ask } from '../../support/call-route.ts'
import { follow, listed, readChanges } from '../../support/feed.ts'
import { linkAndSyncSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import { query } from '../../support/sql.ts'
import { fingerprint } from '../../support/tables.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const budgetMs = 60_000
const purge = () => purgeExpired(world.job(), budgetMs)
const numberOf = async (from: string, params: readonly unknown[] = []) =>
  Number((await world.sql(`select count(*) as n from ${from}`, params))[0]?.['n'])
const among = (ids: readonly string[]): string => `{${ids.join(',')}}`
const keptDays = () => world.services.config.retention.days

/** Makes the oldest transactions of an item older than the retention. Returns their ids. */
async function age(item: Item, count: number): Promise<string[]> {
  const aged = await world.sql(
    `update transactions set date = (now() at time zone 'utc')::date - $2::int - 1 where id in (
       select id from transactions where item_id = $1 and removed_at is null order by date limit $3) returning id`,
    [item.id, keptDays(), count],
  )
  return aged.map(({ id }) => String(id))
}

async function sync(item: Item, from: 'cursor' | 'start', services: Services): Promise<void> {
  const [row] = await world.sql(
    `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now(),
       cursor = case when $2 then null else cursor end where item_id = $1 and product = 'transactions' returning id`,
    [item.id, from === 'start'],
  )
  await syncProduct(world.job(services), String(row?.['id']), 'user')
}

describe('a transaction older than the retention', () => {
  it('is deleted, and the change feed lists it as expired', async () => {
    const subject = 'aged'
    const item = await linkAndSyncSmallBank(world, subject)
    const follower = follow(world, subject)
    await follower.catchUp()
    const [since, before] = [(await follower.step()).next_since, follower.copy.size]
    const aged = await age(item, 2)
    expect((await purge()).purged).toMatchObject({ transactions: 2 })
    expect(await numberOf('transactions where id = any($1::uuid[])', [among(aged)])).toBe(0)
    const page = await readChanges(world, subject, since)
    expect(page.data.map(({ op, transaction, expired }) => `${op} ${transaction.id} ${expired}`).toSorted()).toEqual(
      aged.map((id) => `remove ${id} true`).toSorted(),
    )
    await follower.catchUp()
    expect(follower.copy.size).toBe(before - 2)
    expect(follower.copy).toEqual(await listed(world, subject))
    expect((await purge()).purged).not.toHaveProperty('transactions')
  })

  it('stays on the last day that is kept', async () => {
    const item = await linkAndSyncSmallBank(world, 'on the last day')
    const aged = await age(item, 1)
    await world.sql('update transactions set date = date + 1 where id = any($1::uuid[])', [among(aged)])
    await purge()
    expect(await numberOf('transactions where id = any($1::uuid[])', [among(aged)])).toBe(1)
  })

  it('is not listed as expired when the bank had removed it before', async () => {
    const subject = 'removed before'
    const item = await linkAndSyncSmallBank(world, subject)
    const aged = await age(item, 1)
    await world.sql('update transactions set removed_at = now() where id = any($1::uuid[])', [among(aged)])
    const since = (await readChanges(world, subject, 0)).next_since
    await purge()
    expect((await readChanges(world, subject, since)).data).toMatchObject([{ op: 'remove', expired: false }])
  })

  it('does not return with a full sync, nor with a change at the bank', async () => {
    const item = await linkAndSyncSmallBank(world, 'returns')
    const { services } = world
    // The bank lists no older transactions than 90 days: here they are too old after 40.
    const retention = { ...services.config.retention, days: 40 }
    const strict = { ...services, config: { ...services.config, retention } }
    const ids = await world.sql(
      "select plaid_transaction_id as id from transactions where item_id = $1 and date < now() - interval '60 days'",
      [item.id],
    )
    expect(ids).toHaveLength(1)
    const plaidId = String(ids[0]?.['id'])
    const isStored = () => numberOf('transactions where plaid_transaction_id = $1', [plaidId])
    await age(item, 1)
    await purge()
    expect(await isStored()).toBe(0)
    await sync(item, 'start', strict)
    expect(await isStored()).toBe(0)
    await world.bank.change(item.plaidItemId, { modify: [{ transaction_id: plaidId, amount: 12.34 }], silent: true })
    await sync(item, 'cursor', strict)
    expect(await isStored()).toBe(0)
    await sync(item, 'start', services)
    expect(await isStored()).toBe(1)
    // One that is stored and has become too old follows the bank until it is deleted.
    await world.bank.change(item.plaidItemId, { modify: [{ transaction_id: plaidId, amount: 56.78 }], silent: true })
    await sync(item, 'cursor', strict)
    const [row] = await world.sql('select amount from transactions where plaid_transaction_id = $1', [plaidId])
    expect(row).toEqual({ amount: '56.78' })
    await age(item, 1)
    await purge()
    await world.bank.change(item.plaidItemId, { remove: [plaidId], silent: true })
    await sync(item, 'cursor', strict)
    expect(await isStored()).toBe(0)
  })
})

describe('a purge', () => {
  /** Classes with a row that is too old and one that is not: its table, columns, and the value of a row that is `$n days` old. */
  const rows: Readonly<Record<string, { table: string; insert: (days: number) => string }>> = {
    sync_runs: {
      table: 'sync_runs',
      insert: (
        days,
      ) => `insert into sync_runs (id, user_id, item_id, item_product_id, product, trigger, outcome, plaid_request_ids,
          started_at) select gen_random_uuid(), user_id, item_id, id, product, 'test', 'failed', '{}', now() - interval '${days} days'
        from item_products limit 1`,
    },
    webhook_deliveries: {
      table: 'webhook_deliveries',
      insert: (
        days,
      ) => `with e as (insert into webhook_endpoints (url, secret_sealed) values ('https://a.example', 'sealed')
          returning id)
        insert into webhook_deliveries (event_id, endpoint_id, type, data, created_at)
        select gen_random_uuid(), id, 'ping', '{}', now() - interval '${days} days' from e`,
    },
    webhook_events: {
      table: 'webhook_events',
      insert: (
        days,
      ) => `insert into webhook_events (replay_key, scheme, webhook_type, webhook_code, payload, received_at)
        values (gen_random_uuid()::text, 'jwt', 'ITEM', 'ERROR', '{}', now() - interval '${days} days')`,
    },
    unmatched_webhooks: {
      table: 'unmatched_webhooks',
      insert: (days) =>
        `insert into unmatched_webhooks (day, webhook_type) values (now() - interval '${days} days', 'ITEM')`,
    },
    plaid_usage: {
      table: 'plaid_usage',
      insert: (days) =>
        `insert into plaid_usage (day, endpoint, outcome, slot, calls) values (now() - interval '${days} days', '/x', 'ok', 0, 1)`,
    },
    dead_letters: {
      table: 'dead_letters',
      insert: (days) => `insert into dead_letters (queue, message_id, reason, payload, created_at)
        values ('q', gen_random_uuid()::text, 'r', '{}', now() - interval '${days} days')`,
    },
    set_aside_rows: {
      table: 'set_aside_rows',
      insert: (
        days,
      ) => `insert into set_aside_rows (user_id, item_id, product, kind, row_key, problems, run_id, first_seen_at)
        select user_id, id, 'transactions', 'transaction', gen_random_uuid()::text, '{}', gen_random_uuid(),
          now() - interval '${days} days' from items limit 1`,
    },
    api_keys: {
      table: 'api_keys',
      insert: (days) => `insert into api_keys (id, user_id, name, prefix, digest, scopes, revoked_at)
        select gen_random_uuid(), id, 'n', 'p', uuid_send(gen_random_uuid()), '{read}', now() - interval '${days} days'
        from users limit 1`,
    },
    idempotent_requests: {
      table: 'idempotent_requests',
      insert: (
        days,
      ) => `insert into idempotent_requests (user_id, route, key_digest, request_digest, run_id, started_at)
        select id, 'r', uuid_send(gen_random_uuid()), 'r', gen_random_uuid(), now() - interval '${days} days'
        from users limit 1`,
    },
    link_sessions: {
      table: 'link_sessions',
      insert: (days) => `insert into link_sessions (user_id, token_digest, expires_at)
        select id, gen_random_uuid()::text, now() - interval '${days} days' from users limit 1`,
    },
    ended_exchanges: {
      table: "link_exchanges where state = 'refused'",
      insert: (
        days,
      ) => `insert into link_exchanges (id, user_id, public_token_digest, state, allow_duplicate, next_attempt_at, updated_at)
        select gen_random_uuid(), id, gen_random_uuid()::text, 'refused', false, now(), now() - interval '${days} days' from users limit 1`,
    },
    finished_exchanges: {
      table: "link_exchanges where state = 'duplicate'",
      insert: (
        days,
      ) => `insert into link_exchanges (id, user_id, public_token_digest, state, allow_duplicate, next_attempt_at, updated_at)
        select gen_random_uuid(), id, gen_random_uuid()::text, 'duplicate', false, now(), now() - interval '${days} days' from users limit 1`,
    },
    investment_transactions: {
      table: 'investment_transactions',
      insert: (
        days,
      ) => `insert into investment_transactions (user_id, item_id, account_id, plaid_investment_transaction_id, date, name,
          quantity, amount, type, subtype)
        select user_id, item_id, id, gen_random_uuid()::text, now() - interval '${days} days', 'n', 1, 1, 'buy', 'buy'
        from accounts limit 1`,
    },
  }

  it('deletes each class at its time and not before', async () => {
    await linkAndSyncSmallBank(world, 'classes')
    const { retention } = world.services.config
    for (const [name, { table, insert }] of Object.entries(rows)) {
      if (!isClass(name)) throw new Error(name)
      const days = daysOf(name, retention) ?? 0
      const before = await numberOf(table)
      await world.sql(insert(days + 2))
      await world.sql(insert(days - 1))
      const due = (await planRetention(world.job())).find((planned) => planned.name === name)
      expect([name, due?.due]).toEqual([name, 1])
      expect([name, (await purge()).purged[name]]).toEqual([name, 1])
      expect([name, await numberOf(table)]).toEqual([name, before + 1])
    }
    expect(Object.keys(rows)).toEqual(expect.arrayContaining(classesBy('rows')))
    expect((await purge()).purged).toEqual({})
  })

  it('keeps link tokens that are still asked about, and exchanges that are in progress', async () => {
    await linkAndSyncSmallBank(world, 'in progress')
    await world.sql(`insert into link_sessions (user_id, token_digest, expires_at, check_at)
      select id, 'asked about', now() - interval '1 year', now() from users limit 1`)
    await world.sql(`insert into link_exchanges (id, user_id, public_token_digest, state, allow_duplicate, next_attempt_at, updated_at)
      select gen_random_uuid(), id, 'in progress', 'exchanged', false, now(), now() - interval '1 year' from users limit 1`)
    await purge()
    expect(await numberOf("link_sessions where token_digest = 'asked about'")).toBe(1)
    expect(await numberOf("link_exchanges where public_token_digest = 'in progress'")).toBe(1)
    await world.sql("delete from link_exchanges where public_token_digest = 'in progress'")
    await world.sql("delete from link_sessions where token_digest = 'asked about'")
  })

  it('deletes nothing younger than the floor of the database, for any number of days', async () => {
    for (const { table } of Object.values(rows)) await world.sql(`delete from ${table}`)
    await world.sql("delete from transactions where date < now() - interval '700 days'")
    await linkAndSyncSmallBank(world, 'floors')
    for (const { insert } of Object.values(rows)) await world.sql(insert(1))
    const asOwner = (text: string) => query(world.database.endpoint, world.database.ownerUrl, text)
    const asJobs = (text: string) => query(world.database.endpoint, world.database.jobsUrl, text)
    const before = await fingerprint(asOwner)
    for (const name of classesBy('rows')) await asJobs(`select app.purge_rows('${name}', -10000, 1000)`)
    for (const name of classesBy('history'))
      await asJobs(`select * from app.purge_history('${name}', -10000, null, 1000, 1000, 50000)`)
    await asJobs('select app.purge_removals(-10000, 1000)')
    expect(await fingerprint(asOwner)).toEqual(before)
  })

  it('leaves the balance that net worth takes for the first of the kept days', async () => {
    const subject = 'net worth'
    const item = await linkAndSyncSmallBank(world, subject)
    await world.sql(
      `insert into account_balances (account_id, day, user_id, current, as_of)
       select id, (now() at time zone 'utc')::date - $2::int - back, user_id, 100 + back, now()
       from accounts cross join unnest(array[0, 3, 400, 500]) back where item_id = $1`,
      [item.id, keptDays()],
    )
    const firstDay = new Date(Date.now() - (keptDays() - 1) * 86_400_000).toISOString().slice(0, 10)
    const worth = async () => await ask(world.user(subject), netWorthRoute, { query: { from: firstDay, to: firstDay } })
    await world.sql("delete from account_balances where day = (now() at time zone 'utc')::date - $1::int", [keptDays()])
    const before = await worth()
    expect(JSON.stringify(before)).toContain('206')
    expect((await purge()).purged).toMatchObject({ account_balances: 4 })
    expect(await worth()).toEqual(before)
  })

  it('continues while a sync holds a user, and deletes the rows of that user the next time', async () => {
    const [held, free] = [await linkAndSyncSmallBank(world, 'held'), await linkAndSyncSmallBank(world, 'free')]
    await age(held, 2)
    await age(free, 2)
    await world.sql('create table gate (open boolean)')
    const holding = world.sql(
      `do $$ begin
         perform 1 from users where subject = 'held' for no key update;
         for n in 1..200 loop
           exit when exists (select 1 from gate);
           perform pg_sleep(0.05);
         end loop;
       end $$`,
    )
    try {
      await expect
        .poll(() => numberOf("pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"), {
          timeout: 5000,
          interval: 20,
        })
        .toBeGreaterThan(0)
      expect((await purge()).purged).toMatchObject({ transactions: 2 })
      expect(await numberOf('transactions where item_id = $1', [free.id])).toBe(4)
    } finally {
      await world.sql('insert into gate values (true)')
      await holding
      await world.sql('drop table gate')
    }
    expect((await purge()).purged).toMatchObject({ transactions: 2 })
    expect(await numberOf('transactions where item_id = $1', [held.id])).toBe(4)
  })

  it('is in the audit trail, with the number of rows', async () => {
    await linkAndSyncSmallBank(world, 'audited')
    await world.sql(rows['dead_letters']?.insert(100) ?? '')
    await world.sql('create table audited_before as select id from audit_log')
    await purge()
    expect(
      await world.sql(
        `select action, target_kind, target_id, actor_kind from audit_log where id not in (select id from audited_before)
         order by at, action desc`,
      ),
    ).toEqual([
      { action: 'retention_started', target_kind: 'deleted_rows', target_id: null, actor_kind: 'queue' },
      { action: 'retention_finished', target_kind: 'deleted_rows', target_id: '1', actor_kind: 'queue' },
    ])
    await world.sql('drop table audited_before')
  })

  it('gives each class a turn before its time ends, and the next run continues', async () => {
    await linkAndSyncSmallBank(world, 'interrupted')
    await world.sql(`insert into webhook_events (replay_key, scheme, webhook_type, webhook_code, payload, received_at)
      select gen_random_uuid()::text, 'jwt', 'ITEM', 'ERROR', '{}', now() - interval '1 year' from generate_series(1, 12000)`)
    await world.sql(rows['dead_letters']?.insert(100) ?? '')
    let steps = 0
    const now = () => new Date((steps += 1) < 16 ? 0 : budgetMs)
    const first = await purgeExpired({ ...world.job(), now }, budgetMs)
    expect(first.isDone).toBe(false)
    expect(first.purged).toMatchObject({ webhook_events: 5000, dead_letters: 1 })
    const second = await purge()
    expect(second).toMatchObject({ isDone: true, purged: { webhook_events: 7000 } })
  })

  it('continues with the other classes when one fails, and fails in the end', async () => {
    await linkAndSyncSmallBank(world, 'failing')
    await world.sql(rows['dead_letters']?.insert(100) ?? '')
    await world.sql(rows['webhook_events']?.insert(100) ?? '')
    await world.sql(`create function broken() returns trigger language plpgsql as $$ begin raise 'broken'; end $$`)
    await world.sql('create trigger broken before delete on webhook_events for each row execute function broken()')
    try {
      await expect(purge()).rejects.toThrow('1 classes of data were not purged')
      expect(await numberOf("dead_letters where created_at < now() - interval '60 days'")).toBe(0)
      expect(world.lines.some((line) => line.includes('"retention_failed"') && line.includes('webhook_events'))).toBe(
        true,
      )
    } finally {
      await world.sql('drop trigger broken on webhook_events')
      await world.sql('drop function broken')
    }
    expect((await purge()).purged).toMatchObject({ webhook_events: 1 })
  })
})

describe('rows of built-in accounts', () => {
  it('are deleted when they have expired', async () => {
    for (const [past, name] of [
      ['-1 minute', 'over'],
      ['1 day', 'open'],
    ] as const) {
      await world.sql(
        `insert into identity.registrations (token_hash, email, password_hash, expires_at)
         values (sha256($1::bytea), $1 || '@example.com', 'h', now() + $2::interval)`,
        [name, past],
      )
      await world.sql(
        `insert into identity.password_resets (token_hash, email, expires_at)
         values (sha256($1::bytea), $1 || '@example.com', now() + $2::interval)`,
        [name, past],
      )
      await world.sql(
        `insert into identity.throttles (key, taken_at, expires_at) values (sha256($1::bytea), '{}', now() + $2::interval)`,
        [name, past],
      )
      await world.sql(
        `with account as (insert into identity.accounts (id, email, password_hash)
           values (gen_random_uuid(), $1 || '@example.com', 'h') returning id)
         insert into identity.sessions (id, account_id, selector_hash, verifier_hash, scope, idle_expires_at, expires_at)
         select gen_random_uuid(), id, sha256($1::bytea), sha256($1::bytea), '', now() + $2::interval, now() + interval '1 day' from account`,
        [name, past],
      )
    }
    const gone = { registrations: 1, password_resets: 1, throttles: 1, sessions: 1 }
    const plan = new Map((await planRetention(world.job())).map(({ name, due }) => [name, due]))
    expect(Object.keys(gone).map((name) => plan.get(name))).toEqual([1, 1, 1, 1])
    expect((await purge()).purged).toEqual(gone)
    for (const name of classesBy('expiry')) expect([name, await numberOf(policy[name].tables[0])]).toEqual([name, 1])
  })
})
