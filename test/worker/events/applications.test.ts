// Endpoints of applications: whose events they get, and when they get none.
import { describe, expect, it } from 'vitest'
import { findDelivery, listDeliveries } from '../../../src/db/events/deliveries.ts'
import { findEndpoint, listEndpoints } from '../../../src/db/events/endpoints.ts'
import { deliverEvents } from '../../../src/events/deliver.ts'
import {
  changeEndpoint,
  createEndpoint,
  mostEndpoints,
  ownerOf,
  pingEndpoint,
  removeEndpoint,
  rotateSecret,
} from '../../../src/events/manage-endpoints.ts'
import { replayAllFailed, replayOne } from '../../../src/events/replay.ts'
import { enqueueDueEvents } from '../../../src/events/enqueue-due.ts'
import { requestErasure } from '../../../src/privacy/request-erasure.ts'
import { linkAndSync } from '../../support/linked.ts'
import { url, useListening } from './listening.ts'

const given = useListening()
const { as, asAdministrator, asApplication, listen, deliver } = given

/** Changes something that an event says, of the user's item. */
const announce = (itemId: string) =>
  given.world.sql('update items set new_accounts_available = not new_accounts_available where id = $1', [itemId])
/** The users of whom the receiver got an event, by the issuer's id. */
const subjects = () => new Set(given.receiver.events.map(({ data }) => data['subject']))
const to = (endpointId: string) => given.count('webhook_deliveries where endpoint_id = $1', [endpointId])
const stateOf = async (endpointId: string) =>
  (await given.world.sql('select state, disabled_reason from webhook_endpoints where id = $1', [endpointId]))[0]
const endKeys = (applicationId: string, how: string) =>
  given.world.sql(`update api_keys set ${how} where application_id = $1`, [applicationId])

describe('an endpoint of an application', () => {
  it('gets the events of every user of its issuer, with both ids, and of no other user', async () => {
    const items = new Map<string, string>()
    for (const subject of ['app-anna', 'app-bert', 'app-other'])
      items.set(subject, (await linkAndSync(given.world, subject)).id)
    // Known to the deployment by tokens of another issuer alone.
    await given.world.sql("update users set issuer = 'https://other.test' where subject = 'app-other'")
    const application = await asApplication()
    const endpointId = await listen(application)
    for (const id of items.values()) await announce(id)
    await deliver()
    expect(subjects()).toEqual(new Set(['app-anna', 'app-bert']))
    const users = await given.world.sql("select id from users where subject in ('app-anna', 'app-bert')")
    expect(new Set(given.receiver.events.map(({ data }) => data['user']))).toEqual(new Set(users.map(({ id }) => id)))
    expect(given.receiver.unsigned).toBe(0)
    expect(await to(endpointId)).toBe(2)
  })

  it('gets those of a user that no application ever named, if the issuer is the same', async () => {
    const { id } = await linkAndSync(given.world, 'app-unnamed')
    const [mine, others] = [await asApplication(), await asApplication('urn:another')]
    const [gets, getsNot] = [await listen(mine), await listen(others)]
    await announce(id)
    expect([await to(gets), await to(getsNot)]).toEqual([1, 0])
  })

  it('is one of several that get an event: those of each application of the issuer, of the user, of administrators', async () => {
    const { id } = await linkAndSync(given.world, 'app-shared')
    const [one, other] = [await asApplication(), await asApplication()]
    const all = [
      await listen(one),
      await listen(other),
      await listen(as('app-shared')),
      await listen(asAdministrator()),
    ]
    await announce(id)
    expect(await Promise.all(all.map(to))).toEqual([1, 1, 1, 1])
    expect(await given.world.sql('select distinct event_id from webhook_deliveries')).toHaveLength(1)
    await deliver()
    expect(given.receiver.events).toHaveLength(4)
    // Only the user's own endpoint does not need the issuer's id.
    expect(given.receiver.events.filter(({ data }) => data['subject'] === 'app-shared')).toHaveLength(3)
  })

  it('gets user.erased with both ids, and nothing else of the user is left', async () => {
    const application = await asApplication()
    const endpointId = await listen(application)
    const other = await listen(await asApplication('urn:another'))
    await linkAndSync(given.world, 'app-erased')
    const [user] = await given.world.sql("select id from users where subject = 'app-erased'")
    expect(await to(endpointId)).toBeGreaterThan(0)
    expect((await requestErasure(as('app-erased'), null)).completedAt).not.toBeNull()
    expect([await to(endpointId), await to(other)]).toEqual([1, 0])
    await deliver()
    expect(given.receiver.events.map(({ type, data }) => [type, data])).toEqual([
      ['user.erased', { user: user?.['id'], subject: 'app-erased' }],
    ])
    expect(await given.count("webhook_deliveries where data ? 'subject'")).toBe(0)
  })

  it('is managed and seen by its application alone', async () => {
    const [owner, stranger] = [await asApplication(), await asApplication()]
    const endpointId = await listen(owner)
    await listen(stranger)
    await pingEndpoint(owner, endpointId)
    const {
      rows: [own],
    } = await listDeliveries(ownerOf(owner), {}, 10, null)
    expect(own).toMatchObject({ endpointId, type: 'ping' })
    for (const other of [stranger, as('app-nosy'), asAdministrator()]) {
      const whose = ownerOf(other)
      expect(await findEndpoint(whose, endpointId)).toBeNull()
      expect(await findDelivery(whose, own?.id ?? '')).toBeNull()
      expect((await listEndpoints(whose, 10, null)).rows.map(({ id }) => id)).not.toContain(endpointId)
      expect((await listDeliveries(whose, { endpointId }, 10, null)).rows).toEqual([])
      for (const act of [
        () => changeEndpoint(other, endpointId, { isEnabled: false }),
        () => rotateSecret(other, endpointId),
        () => pingEndpoint(other, endpointId),
        () => removeEndpoint(other, endpointId),
        () => replayOne(other, own?.id ?? ''),
      ])
        await expect(act()).rejects.toMatchObject({ code: 'not_found' })
      expect(await replayAllFailed(other, { since: new Date(0), endpointId })).toBe(0)
    }
    const rotated = await rotateSecret(owner, endpointId)
    given.receiver.secrets = [rotated.secret]
    // The challenge of the second endpoint had its own secret.
    given.receiver.unsigned = 0
    await deliver()
    expect(given.receiver.unsigned).toBe(0)
    await removeEndpoint(owner, endpointId)
    expect(await to(endpointId)).toBe(0)
  })
})

