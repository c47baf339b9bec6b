// Events over a real database: what writes them, and how they reach an endpoint.
import { describe, expect, it } from 'vitest'
import { deliverEvents } from '../../../src/events/deliver.ts'
import { changeEndpoint, createEndpoint, pingEndpoint, rotateSecret } from '../../../src/events/manage-endpoints.ts'
import { replayAllFailed } from '../../../src/events/replay.ts'
import { enqueueDueEvents } from '../../../src/events/enqueue-due.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { addAndCatchWebhook, linkAndSync } from '../../support/linked.ts'
import { url, useListening } from './listening.ts'

const given = useListening()
const { as, asAdministrator, job, listen, deliver } = given
const types = (): string[] => given.receiver.events.map(({ type }) => type)

/** Links a bank, listens, and adds two transactions at the bank. */
async function change(subject: string): Promise<{ itemId: string; endpointId: string }> {
  const item = await linkAndSync(given.world, subject)
  const endpointId = await listen(as(subject))
  await given.world.deliver(await addAndCatchWebhook(given.world, item))
  await given.world.drain()
  return { itemId: item.id, endpointId }
}
const stateOf = async (endpointId: string) =>
  (
    await given.world.sql('select state, disabled_reason, failures from webhook_endpoints where id = $1', [endpointId])
  )[0]
const deliveries = (endpointId: string) =>
  given.world.sql(
    'select type, state, attempts, last_status, last_error from webhook_deliveries where endpoint_id = $1',
    [endpointId],
  )

describe('a change', () => {
  it('reaches the endpoint of its user, signed, with ids alone', async () => {
    const { itemId } = await change('anna')
    await deliver()
    expect(given.receiver.unsigned).toBe(0)
    const [event, ...more] = given.receiver.events.filter(({ type }) => type === 'transactions.changed')
    expect(more).toEqual([])
    expect(event?.data).toMatchObject({ item: itemId, upserted: 2, removed: 0 })
    const [counter] = await given.world.sql('select change_seq, id from users where id = $1', [event?.data['user']])
    expect(String(event?.data['next_since'])).toBe(counter?.['change_seq'])
    expect(Object.keys(event?.data ?? {}).toSorted()).toEqual([
      'item',
      'next_since',
      'removed',
      'since',
      'upserted',
      'user',
    ])
  })

  it('reaches no endpoint of another user', async () => {
    await listen(as('bert'))
    const item = await linkAndSync(given.world, 'carla')
    await removeItem(as('carla'), item.id, { purge: false })
    await deliver()
    expect(given.receiver.events).toEqual([])
    expect(await given.world.sql('select count(*)::int as n from webhook_deliveries')).toMatchObject([{ n: '0' }])
  })

  it('reaches an endpoint of administrators, with the issuer’s id of the user', async () => {
    await listen(asAdministrator())
    const item = await linkAndSync(given.world, 'dora')
    await deliver()
    expect(types()).toContain('item.linked')
    const [linked] = given.receiver.events.filter(({ type }) => type === 'item.linked')
    expect(linked?.data).toMatchObject({ item: item.id, subject: 'dora' })
  })

  it('says what the user has to do when it is one of the status', async () => {
    const { itemId } = await change('emil')
    await given.world.sql("update items set status = 'needs_update' where id = $1", [itemId])
    await given.world.sql('update items set new_accounts_available = true where id = $1', [itemId])
    await removeItem(as('emil'), itemId, { purge: false })
    await deliver()
    const [status] = given.receiver.events.filter(({ type }) => type === 'item.status_changed')
    expect(status?.data).toMatchObject({
      from: 'healthy',
      to: 'needs_update',
      action_required: 'update',
      deadline: null,
    })
    expect(types()).toEqual(expect.arrayContaining(['item.new_accounts', 'item.removed']))
    const removed = given.receiver.events.filter(
      ({ type, data }) => type === 'transactions.changed' && data['removed'] !== 0,
    )
    expect(removed).toHaveLength(1)
  })

  it('writes no row without a listener', async () => {
    await linkAndSync(given.world, 'fritz')
    expect(await given.world.sql('select count(*)::int as n from webhook_deliveries')).toMatchObject([{ n: '0' }])
  })
})

