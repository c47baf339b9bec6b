// The freeze over a real database and the simulator: nothing is written, Plaid is not called, and afterwards nothing is lost.
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Ctx, User } from '../../../src/context.ts'
import { createKeyring } from '../../../src/crypto/keyring.ts'
import { crons, jobFor, skipped } from '../../../src/cron/schedule.ts'
import { listItems } from '../../../src/db/items/items.ts'
import { readFreeze } from '../../../src/db/operations/freeze.ts'
import { AppError } from '../../../src/errors.ts'
import { statusRoute } from '../../../src/http/routes/system/status.ts'
import { changeFreeze } from '../../../src/freeze/change-freeze.ts'
import { requestRotation } from '../../../src/items/request-rotation.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { startKeyRotation } from '../../../src/keys/rotate-keys.ts'
import { createLinkToken } from '../../../src/link/create-link-token.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { purgeExpired } from '../../../src/retention/purge.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { ask, operatorOf } from '../../support/call-route.ts'
import { bankOf, linkAndSync } from '../../support/linked.ts'
import { countingOutcomes } from '../../support/counting-outcomes.ts'
import { expectTruth } from '../../support/equality.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { Delivery } from '../../support/stack.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(async () => {
  await set('off')
  world.lines.length = 0
})

const set = (state: string) =>
  world.sql("update safety_switches set state = $1, changed_at = now() where name = 'freeze'", [state])
const operator = (): Ctx<User> => operatorOf(world)

/** Freezes, and waits until this isolate knows that it may not call Plaid: two seconds at most. */
async function freeze(state: 'frozen' | 'recovery' = 'frozen'): Promise<void> {
  await changeFreeze(operator(), state)
  await vi.waitFor(async () => expect(await world.services.freeze.check('/transactions/sync')).toBe('frozen'), {
    timeout: 2500,
    interval: 50,
  })
}

async function codeOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work
    return null
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

const callsOfPlaid = async () => (await world.bank.calls()).length
const markDirty = (itemId: string) =>
  world.sql('update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1', [itemId])

const linkTokenInput = {
  itemId: null,
  redirectUri: null,
  products: null,
  hosted: false,
  accountSelection: false,
  language: null,
  countryCodes: null,
}

describe('a table', () => {
  /** Written during a freeze: what an incident is handled and looked into with, and sign-in. */
  const open = [
    'drizzle.__drizzle_migrations',
    'identity.sessions',
    'identity.throttles',
    'public.audit_chains',
    'public.audit_checkpoints',
    'public.audit_links',
    'public.audit_log',
    'public.audit_people',
    'public.audit_prunings',
    'public.audit_unchained',
    'public.backups',
    'public.dead_letters',
    'public.plaid_usage',
    'public.safety_switches',
    // Users continue reading.
    'public.user_visits',
  ]

  it('refuses writes during a freeze, unless it is listed here', async () => {
    const rows = await world.sql(
      `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
         and not exists (select 1 from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'frozen' and t.tgenabled = 'O')
       order by 1`,
    )
    expect(rows.map((row) => row['name'])).toEqual(open)
  })

  it('refuses each kind of write, unless it is listed here', async () => {
    // Bits of pg_trigger.tgtype: 2 before, 4 insert, 8 delete, 16 update; without 1, once for each statement.
    const rows = await world.sql(
      `select tgrelid::regclass::text as name, tgtype::int as type, tgattr <> '' as columns from pg_trigger
        where tgname = 'frozen' and (tgtype <> 30 or tgattr <> '') order by 1`,
    )
    // A code is used up, and an expired row is deleted, at a sign-in too.
    const insertOnly = ['identity.password_resets', 'identity.recovery_codes', 'identity.registrations']
    // A key can be revoked, and its use is noted. Users sign in.
    const ofColumns = ['api_keys', 'identity.accounts'].map((name) => ({ name, type: '30', columns: 't' }))
    const ofInserts = insertOnly.map((name) => ({ name, type: '6', columns: 'f' }))
    expect(rows).toEqual([...ofColumns, ...ofInserts])
  })
})

