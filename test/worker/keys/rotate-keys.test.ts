// Rotation of the encryption keys over a real database: every sealed value, concurrently with syncs, in steps that can
// be repeated.
import { afterEach, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { parseConfig } from '../../../src/config/config.ts'
import type { Services } from '../../../src/context.ts'
import { createKeyring, type Keyring } from '../../../src/crypto/keyring.ts'
import { createSecret } from '../../../src/crypto/secret.ts'
import { openAccessToken, sealAccessToken } from '../../../src/custody/access-token.ts'
import { sealLinkToken } from '../../../src/custody/link-token.ts'
import { openWebhookSecret, sealWebhookSecret } from '../../../src/custody/webhook-secret.ts'
import { replaceSealedValues } from '../../../src/db/operations/sealed-values.ts'
import { readyRoute } from '../../../src/http/routes/system/health.ts'
import { checkStoredKeys } from '../../../src/keys/check-stored-keys.ts'
import { listKeys } from '../../../src/keys/list-keys.ts'
import { rewrapBatch, startKeyRotation } from '../../../src/keys/rotate-keys.ts'
import { login } from '../../../src/identity/login.ts'
import type { RewrapMessage } from '../../../src/messages/message.ts'
import { createAccounts, goodPassword } from '../../support/accounts.ts'
import { ask } from '../../support/call-route.ts'
import { workerVariables } from '../../support/bindings.ts'
import { callFaults, failAt } from '../../support/fault-injection.ts'
import { expectTruth } from '../../support/equality.ts'
import { linkAndSync } from '../../support/linked.ts'
import { appErrorOf, useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(async () => {
  world.lines.length = 0
  await world.sql('delete from link_sessions')
  await world.sql('delete from plaid_removals')
  await world.sql('delete from link_exchanges')
})

const old = () => parseConfig(workerVariables(world.database)).encryption.current
let count = 0
/** A keyring with a new current key. It also has the earlier keys, unless it is `alone`. */
function newKeyring({ alone = false, minimum }: { alone?: boolean; minimum?: string } = {}): Keyring {
  const current = { id: `test-${(count += 1) + 1}`, secret: crypto.getRandomValues(new Uint8Array(32)) }
  earlier.push(current)
  const previous = alone ? [] : [old(), ...earlier.slice(0, -1)]
  return createKeyring({ current, previous, ...(minimum === undefined ? {} : { minimumKeyId: minimum }) })
}
const earlier: { id: string; secret: Uint8Array<ArrayBuffer> }[] = []
/** A keyring with the newest key alone, as after the operator removed the older ones. */
function newestAlone(): Keyring {
  const current = earlier.at(-1)
  if (current === undefined) throw new Error('no key was made')
  return createKeyring({ current })
}
const withKeyring = (keyring: Keyring): Services => ({ ...world.services, keyring })

async function rotate(keyring: Keyring): Promise<void> {
  const services = withKeyring(keyring)
  await startKeyRotation(world.job(services))
  await world.drain(services)
}

const keyIdsOf = async (table: string, column: string) =>
  (await world.sql(`select distinct split_part(${column}, '.', 2) as id from ${table} where ${column} <> ''`)).map(
    (row) => row['id'],
  )

describe('a rotation of the encryption keys', () => {
  it('seals every value again, so that the new key alone opens all of them', async () => {
    const item = await linkAndSync(world, 'rotated')
    const [row] = await world.sql('select user_id from items where id = $1', [item.id])
    const userId = String(row?.['user_id'])
    const { keyring } = world.services
    const [exchange, removal, session] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()]
    const token = createSecret('access-sandbox-made-up')
    const sealFor = (itemId: string) => sealAccessToken(keyring, token, { userId, itemId })
    await world.sql(
      `insert into link_exchanges (id, user_id, public_token_digest, state, allow_duplicate, next_attempt_at, access_token_sealed)
       values ($1, $2, $3, 'exchanged', false, now(), $4)`,
      [exchange, userId, 'digest', await sealFor(exchange)],
    )
    await world.sql(
      `insert into plaid_removals (id, user_id, plaid_item_id, item_id, access_token_sealed, reason) values ($1, $2, 'gone', $3, $4, 'removed')`,
      [crypto.randomUUID(), userId, removal, await sealFor(removal)],
    )
    await world.sql(
      `insert into link_sessions (id, user_id, token_digest, token_sealed, expires_at) values ($1, $2, 'digest', $3, now() + interval '1 hour')`,
      [session, userId, await sealLinkToken(keyring, 'link-sandbox-made-up', { userId, sessionId: session })],
    )
    const rotated = newKeyring()
    const before = await listKeys(world.job(withKeyring(rotated)))
    expect(before.keys.find(({ id }) => id === 'test-1')?.values).toMatchObject({
      items: 1,
      link_exchanges: 1,
      plaid_removals: 1,
      link_sessions: 1,
    })
    expect(before.remaining).toBe(4)

    await rotate(rotated)

    expect(await listKeys(world.job(withKeyring(newestAlone())))).toEqual({
      currentKeyId: rotated.currentKeyId,
      keys: [
        {
          id: rotated.currentKeyId,
          readable: true,
          values: { items: 1, link_exchanges: 1, plaid_removals: 1, link_sessions: 1 },
        },
      ],
      remaining: 0,
    })
    const [moved] = await world.sql('select access_token_sealed from link_exchanges where id = $1', [exchange])
    const owner = { userId, itemId: exchange }
    const opened = await openAccessToken(newestAlone(), String(moved?.['access_token_sealed']), owner, 'link_exchanges')
    expect(opened.reveal()).toBe('access-sandbox-made-up')
    await world.bank.change(item.plaidItemId, { add: 3, silent: true })
    await world.sql('update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1', [
      item.id,
    ])
    const [product] = await world.sql("select id from item_products where item_id = $1 and product = 'transactions'", [
      item.id,
    ])
    await world.consume([{ item_product_id: String(product?.['id']), reason: 'user' }], withKeyring(newestAlone()))
    await expectTruth(world, 'rotated', item.plaidItemId)
  })

  it('loses no row of a sync that runs meanwhile', async () => {
    const item = await linkAndSync(world, 'beside a sync')
    await world.bank.change(item.plaidItemId, { add: 20, modify: 5, remove: 2, silent: true })
    const [product] = await world.sql(
      "update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1 and product = 'transactions' returning id",
      [item.id],
    )
    const rotated = newKeyring()
    await startKeyRotation(world.job(withKeyring(rotated)))
    const steps = world.queue.splice(0)
    await Promise.all([
      world.consume([{ item_product_id: String(product?.['id']), reason: 'user' }], withKeyring(rotated)),
      world.consume(steps, withKeyring(rotated)),
    ])
    await world.drain(withKeyring(rotated))
    await expectTruth(world, 'beside a sync', item.plaidItemId)
    expect(await keyIdsOf('items', 'access_token_sealed')).toEqual([rotated.currentKeyId])
  })

  /** Stores so many link tokens under a separate key, and returns their ids. */
  async function sealMany(subject: string, many: number): Promise<string[]> {
    const item = await linkAndSync(world, subject)
    const [row] = await world.sql('select user_id from items where id = $1', [item.id])
    const userId = String(row?.['user_id'])
    const ids = Array.from({ length: many }, () => crypto.randomUUID())
    const previous = newKeyring()
    const sealed = await Promise.all(
      ids.map((sessionId) => sealLinkToken(previous, `link-sandbox-${sessionId}`, { userId, sessionId })),
    )
    await world.sql(
      `insert into link_sessions (id, user_id, token_digest, token_sealed, expires_at)
       select id, $1, id::text, sealed, now() + interval '1 hour' from unnest($2::uuid[], $3::text[]) as r (id, sealed)`,
      [userId, `{${ids.join(',')}}`, `{${sealed.join(',')}}`],
    )
    return ids
  }

  it('seals at most 500 values in any second', async () => {
    await sealMany('paced', 1001)
    const rotated = newKeyring()
    const steps: { readonly body: RewrapMessage; readonly seconds: number }[] = []
    const services: Services = {
      ...withKeyring(rotated),
      enqueueRewrap: (body, seconds) => Promise.resolve(steps.push({ body, seconds }) > 0),
    }
    await startKeyRotation(world.job(services))
    const logged = z.object({ event: z.string(), count: z.number().optional() })
    let clock = 0
    const sealedAt: { readonly at: number; readonly values: number }[] = []
    const valuesIn = (from: number, to: number): number =>
      sealedAt.reduce((sum, { at, values }) => (at >= from && at < to ? sum + values : sum), 0)
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
      clock += step.seconds
      world.lines.length = 0
      expect(await world.consume([step.body], services)).toEqual(['ack'])
      const lines = world.lines.map((line) => logged.parse(JSON.parse(line)))
      sealedAt.push({ at: clock, values: lines.find(({ event }) => event === 'values_rewrapped')?.count ?? 0 })
    }
    expect(valuesIn(0, Infinity)).toBeGreaterThan(1001)
    for (const { at } of sealedAt) expect(valuesIn(at, at + 1)).toBeLessThanOrEqual(500)
  })

  it('continues after the last row of a full batch', async () => {
    const ids = await sealMany('many', 501)
    const rotated = newKeyring()
    const services = withKeyring(rotated)
    const first = { rewrap: 'link_sessions', after: null, key_id: rotated.currentKeyId } as const
    const second = await rewrapBatch(world.job(services), first)
    expect(second).toEqual({ ...first, after: ids.toSorted()[499] })
    if (second === null) throw new Error('there is no second step')
    expect(await rewrapBatch(world.job(services), second)).toMatchObject({ rewrap: 'webhook_secrets' })
    expect(await keyIdsOf('link_sessions', 'token_sealed')).toEqual([rotated.currentKeyId])
  })

  it('seals both secrets of an endpoint again, of a user, an application and administrators', async () => {
    const previous = newKeyring()
    const [userId, applicationId] = [crypto.randomUUID(), crypto.randomUUID()]
    await world.sql("insert into users (id, issuer, subject) values ($1, 'issuer', 'of an endpoint')", [userId])
    await world.sql("insert into applications (id, name, issuer) values ($1, 'app', 'issuer')", [applicationId])
    const owners = [userId, applicationId, null].map((ownerId) => ({ ownerId, endpointId: crypto.randomUUID() }))
    for (const owner of owners)
      await world.sql(
        `insert into webhook_endpoints (id, user_id, application_id, url, secret_sealed, previous_sealed)
          values ($1, $2, $3, 'https://app.example.com', $4, $5)`,
        [
          owner.endpointId,
          owner.ownerId === userId ? userId : null,
          owner.ownerId === applicationId ? applicationId : null,
          await sealWebhookSecret(previous, 'whsec_current', owner),
          await sealWebhookSecret(previous, 'whsec_previous', owner),
        ],
      )
    const rotated = newKeyring()
    const services = withKeyring(rotated)
    for (const rewrap of ['webhook_secrets', 'previous_webhook_secrets'] as const)
      await rewrapBatch(world.job(services), { rewrap, after: null, key_id: rotated.currentKeyId })
    for (const owner of owners) {
      const [row] = await world.sql('select secret_sealed, previous_sealed from webhook_endpoints where id = $1', [
        owner.endpointId,
      ])
      const opened = await Promise.all(
        [row?.['secret_sealed'], row?.['previous_sealed']].map((each) =>
          openWebhookSecret(rotated, String(each), owner),
        ),
      )
      expect(opened.map((secret) => secret.reveal())).toEqual(['whsec_current', 'whsec_previous'])
    }
    await world.sql('delete from webhook_endpoints')
  })

  it.each(callFaults)('ends with every value sealed again when it %s at any call', async (fault) => {
    await linkAndSync(world, `interrupted, ${fault}`)
    const calm = newKeyring()
    const unharmed = failAt(withKeyring(calm), { call: 0, fault })
    await startKeyRotation(world.job(withKeyring(calm)))
    await world.drain(unharmed.services)
    expect(unharmed.calls).toContain('enqueueRewrap')
    for (let call = 1; call <= unharmed.calls.length; call += 1) {
      const rotated = newKeyring()
      await startKeyRotation(world.job(withKeyring(rotated)))
      const { services } = failAt(withKeyring(rotated), { call, fault })
      // A message that was not acknowledged is delivered again.
      for (let body = world.queue.shift(); body !== undefined; body = world.queue.shift()) {
        const [handled] = await world.consume([body], services)
        if (handled !== 'ack') await world.consume([body], withKeyring(rotated))
      }
      expect(await keyIdsOf('items', 'access_token_sealed')).toEqual([rotated.currentKeyId])
    }
  })

  it('leaves a value that no key opens, logs it, and seals its neighbours', async () => {
    const broken = await linkAndSync(world, 'broken')
    const whole = await linkAndSync(world, 'whole')
    await world.sql('update items set access_token_sealed = $2 where id = $1', [
      broken.id,
      await sealAccessToken(newKeyring(), createSecret('x'), { userId: whole.id, itemId: whole.id }),
    ])
    const rotated = newKeyring()
    await rotate(rotated)
    const rows = await world.sql(
      `select id from items where split_part(access_token_sealed, '.', 2) <> $1 and id = any($2::uuid[])`,
      [rotated.currentKeyId, `{${broken.id},${whole.id}}`],
    )
    expect(rows).toEqual([{ id: broken.id }])
    expect(world.lines.filter((line) => line.includes('value_not_rewrapped') && line.includes(broken.id))).toHaveLength(
      1,
    )
    await world.sql('delete from items where id = $1', [broken.id])
  })

  it('does not touch a token that Plaid is about to replace', async () => {
    const item = await linkAndSync(world, 'in rotation')
    await world.sql('update items set rotation_started_at = now() where id = $1', [item.id])
    const rotated = newKeyring()
    await rotate(rotated)
    const sealedBy = async () =>
      (
        await world.sql(`select split_part(access_token_sealed, '.', 2) as id from items where id = $1`, [item.id])
      )[0]?.['id']
    expect(await sealedBy()).not.toBe(rotated.currentKeyId)
    await world.sql('update items set rotation_started_at = null where id = $1', [item.id])
    await rotate(rotated)
    expect(await sealedBy()).toBe(rotated.currentKeyId)
  })

  it('replaces a value only while it is what it was', async () => {
    const item = await linkAndSync(world, 'compared')
    const stale = [{ id: item.id, from: 'wn1.test-1.of.an.earlier.token', to: 'wn1.test-2.new' }]
    expect(await replaceSealedValues(world.services.jobs, 'items', stale)).toBe(0)
    await expectTruth(world, 'compared', item.plaidItemId)
  })

  it('waits for the version of the Worker that has the key', async () => {
    const rotated = newKeyring()
    await startKeyRotation(world.job(withKeyring(rotated)))
    const steps = world.queue.splice(0)
    expect(await world.consume(steps)).toEqual([60])
    expect(world.queue).toEqual([])
  })

  it('retries a step whose successor the queue does not take', async () => {
    const rotated = newKeyring()
    const services = { ...withKeyring(rotated), enqueueRewrap: () => Promise.resolve(false) }
    await expect(startKeyRotation(world.job(services))).rejects.toMatchObject({ code: 'unavailable' })
    const step = { rewrap: 'items', after: null, key_id: rotated.currentKeyId } as const
    expect(await world.consume([step], services)).toEqual([60])
  })
})