describe('an endpoint', () => {
  it('gets nothing before it has returned a challenge', async () => {
    given.receiver.answersChallenges = false
    const { endpoint } = await createEndpoint(as('gerda'), { url, events: null })
    expect(endpoint.state).toBe('unverified')
    await linkAndSync(given.world, 'gerda')
    await deliver()
    expect(given.receiver.events).toEqual([])
    given.receiver.answersChallenges = true
    expect(await pingEndpoint(as('gerda'), endpoint.id)).toMatchObject({ state: 'enabled' })
  })

  it('gets both signatures for a day after a rotation of its secret', async () => {
    const endpointId = await listen(as('hanna'))
    const [before = ''] = given.receiver.secrets
    const { secret } = await rotateSecret(as('hanna'), endpointId)
    for (const accepted of [before, secret]) {
      given.receiver.secrets = [accepted]
      await pingEndpoint(as('hanna'), endpointId)
      await deliver()
    }
    expect(given.receiver.unsigned).toBe(0)
    await given.world.sql("update webhook_endpoints set previous_until = now() - interval '1 second'")
    given.receiver.secrets = [before]
    await pingEndpoint(as('hanna'), endpointId)
    await deliver()
    expect(given.receiver.unsigned).toBe(1)
  })

  it('is attempted again later after a failure, with the same id, and rests meanwhile', async () => {
    const { endpointId } = await change('ida')
    given.receiver.outcomes = [500]
    await deliver()
    expect(given.receiver.events).toEqual([])
    expect(await stateOf(endpointId)).toMatchObject({ state: 'enabled', failures: '1' })
    const asked = given.receiver.requests
    await deliver()
    expect(given.receiver.requests).toBe(asked)
    await given.world.sql('update webhook_endpoints set next_attempt_at = now()')
    await given.world.sql('update webhook_deliveries set next_attempt_at = now()')
    await deliver()
    expect(types()).toContain('transactions.changed')
    expect(await stateOf(endpointId)).toMatchObject({ state: 'enabled', failures: '0' })
  })

  it('is disabled after a 410, and its deliveries can be replayed', async () => {
    const { endpointId } = await change('jan')
    given.receiver.outcomes = [410]
    await deliver()
    expect(await stateOf(endpointId)).toMatchObject({ state: 'disabled', disabled_reason: 'gone' })
    await deliver()
    const rows = await deliveries(endpointId)
    expect(rows.length).toBeGreaterThan(0)
    expect(rows.every(({ state }) => state === 'failed')).toBe(true)
    expect(await changeEndpoint(as('jan'), endpointId, { isEnabled: true })).toMatchObject({ state: 'enabled' })
    expect(await replayAllFailed(as('jan'), { since: new Date(0), endpointId: null })).toBe(rows.length)
    await deliver()
    expect(given.receiver.events).toHaveLength(rows.length)
  })

  it('is disabled after failing for three days', async () => {
    const { endpointId } = await change('klara')
    await given.world.sql("update webhook_endpoints set failures = 9, failing_since = now() - interval '73 hours'")
    given.receiver.outcomes = [503]
    await deliver()
    expect(await stateOf(endpointId)).toMatchObject({ state: 'disabled', disabled_reason: 'failing' })
    const audited = await given.world.sql(
      "select count(*)::int as n from audit_log where action = 'webhook_endpoint_disabled'",
    )
    expect(Number(audited[0]?.['n'])).toBeGreaterThan(0)
  })

  it.each([
    ['nine attempts', "failures = 8, failing_since = now() - interval '73 hours'"],
    ['71 hours', "failures = 90, failing_since = now() - interval '71 hours'"],
  ])('is not disabled after failing for %s', async (what, state) => {
    const subject = `patient ${what}`
    const endpointId = await listen(as(subject))
    await pingEndpoint(as(subject), endpointId)
    await given.world.sql(`update webhook_endpoints set ${state}`)
    given.receiver.outcomes = [503]
    await deliver()
    expect(await stateOf(endpointId)).toMatchObject({ state: 'enabled', disabled_reason: null })
  })

  it('gets nothing while the deployment is frozen', async () => {
    const { endpointId } = await change('lena')
    const asked = given.receiver.requests
    await given.world.sql("update safety_switches set state = 'frozen' where name = 'freeze'")
    try {
      await enqueueDueEvents(job())
      await expect(deliverEvents(job(), endpointId)).rejects.toMatchObject({ code: 'frozen' })
      expect(given.receiver.requests).toBe(asked)
    } finally {
      await given.world.sql("update safety_switches set state = 'off' where name = 'freeze'")
    }
    await deliver()
    expect(types()).toContain('transactions.changed')
  })
})