describe('an application', () => {
  it('has ten endpoints at most, requests at the same time included', async () => {
    const [application, other] = [await asApplication(), await asApplication()]
    const create = () => createEndpoint(application, { url, events: null })
    const results = await Promise.allSettled(Array.from({ length: mostEndpoints.application + 3 }, create))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    await expect(createEndpoint(other, { url, events: null })).resolves.toBeDefined()
  })

  it.each([
    ['was revoked', 'revoked_at = now()'],
    ['has expired', "expires_at = now() - interval '1 second'"],
  ])('gets nothing from the moment its last key %s, and its endpoints are disabled', async (_what, how) => {
    const application = await asApplication()
    const endpointId = await listen(application)
    await pingEndpoint(application, endpointId)
    const asked = given.receiver.requests
    await endKeys(application.applicationId, how)
    // A message that is in the queue already.
    await deliverEvents(given.job(), endpointId)
    expect(given.receiver.requests).toBe(asked)
    await deliver()
    expect(given.receiver.requests).toBe(asked)
    expect(await stateOf(endpointId)).toMatchObject({ state: 'disabled', disabled_reason: 'no_key' })
    expect(await given.count("webhook_deliveries where state = 'pending'")).toBe(0)
    const audited = await given.world.sql(
      `select p.person from audit_log l join audit_people p on p.audit_id = l.id and p.part = 'owner'
        where l.action = 'webhook_endpoint_disabled' and l.target_id = $1`,
      [endpointId],
    )
    expect(audited.map(({ person }) => String(person))).toEqual([expect.stringContaining(application.applicationId)])
  })

  it('gets events while another key of it is valid', async () => {
    const application = await asApplication()
    const endpointId = await listen(application)
    await given.world.sql(
      `insert into api_keys (id, application_id, name, prefix, digest, scopes, revoked_at)
        values (gen_random_uuid(), $1, 'old', 'wn_test_', 'old', '{read}', now())`,
      [application.applicationId],
    )
    await pingEndpoint(application, endpointId)
    await deliver()
    expect(given.receiver.events).toHaveLength(1)
    expect(await stateOf(endpointId)).toMatchObject({ state: 'enabled' })
  })

  it('gets nothing while the deployment accepts no keys, and everything afterwards', async () => {
    const application = await asApplication()
    const endpointId = await listen(application)
    await pingEndpoint(application, endpointId)
    const asked = given.receiver.requests
    const services = { ...given.services, config: { ...given.services.config, apiKeys: null } }
    await deliverEvents({ ...given.job(), services }, endpointId)
    expect(given.receiver.requests).toBe(asked)
    expect(await stateOf(endpointId)).toMatchObject({ state: 'enabled' })
    await given.elapse()
    await deliver()
    expect(given.receiver.events).toHaveLength(1)
  })

  it('takes its endpoints and their deliveries with it when the operator deletes its row', async () => {
    const application = await asApplication()
    const endpointId = await listen(application)
    await pingEndpoint(application, endpointId)
    await given.world.sql('delete from api_keys where application_id = $1', [application.applicationId])
    await given.world.sql('delete from applications where id = $1', [application.applicationId])
    expect([await to(endpointId), await given.count('webhook_endpoints')]).toEqual([0, 0])
  })

  it('delays no endpoint of others, however many events wait for it', async () => {
    const application = await asApplication()
    const [busy, quick] = [await listen(application), await listen(as('app-quick'))]
    await given.world.sql(
      `insert into webhook_deliveries (event_id, endpoint_id, application_id, type, data)
        select gen_random_uuid(), id, application_id, 'ping', '{}' from webhook_endpoints, generate_series(1, 200)
        where id = $1`,
      [busy],
    )
    await pingEndpoint(as('app-quick'), quick)
    await enqueueDueEvents(given.job())
    expect(given.woken.toSorted()).toEqual([busy, quick].toSorted())
    given.woken.splice(0, 2, busy, quick)
    await deliverEvents(given.job(), given.woken.shift() ?? '')
    // One batch, and the next one waits behind the other endpoint.
    expect(await given.count("webhook_deliveries where state = 'delivered' and endpoint_id = $1", [busy])).toBe(20)
    expect(given.woken).toEqual([quick, busy])
    await deliverEvents(given.job(), given.woken.shift() ?? '')
    expect(await given.count("webhook_deliveries where state = 'delivered' and endpoint_id = $1", [quick])).toBe(1)
  })

  it('loses an endpoint that fails while more than 100,000 events wait', async () => {
    const endpointId = await listen(await asApplication())
    const fill = (many: number) =>
      given.world.sql(
        `insert into webhook_deliveries (event_id, endpoint_id, application_id, type, data)
          select gen_random_uuid(), id, application_id, 'ping', '{}' from webhook_endpoints, generate_series(1, $2::int)
          where id = $1`,
        [endpointId, many],
      )
    await given.world.sql(
      "update webhook_endpoints set failing_since = now(), next_attempt_at = now() + interval '1 hour'",
    )
    await fill(100_000)
    await enqueueDueEvents(given.job())
    expect(await stateOf(endpointId)).toMatchObject({ state: 'enabled' })
    await fill(1)
    await enqueueDueEvents(given.job())
    expect(await stateOf(endpointId)).toMatchObject({ state: 'disabled', disabled_reason: 'behind' })
  })
})

