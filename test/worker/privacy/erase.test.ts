// The erasure of a person: what is left in the database, at Plaid and of the login, and that it finishes.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { listItems } from '../../../src/db/items/items.ts'
import type { Identity } from '../../../src/db/core/scope.ts'
import { decodeBase64Url, encodeBase64Url, fromUtf8, utf8 } from '../../../src/crypto/encoding.ts'
import type { Ctx, User } from '../../../src/context.ts'
import { AppError } from '../../../src/errors.ts'
import { getFreezeRoute } from '../../../src/http/routes/admin/freeze.ts'
import { runRetentionRoute } from '../../../src/http/routes/admin/retention.ts'
import { createLinkToken } from '../../../src/link/create-link-token.ts'
import { verifyCertificate } from '../../../src/privacy/certificate.ts'
import { changeConsents } from '../../../src/privacy/consents.ts'
import { continueErasures } from '../../../src/privacy/erase.ts'
import { defaultDecisions } from '../../../src/privacy/purposes.ts'
import { requestErasure } from '../../../src/privacy/request-erasure.ts'
import { type Accounts, createAccounts, goodPassword, refusal } from '../../support/accounts.ts'
import { ask } from '../../support/call-route.ts'
import { callFaults, failAt } from '../../support/fault-injection.ts'
import { link, linkAndSync } from '../../support/linked.ts'
import { everyRow, userTables } from '../../support/tables.ts'
import { createWorld, type World } from '../../support/world.ts'
import { sampled } from '../../support/sampled.ts'

let world: World
let accounts: Accounts
beforeAll(async () => {
  ;[world, accounts] = await Promise.all([
    createWorld(inject('control'), { rateLimits: false }),
    createAccounts(inject('control')),
  ])
})
afterAll(() => Promise.all([world.stop(), accounts.stop()]))
afterEach(async () => {
  await world.stack.clearFaults(world.database.name)
  await world.bank.clearFaults()
  await world.delivered()
  world.queue.length = 0
})

const everything = { products: ['transactions', 'investments', 'liabilities'] }
const updateMode = {
  redirectUri: null,
  products: null,
  hosted: true,
  accountSelection: false,
  language: null,
  countryCodes: null,
}
const textRow = z.record(z.string(), z.string().nullable())
const textSql = async (text: string, params?: readonly unknown[]) =>
  (await world.sql(text, params)).map((row) => textRow.parse(row))

/** Rows in the tables that a test does not reach by syncing. */
async function fillOtherTables(userId: string, itemId: string): Promise<void> {
  const item = `(select * from items where id = '${itemId}') i`
  await world.sql(`insert into sync_staging (run_id, user_id, seq, removed, plaid_transaction_id)
    values (gen_random_uuid(), '${userId}', 1, false, 'staged')`)
  await world.sql(`insert into investment_staging (run_id, user_id, seq, plaid_investment_transaction_id, plaid_account_id,
    date, name, quantity, amount, type, subtype) values (gen_random_uuid(), '${userId}', 1, 'staged', 'a', now(), 'n', 1, 1, 'buy', 'buy')`)
  await world.sql(`insert into set_aside_rows (user_id, item_id, product, kind, row_key, problems, run_id, payload)
    select user_id, id, 'transactions', 'transaction', 'odd', array['amount'], gen_random_uuid(), '{"amount":"987654.321"}' from ${item}`)
  await world.sql(`insert into api_keys (id, user_id, name, prefix, digest, scopes)
    values (gen_random_uuid(), '${userId}', 'n', 'p', 'digest', '{read}')`)
  await world.sql(`insert into idempotent_requests (user_id, route, key_digest, request_digest, run_id)
    values ('${userId}', 'r', 'k', 'r', gen_random_uuid())`)
  await world.sql(`insert into rules (user_id, position, contains, user_category)
    values ('${userId}', 0, 'Canary Bakery', 'canary note')`)
  await world.sql(`insert into user_visits (user_id, seen_on) values ('${userId}', now())`)
  await world.sql(
    `insert into transaction_tombstones (user_id, change_seq, transaction_id) values ('${userId}', -1, gen_random_uuid())`,
  )
  await world.sql(`insert into webhook_events (replay_key, scheme, webhook_type, webhook_code, user_id, item_id, payload)
    select 'of the user', 'plaid', 'ITEM', 'ERROR', user_id, id, '{}' from ${item}`)
  await world.sql(`insert into webhook_events (replay_key, scheme, webhook_type, webhook_code, plaid_item_id, payload)
    select 'of no user', 'plaid', 'ITEM', 'ERROR', plaid_item_id, '{}' from ${item}`)
  await world.sql(`insert into dead_letters (queue, message_id, item_product_id, reason, payload)
    select 'sync', 'dead', id, 'retries_exhausted', json_build_object('item_product_id', id) from item_products where item_id = '${itemId}' limit 1`)
  await world.sql(`insert into dead_letters (queue, message_id, reason, payload)
    values ('sync', 'dead rotation', 'retries_exhausted', '{"rotate_item_id":"${itemId}","token_digest":"0"}')`)
  await world.sql(
    `with e as (insert into webhook_endpoints (user_id, url, secret_sealed) select id, 'https://app.example.com', 'wn1.k.sealed'
        from users where id = '${userId}' returning id, user_id)
      insert into webhook_deliveries (event_id, endpoint_id, owner_id, user_id, type, data)
      select gen_random_uuid(), id, user_id, user_id, 'item.linked', '{}' from e`,
  )
  await world.sql(
    `update transactions set name = 'Canary Bakery', amount = 987654.321, note = 'canary note' where item_id = '${itemId}'`,
  )
}