describe('the keys of stored access tokens', () => {
  it('are all readable, or readiness fails and names the missing one', async () => {
    await linkAndSync(world, 'stranded')
    const rotated = newKeyring()
    await rotate(rotated)
    await expect(checkStoredKeys(withKeyring(rotated))).resolves.toEqual({ ok: true, problems: [] })
    const { ok, problems } = await checkStoredKeys(withKeyring(newKeyring({ alone: true })))
    expect([ok, problems]).toEqual([
      false,
      [`Access tokens need the key ${rotated.currentKeyId}, which is missing or below the minimum.`],
    ])
    const next = `test-${count + 2}`
    expect((await checkStoredKeys(withKeyring(newKeyring({ minimum: next })))).ok).toBe(false)
  })
})

describe('a minimum key id', () => {
  it('fails /ready where it would strand an access token, and not where it strands none', async () => {
    await linkAndSync(world, 'below the minimum')
    const rotated = newKeyring()
    await rotate(rotated)
    const ready = (keyring: Keyring) => ask({ ...world.user('operator'), services: withKeyring(keyring) }, readyRoute)
    const [before, newest] = earlier.slice(-2)
    if (before === undefined || newest === undefined) throw new Error('a rotation needs two keys')
    const withMinimum = createKeyring({ current: newest, previous: [before], minimumKeyId: newest.id })
    expect(await ready(withMinimum)).toMatchObject({ status: 'ready', checks: { encryption_key: 'ok' } })
    const next = `test-${count + 2}`
    expect(await appErrorOf(ready(newKeyring({ minimum: next })))).toMatchObject({
      code: 'unavailable',
      reason: expect.stringContaining(`Access tokens need the key ${rotated.currentKeyId}`),
      extensions: { checks: { encryption_key: 'failed', jobs_database: 'ok' } },
    })
  })
})