describe('the history of a delivery', () => {
  it('has each attempt, and the latest twenty at most', async () => {
    const ctx = as('app-history')
    const endpointId = await listen(ctx)
    await pingEndpoint(ctx, endpointId)
    given.receiver.outcomes = [500, 'break']
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await deliver()
      await given.elapse()
    }
    const read = async () => (await listDeliveries(ownerOf(ctx), {}, 10, null)).rows[0]
    const delivery = await read()
    expect(delivery).toMatchObject({ attempts: 3, state: 'delivered' })
    expect(delivery?.history.map(({ status, error }) => [status, error])).toEqual([
      [500, 'status'],
      [null, 'no_response'],
      [204, null],
    ])
    const times = delivery?.history.map(({ at }) => at.getTime()) ?? []
    expect(times).toEqual(times.toSorted((one, next) => one - next))
    expect(delivery?.history.every(({ durationMs }) => durationMs >= 0)).toBe(true)
    given.receiver.outcomes = [418]
    for (let attempt = 0; attempt < 20; attempt += 1) {
      await replayOne(ctx, delivery?.id ?? '')
      await deliver()
      await given.elapse()
      await deliver()
    }
    const later = await read()
    expect(later?.attempts).toBeGreaterThan(20)
    expect(later?.history).toHaveLength(20)
    expect(later?.history.some(({ status }) => status === 500)).toBe(false)
  })
})
