// What one user can use up: endpoints, rows and consumers.
import { describe, expect, it } from 'vitest'
import { deliverEvents } from '../../../src/events/deliver.ts'
import { createEndpoint, mostEndpoints } from '../../../src/events/manage-endpoints.ts'
import { url, useListening } from './listening.ts'

const given = useListening()

/** Pending deliveries of an endpoint, as a change writes them. */
const fill = (endpointId: string, many: number, state = 'pending') =>
  given.world.sql(
    `insert into webhook_deliveries (event_id, endpoint_id, owner_id, user_id, type, data, state)
      select gen_random_uuid(), id, user_id, user_id, 'ping', '{}', $3
      from webhook_endpoints, generate_series(1, $2::int) where id = $1`,
    [endpointId, many, state],
  )

describe('endpoints of a user', () => {
  it('are five at most, requests at the same time included', async () => {
    const create = () => createEndpoint(given.as('anna'), { url, events: null })
    const results = await Promise.allSettled(Array.from({ length: mostEndpoints.user + 3 }, create))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    expect(refused).toHaveLength(3)
    for (const error of refused) expect(error).toMatchObject({ code: 'conflict' })
    await expect(createEndpoint(given.as('bert'), { url, events: null })).resolves.toBeDefined()
  })
})

describe('deliveries', () => {
  it('are bounded while an endpoint fails: it is disabled', async () => {
    const endpointId = await given.listen(given.as('carla'))
    await given.world.sql(
      "update webhook_endpoints set failing_since = now(), next_attempt_at = now() + interval '1 hour'",
    )
    await fill(endpointId, 10_000)
    await given.deliver()
    expect(await given.count("webhook_endpoints where state = 'enabled'")).toBe(1)
    await fill(endpointId, 1)
    await given.deliver()
    expect(await given.count("webhook_endpoints where state = 'disabled' and disabled_reason = 'behind'")).toBe(1)
    expect(await given.count("webhook_deliveries where state = 'pending'")).toBe(0)
  })

  it('are kept for the newest of a user’s endpoint once they have ended', async () => {
    const endpointId = await given.listen(given.as('dora'))
    await fill(endpointId, 1100, 'delivered')
    await given.world.sql(
      "update webhook_deliveries set created_at = now() - interval '1 hour' where state = 'delivered'",
    )
    await fill(endpointId, 5)
    await given.world.sql('select app.trim_deliveries($1, 1000)', [endpointId])
    expect(await given.count('webhook_deliveries')).toBe(1000)
    expect(await given.count("webhook_deliveries where state = 'pending'")).toBe(5)
  })
})

describe('an endpoint that hangs', () => {
  it('gets one request of its batch at a time, and delays no other', async () => {
    const slow = await given.listen(given.as('emil'))
    const quick = await given.listen(given.as('fritz'))
    await fill(slow, 50)
    await fill(quick, 50)
    given.receiver.outcomes = ['break', 'break', 'break', 'break']
    await deliverEvents(given.job(), slow)
    const asked = given.receiver.requests
    // The four that were under way.
    await deliverEvents(given.job(), slow)
    expect(given.receiver.requests).toBe(asked)
    await given.elapse()
    given.receiver.outcomes = ['break']
    await deliverEvents(given.job(), slow)
    expect(given.receiver.requests).toBe(asked + 1)
    for (let round = 0; round < 3; round += 1) await deliverEvents(given.job(), quick)
    expect(await given.count("webhook_deliveries where state = 'delivered' and endpoint_id = $1", [quick])).toBe(50)
  })

  it('is held by one consumer at a time', async () => {
    const endpointId = await given.listen(given.as('gerda'))
    await fill(endpointId, 10)
    await Promise.all(Array.from({ length: 4 }, () => deliverEvents(given.job(), endpointId)))
    expect(given.receiver.events).toHaveLength(10)
    expect(new Set(given.receiver.events.map(({ id }) => id)).size).toBe(10)
  })

  it('keeps the lease of the next consumer when a slow one ends whose lease was lost', async () => {
    const endpointId = await given.listen(given.as('ida'))
    await fill(endpointId, 1)
    let answer: (response: Response) => void = () => undefined
    const slow = {
      ...given.job(),
      services: {
        ...given.services,
        callEndpoint: () =>
          new Promise<Response>((resolve) => {
            answer = resolve
          }),
      },
    }
    const ending = deliverEvents(slow, endpointId)
    await expect.poll(() => given.count('webhook_endpoints where lease_owner is not null')).toBe(1)
    const other = crypto.randomUUID()
    await given.world.sql(
      "update webhook_endpoints set lease_owner = $1, lease_expires_at = now() + interval '1 minute', failures = 3",
      [other],
    )
    answer(new Response(null, { status: 204 }))
    await ending
    // What it delivered counts; the lease and the failures are the other's.
    expect(await given.count("webhook_deliveries where state = 'delivered'")).toBe(1)
    expect(await given.count('webhook_endpoints where lease_owner = $1 and failures = 3', [other])).toBe(1)
  })

  it('is delivered by the next consumer after one died, once the lease has ended', async () => {
    const endpointId = await given.listen(given.as('hanna'))
    await fill(endpointId, 3)
    const dying = {
      ...given.job(),
      services: { ...given.services, callEndpoint: () => new Promise<Response>(() => undefined) },
    }
    void deliverEvents(dying, endpointId).catch(() => undefined)
    await expect.poll(() => given.count('webhook_endpoints where lease_owner is not null')).toBe(1)
    await deliverEvents(given.job(), endpointId)
    expect(given.receiver.events).toEqual([])
    await given.world.sql("update webhook_endpoints set lease_expires_at = now() - interval '1 second'")
    await deliverEvents(given.job(), endpointId)
    expect(given.receiver.events).toHaveLength(3)
  })
})