describe('the check of the stored keys', () => {
  const foreign = 'wn1.test-0.of.another.key'
  it.each([
    ['Exchanges', 'link_exchanges'],
    ['Removals', 'plaid_removals'],
    ['Link tokens', 'link_sessions'],
  ])('names %s that the configured keys do not open', async (name, table) => {
    const item = await linkAndSync(world, `needs ${table}`)
    const [row] = await world.sql('select user_id from items where id = $1', [item.id])
    const inserts: Readonly<Record<string, string>> = {
      link_exchanges: `insert into link_exchanges (id, user_id, public_token_digest, state, allow_duplicate, next_attempt_at, access_token_sealed)
        values (gen_random_uuid(), $1, 'd', 'exchanged', false, now(), $2)`,
      plaid_removals: `insert into plaid_removals (user_id, plaid_item_id, item_id, access_token_sealed, reason)
        values ($1, 'another', gen_random_uuid(), $2, 'removed')`,
      link_sessions: `insert into link_sessions (user_id, token_digest, token_sealed, expires_at)
        values ($1, 'd', $2, now() + interval '1 hour')`,
    }
    await world.sql('delete from items where access_token_sealed = $1', [foreign])
    const keyring = newKeyring()
    await rotate(keyring)
    expect(await checkStoredKeys(withKeyring(keyring))).toEqual({ ok: true, problems: [] })
    await world.sql(inserts[table] ?? '', [row?.['user_id'], foreign])
    expect(await checkStoredKeys(withKeyring(keyring))).toEqual({
      ok: false,
      problems: [`${name} need the key test-0, which is missing or below the minimum.`],
    })
  })

  it('fails after five seconds where the database does not respond', async () => {
    await world.stack.addFault(world.database.name, { kind: 'hang', matching: 'with recursive keys' })
    expect(await checkStoredKeys(world.services)).toEqual({
      ok: false,
      problems: ['The keys of the stored secrets could not be read.'],
    })
  }, 20_000)
})

describe('a second factor', () => {
  it('works with the new key after a rotation', async () => {
    const accounts = await createAccounts(inject('control'))
    try {
      const grant = await accounts.signUp('rotated@example.com')
      const factor = await accounts.addTotp(grant)
      const ctx = (keyring: Keyring) => ({ ...accounts.ctx, services: { ...accounts.services, keyring } })
      const rotated = newKeyring()
      const step = { rewrap: 'totp_secrets', after: null, key_id: rotated.currentKeyId } as const
      expect(await listKeys(ctx(rotated))).toMatchObject({ remaining: 1 })
      expect(await checkStoredKeys(ctx(newestAlone()).services)).toEqual({
        ok: false,
        problems: ['Second factors need the key test-1, which is missing or below the minimum.'],
      })
      expect(await rewrapBatch(ctx(rotated), step)).toBeNull()
      expect(await listKeys(ctx(rotated))).toMatchObject({ remaining: 0 })
      const attempt = {
        email: 'rotated@example.com',
        password: goodPassword,
        code: factor.code(),
        scope: 'full',
        deviceToken: null,
      } as const
      await expect(login(ctx(newestAlone()), attempt)).resolves.toHaveProperty('accessToken')
    } finally {
      await accounts.stop()
    }
  })
})