describe('a frozen deployment', () => {
  it('refuses every change of a user with the code frozen, calls Plaid for none, and continues reading', async () => {
    const subject = 'changes'
    const item = await linkAndSync(world, subject)
    const publicToken = await world.bank.publicToken({ username: bankOf('another bank') })
    await freeze()
    const calls = await callsOfPlaid()
    const user = world.user(subject)
    const refused = [
      createLinkToken(user, linkTokenInput),
      exchangePublicToken(user, { publicToken, institution: null, allowDuplicate: true }),
      requestSync(user, item.id),
      requestRotation(user, item.id),
      removeItem(user, item.id, { purge: false }),
    ]
    expect(await Promise.all(refused.map(codeOf))).toEqual(refused.map(() => 'frozen'))
    expect(await callsOfPlaid()).toBe(calls)
    expect((await listItems(world.services.api, user.actor.identity, 10, null)).rows).toHaveLength(1)
    await expectTruth(world, subject, item.plaidItemId)

    await changeFreeze(operator(), 'off')
    await exchangePublicToken(user, { publicToken, institution: null, allowDuplicate: true })
    expect((await listItems(world.services.api, user.actor.identity, 10, null)).rows).toHaveLength(2)
  })

  it('acknowledges sync messages without a call of Plaid, and the sweep after it brings their work back', async () => {
    const subject = 'messages'
    const item = await linkAndSync(world, subject)
    await world.bank.change(item.plaidItemId, { add: 3, silent: true })
    await markDirty(item.id)
    const products = await world.sql('select id from item_products where item_id = $1', [item.id])
    await freeze()
    const calls = await callsOfPlaid()
    const messages = products.map(({ id }) => ({ item_product_id: String(id), reason: 'webhook' as const }))
    expect(await world.consume(messages)).toEqual(messages.map(() => 'ack'))
    expect(await callsOfPlaid()).toBe(calls)
    expect(world.lines.filter((line) => line.includes('"level":"error"'))).toEqual([])

    await changeFreeze(operator(), 'off')
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    await expectTruth(world, subject, item.plaidItemId)
  })

  it('refuses webhooks, so that Plaid sends them again', async () => {
    const subject = 'webhooks'
    const item = await linkAndSync(world, subject)
    const changed = async (): Promise<Delivery> => {
      await world.bank.change(item.plaidItemId, { add: 2 })
      return await vi.waitFor(async () => {
        const [delivery] = await world.delivered()
        if (delivery === undefined) throw new Error('no webhook came')
        return delivery
      })
    }
    // Its key is known from then on.
    await world.deliver(await changed())
    const delivery = await changed()
    await freeze()
    const { services, outcomes } = countingOutcomes(world.services)
    expect(await codeOf(world.deliver(delivery, services))).toBe('frozen')
    // No alarm fires for what an operator wants.
    expect(outcomes).toEqual([])
    await changeFreeze(operator(), 'off')
    await world.deliver(delivery)
    await world.drain()
    await expectTruth(world, subject, item.plaidItemId)
  })

  it.each(crons.filter((cron) => cron !== '* * * * *'))('skips the cron %s and says so', async (cron) => {
    await freeze()
    const calls = await callsOfPlaid()
    expect(await jobFor(cron).run(world.job())).toBe(skipped)
    expect(world.lines.join('\n')).toContain('cron_skipped_frozen')
    expect(await callsOfPlaid()).toBe(calls)
  })

  it('commits nothing of a sync that has begun, and a later sync reads the same rows', async () => {
    const subject = 'begun'
    const item = await linkAndSync(world, subject)
    await world.bank.change(item.plaidItemId, { add: 4, silent: true })
    await markDirty(item.id)
    const [product] = await world.sql("select id from item_products where item_id = $1 and product = 'transactions'", [
      item.id,
    ])
    const services = withPlaid(world.services, {
      async syncTransactions(...given) {
        const answer = await world.services.plaid.syncTransactions(...given)
        await set('frozen')
        return answer
      },
    })
    expect(await world.consume([{ item_product_id: String(product?.['id']), reason: 'webhook' }], services)).toEqual([
      'ack',
    ])
    await changeFreeze(operator(), 'off')
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    await expectTruth(world, subject, item.plaidItemId)
  })

  it('stores the access token that Plaid returned just before', async () => {
    const subject = 'token'
    const item = await linkAndSync(world, subject)
    await requestRotation(world.user(subject), item.id)
    const services = withPlaid(world.services, {
      async invalidateAccessToken(token) {
        const answer = await world.services.plaid.invalidateAccessToken(token)
        await set('frozen')
        return answer
      },
    })
    expect(await world.drain(services)).toContain('ack')
    await changeFreeze(operator(), 'off')
    await world.bank.change(item.plaidItemId, { add: 1, silent: true })
    await markDirty(item.id)
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    await expectTruth(world, subject, item.plaidItemId)
  })

  it('keeps the message of a rotation for later', async () => {
    const item = await linkAndSync(world, 'kept message')
    await requestRotation(world.user('kept message'), item.id)
    const [message] = world.queue.splice(0)
    if (message === undefined) throw new Error('no message was sent')
    await freeze()
    expect(await world.consume([message])).toEqual(['ack'])
    expect(world.queue).toEqual([message])
    await changeFreeze(operator(), 'off')
    await world.drain()
    expect(await world.sql('select rotation_started_at from items where id = $1', [item.id])).toEqual([
      { rotation_started_at: null },
    ])
  })

  it('rotates the encryption keys', async () => {
    await linkAndSync(world, 'keys')
    const { encryption } = world.services.config
    const current = { id: 'test-2', secret: crypto.getRandomValues(new Uint8Array(32)) }
    const services = { ...world.services, keyring: createKeyring({ current, previous: [encryption.current] }) }
    await freeze()
    world.queue.length = 0
    await startKeyRotation(world.job(services))
    await world.drain(services)
    const ids = await world.sql(`select distinct split_part(access_token_sealed, '.', 2) as id from items`)
    expect(ids).toEqual([{ id: 'test-2' }])
    // The other tests have the first key.
    const back = createKeyring({ current: encryption.current, previous: [current] })
    await startKeyRotation(world.job({ ...world.services, keyring: back }))
    await world.drain({ ...world.services, keyring: back })
  })

  it('rotates access tokens in recovery, and calls Plaid for nothing else', async () => {
    const subject = 'recovery'
    const item = await linkAndSync(world, subject)
    await requestRotation(world.user(subject), item.id)
    const before = await world.sql('select access_token_sealed from items where id = $1', [item.id])
    await freeze('recovery')
    const calls = await world.bank.calls()
    await world.drain()
    expect(await world.sql('select access_token_sealed from items where id = $1', [item.id])).not.toEqual(before)
    const made = (await world.bank.calls()).slice(calls.length)
    expect(made.map(({ endpoint }) => endpoint)).toEqual(['/item/access_token/invalidate'])
    expect(await codeOf(requestSync(world.user(subject), item.id))).toBe('frozen')
  })
})