const idOf = async (subject: string): Promise<string> =>
  String((await world.sql('select id from users where subject = $1', [subject]))[0]?.['id'])

/** What is left anywhere of texts that name a person or their data. */
async function leftOf(texts: readonly string[]): Promise<string[]> {
  // The audit trail keeps ids of things that are gone, and no longer says whose they were.
  const rows = (await everyRow(textSql)).filter((row) => !row.startsWith('public.audit_log '))
  return rows.filter((row) => texts.some((text) => row.includes(text)))
}

const at = (identity: Identity, issuedAt: Date): Identity => ({ ...identity, issuedAt })
const minutes = (count: number): Date => new Date(Date.now() + count * 60_000)

async function codeOf(act: Promise<unknown>): Promise<string | null> {
  try {
    await act
    return null
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

describe('an erased person', () => {
  it('leaves nothing in any column of any table, and nothing at Plaid', async () => {
    const subject = 'canary-subject'
    const ctx = world.user(subject)
    const item = await linkAndSync(world, subject, everything)
    await createLinkToken(ctx, { itemId: item.id, ...updateMode })
    await changeConsents(ctx, 0, { ...defaultDecisions, insights: false })
    const userId = await idOf(subject)
    await fillOtherTables(userId, item.id)
    const ids = await world.sql(
      `select id::text from accounts where user_id = $1 union all select id::text from transactions where user_id = $1
        union all select id::text from item_products where user_id = $1 union all select plaid_user_id from users where id = $1
        union all select name from accounts where user_id = $1 and name ~ '...' union all select plaid_account_id from accounts where user_id = $1`,
      [userId],
    )
    const canaries = [userId, subject, item.id, item.plaidItemId, 'Canary Bakery', 'canary note', '987654.321']
    const texts = [...canaries, ...ids.map(({ id }) => String(id))].filter((text) => text.length > 4 && text !== 'null')
    const filled = (await userTables(textSql)).filter((table) => !/erasures|plaid_removals/.test(table))
    for (const table of filled) {
      const rows = await world.sql(`select 1 from ${table} where user_id = '${userId}' limit 1`)
      expect([table, rows.length]).toEqual([table, 1])
    }
    const erasure = await requestErasure(ctx, null)
    expect(erasure.completedAt).not.toBeNull()
    const left = await leftOf(texts)
    expect(left).toEqual([])
    expect((await everyRow(textSql)).filter((row) => row.includes('dead rotation'))).toEqual([])
    const calls = (await world.bank.calls()).map(({ endpoint }) => endpoint)
    expect(calls).toEqual(expect.arrayContaining(['/item/remove', '/user/remove']))
  })

  it('gets a signed certificate with the rows of each table', async () => {
    const subject = 'certified'
    const item = await linkAndSync(world, subject)
    await createLinkToken(world.user(subject), { itemId: item.id, ...updateMode })
    const userId = await idOf(subject)
    const [stored] = await world.sql('select count(*)::int as n from transactions where user_id = $1', [userId])
    const { certificate, id } = await requestErasure(world.user(subject), null)
    const verified = await verifyCertificate(certificate ?? '')
    expect(verified.certificate).toMatchObject({
      id,
      deleted: { transactions: Number(stored?.['n']), items: 1, users: 1 },
      plaid: { items: 'removed', user: 'removed' },
    })
    expect(verified.certificate.subject_hash).toMatch(/^[0-9a-f]{64}$/)
    const [head, payload, signature] = (certificate ?? '').split('.')
    const text = fromUtf8(decodeBase64Url(payload ?? '') ?? new Uint8Array()) ?? ''
    const forged = encodeBase64Url(utf8(text.replace('"users":1', '"users":2')))
    await expect(verifyCertificate(`${head}.${forged}.${signature}`)).rejects.toThrow('signature')
  })

  it('gets the same erasure when the request is repeated', async () => {
    const ctx = world.user('asked twice')
    await link(world, 'asked twice')
    const first = await requestErasure(ctx, null)
    expect(await requestErasure(ctx, null)).toEqual(first)
    expect(await world.sql('select count(*)::int as n from erasures where id = $1', [first.id])).toEqual([{ n: '1' }])
  })

  it('gets a certificate without ever having linked a bank', async () => {
    const { completedAt, certificate } = await requestErasure(world.user('never linked'), null)
    expect(completedAt).not.toBeNull()
    expect((await verifyCertificate(certificate ?? '')).certificate).toMatchObject({
      deleted: { users: 1 },
      plaid: { user: 'none' },
    })
  })

  it('is refused with every token from before, and begins as a new user with one from later', async () => {
    const { identity } = world.user('returning').actor
    await link(world, 'returning')
    const before = await idOf('returning')
    await requestErasure(world.user('returning'), null)
    for (const issuedAt of [new Date(0), minutes(-10), minutes(0)]) {
      const list = listItems(world.services.api, at(identity, issuedAt), 10, null)
      expect(await codeOf(list)).toBe('unauthorized')
    }
    const later = at(identity, minutes(2))
    expect((await listItems(world.services.api, later, 10, null)).rows).toEqual([])
    const ctx = world.user('returning')
    await changeConsents({ ...ctx, actor: { ...ctx.actor, identity: later } }, 0, {
      ...defaultDecisions,
      insights: false,
    })
    expect(await idOf('returning')).not.toBe(before)
    expect(await codeOf(listItems(world.services.api, at(identity, minutes(0)), 10, null))).toBe('unauthorized')
    expect(await codeOf(listItems(world.services.api, later, 10, null))).toBeNull()
  })

  it('does not affect another user', async () => {
    const other = await linkAndSync(world, 'stays')
    const count = () =>
      world.sql(
        "select count(*)::int as n from transactions t join users u on u.id = t.user_id where subject = 'stays'",
      )
    const before = await count()
    await link(world, 'goes')
    await requestErasure(world.user('goes'), null)
    expect(await count()).toEqual(before)
    expect((await listItems(world.services.api, world.user('stays').actor.identity, 10, null)).rows).toMatchObject([
      { id: other.id, status: 'healthy' },
    ])
  })
})

describe('an erasure', () => {
  it('deletes everything here while Plaid is down, and finishes later', async () => {
    const subject = 'plaid down'
    const item = await linkAndSync(world, subject)
    const userId = await idOf(subject)
    await world.bank.fault({ endpoint: '/item/remove', times: 50, error: 'INTERNAL_SERVER_ERROR' })
    const { id, completedAt } = await requestErasure(world.user(subject), null)
    expect(completedAt).toBeNull()
    for (const table of ['accounts', 'transactions', 'account_balances', 'sync_runs'])
      expect(await world.sql(`select 1 from ${table} where user_id = $1`, [userId])).toEqual([])
    const { identity } = world.user(subject).actor
    expect(await codeOf(listItems(world.services.api, at(identity, minutes(5)), 10, null))).toBe('unauthorized')
    await world.bank.clearFaults()
    await world.sql("update erasures set next_attempt_at = now() - interval '1 second'")
    await continueErasures(world.job())
    expect(
      await world.sql('select user_id, completed_at is not null as done from erasures where id = $1', [id]),
    ).toEqual([{ user_id: null, done: 't' }])
    expect(await leftOf([userId, subject, item.plaidItemId])).toEqual([])
  })

  it('finishes by its message', async () => {
    await link(world, 'by message')
    await world.bank.fault({ endpoint: '/item/remove', times: 50, error: 'INTERNAL_SERVER_ERROR' })
    expect((await requestErasure(world.user('by message'), null)).completedAt).toBeNull()
    await world.bank.clearFaults()
    expect(world.queue).toContainEqual({ erasure_id: expect.any(String) })
    await world.drain()
    expect(await world.sql("select 1 from users where subject = 'by message'")).toEqual([])
  })

  it('finishes wherever the isolate dies', async () => {
    for (const [place, fault] of callFaults.entries())
      for (const call of sampled([1, 7, 13, 19, 25, 31], 3, place)) {
        const subject = `mortal ${fault} ${call}`
        await link(world, subject)
        const userId = await idOf(subject)
        const { services } = failAt(world.services, { call, fault })
        await requestErasure({ ...world.user(subject), services }, null).catch(() => undefined)
        const { completedAt } = await requestErasure(world.user(subject), null)
        expect([fault, call, completedAt === null]).toEqual([fault, call, false])
        expect(await leftOf([userId, subject])).toEqual([])
      }
  })
})

describe('an administrator of an OIDC issuer who is erased', () => {
  it('reaches no route for administrators with a token from before, and does with a later one', async () => {
    const { actor, ...ctx } = world.user('former administrator')
    const admin = (issuedAt: Date): Ctx<User> => ({
      ...ctx,
      actor: { ...actor, identity: at(actor.identity, issuedAt), role: 'admin' },
    })
    const before = new Date()
    expect(await ask(admin(before), getFreezeRoute)).toMatchObject({ state: 'off' })
    await requestErasure({ ...ctx, actor: { ...actor, identity: at(actor.identity, before) } }, null)
    const count = async () => (await world.sql("select 1 from audit_log where action = 'admin_read'")).length
    const reads = await count()
    expect(await codeOf(ask(admin(before), getFreezeRoute))).toBe('unauthorized')
    expect(await codeOf(ask(admin(before), runRetentionRoute))).toBe('unauthorized')
    expect(await count()).toBe(reads)
    expect(await ask(admin(minutes(2)), getFreezeRoute)).toMatchObject({ state: 'off' })
  })
})

describe('a person with a built-in account', () => {
  it('needs the password, and then cannot sign in', async () => {
    const email = 'erased@example.com'
    const signedIn = await accounts.signUp(email)
    const ctx = await accounts.as(signedIn)
    const before = accounts.mails.length
    expect(await refusal(requestErasure(ctx, null))).toBe('validation_failed')
    expect(await refusal(requestErasure(ctx, 'not the password'))).toBe('invalid_credentials')
    expect(await accounts.sql('select 1 from identity.accounts where email = $1', [email])).toHaveLength(1)
    const erasure = await requestErasure(ctx, goodPassword)
    expect(erasure.completedAt).not.toBeNull()
    expect((await verifyCertificate(erasure.certificate ?? '')).certificate.deleted).toMatchObject({
      login: 1,
      login_sessions: 1,
      users: 1,
    })
    expect(accounts.mails.slice(before)).toMatchObject([{ kind: 'erasure', to: email, reference: erasure.id }])
    expect(await refusal(accounts.signIn(email))).toBe('invalid_credentials')
    const rows = await everyRow((text, params) => accounts.sql(text, params))
    const left = rows.filter((row) => row.includes(email) || row.includes(ctx.actor.identity.subject))
    expect(left).toEqual([])
    expect(await requestErasure(ctx, null)).toEqual(erasure)
  })
})