describe('the state for clients', () => {
  const isReadOnly = async (): Promise<unknown> => await ask(world.user('a client'), statusRoute)

  it.each(['frozen', 'recovery'] as const)(
    'is read-only during a freeze in the state %s, and not after it',
    async (state) => {
      expect(await isReadOnly()).toEqual({ read_only: false })
      await freeze(state)
      expect(await isReadOnly()).toEqual({ read_only: true })
    },
  )

  it('is not said to be open while the switch cannot be read', async () => {
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'safety_switches', times: 5 })
    expect(await codeOf(isReadOnly())).toBe('unavailable')
    await world.stack.clearFaults(world.database.name)
  })
})

describe('the switch', () => {
  it('stays as it is when it is set twice', async () => {
    const first = await changeFreeze(operator(), 'frozen')
    expect(await changeFreeze(operator(), 'frozen')).toEqual(first)
    expect(await readFreeze(world.services.jobs)).toEqual(first)
  })

  it('is set once by requests at the same time', async () => {
    const rows = () => world.sql("select 1 from audit_log where action = 'freeze_changed'")
    const before = (await rows()).length
    // All of them have begun when the first one can see the row.
    const holding = world.sql(
      "select pg_sleep(2)::text from (select 1 from safety_switches where name = 'freeze' for update) held",
    )
    await vi.waitFor(async () =>
      expect(await world.sql("select 1 from pg_stat_activity where query like 'select pg_sleep(2)%'")).toHaveLength(1),
    )
    await Promise.all([holding, ...Array.from({ length: 4 }, () => changeFreeze(operator(), 'frozen'))])
    expect((await rows()).length - before).toBe(1)
  })

  it('leaves one row in the audit trail for each change', async () => {
    const rows = async () =>
      (await world.sql("select target_id from audit_log where action = 'freeze_changed' order by at")).map(
        (row) => row['target_id'],
      )
    const before = (await rows()).length
    await changeFreeze(operator(), 'frozen')
    await changeFreeze(operator(), 'frozen')
    await changeFreeze(operator(), 'recovery')
    await changeFreeze(operator(), 'off')
    expect((await rows()).slice(before)).toEqual(['frozen', 'recovery', 'off'])
  })

  it('lets the audit trail be chained during a freeze', async () => {
    await freeze()
    await jobFor('* * * * *').run(world.job())
    expect(await world.sql('select 1 from audit_unchained')).toEqual([])
  })

  it('skips retention without counting a failure', async () => {
    await freeze()
    expect(await codeOf(purgeExpired(world.job(), 10_000))).toBe('frozen')
    expect(world.lines.join('\n')).not.toContain('retention_failed')
  })

  it.each(['off', 'recovery', 'frozen'] as const)(
    'is not set to %s by an administrator while the owner has locked it',
    async (state) => {
      await set('locked')
      expect(await codeOf(changeFreeze(operator(), state))).toBe('conflict')
      expect(await readFreeze(world.services.jobs)).toMatchObject({ state: 'locked' })
    },
  )

  it('counts as frozen when its row is missing', async () => {
    const item = await linkAndSync(world, 'no row')
    await world.sql("delete from safety_switches where name = 'freeze'")
    try {
      expect(await readFreeze(world.services.jobs)).toEqual({ state: 'frozen', changedAt: null })
      expect(await codeOf(requestSync(world.user('no row'), item.id))).toBe('frozen')
    } finally {
      await world.sql("insert into safety_switches (name, state) values ('freeze', 'off')")
    }
  })
})
