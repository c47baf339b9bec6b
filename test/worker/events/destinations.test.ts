// Where an endpoint may not lead, where deployed.
import { describe, expect, it } from 'vitest'
import type { Ctx, Services, User } from '../../../src/context.ts'
import { deliverEvents } from '../../../src/events/deliver.ts'
import { changeEndpoint, createEndpoint, pingEndpoint } from '../../../src/events/manage-endpoints.ts'
import type { Resolution } from '../../../src/events/resolve.ts'
import { url as loopback, useListening } from './listening.ts'

const given = useListening()
const url = 'https://app.example.com/events'
const down = new Error('the resolver is down')

const resolve = (result: Resolution | Error): Promise<Resolution> =>
  result instanceof Error ? Promise.reject(result) : Promise.resolve(result)

/** The services where deployed, with a resolver that returns this, or fails. */
function deployed(resolution: () => Resolution | Error): Services {
  const { services } = given
  const config = { ...services.config, environment: 'production' } as const
  return { ...services, config, resolveHost: () => resolve(resolution()) }
}
const asDeployed = (subject: string, resolution: () => Resolution | Error): Ctx<User> => ({
  ...given.as(subject),
  services: deployed(resolution),
})

describe('an endpoint', () => {
  it('is not created where its name leads to a private address, nor called', async () => {
    for (const [resolution, code] of [
      ['not_public', 'validation_failed'],
      ['unknown_host', 'validation_failed'],
      [down, 'unavailable'],
    ] as const)
      await expect(
        createEndpoint(
          asDeployed('anna', () => resolution),
          { url, events: null },
        ),
      ).rejects.toMatchObject({ code })
    await expect(
      createEndpoint(
        asDeployed('anna', () => 'public'),
        { url: loopback, events: null },
      ),
    ).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [{ pointer: '#/url' }],
    })
    expect(given.receiver.requests).toBe(0)
    expect(await given.count('webhook_endpoints')).toBe(0)
  })

  it('cannot be moved to a private address', async () => {
    let resolution: Resolution = 'public'
    const ctx = asDeployed('bert', () => resolution)
    const { endpoint } = await createEndpoint(ctx, { url, events: null })
    expect(endpoint.state).toBe('enabled')
    resolution = 'not_public'
    await expect(changeEndpoint(ctx, endpoint.id, { url: 'https://other.example.com/' })).rejects.toMatchObject({
      code: 'validation_failed',
    })
    expect(await given.count('webhook_endpoints where url = $1', [url])).toBe(1)
  })

  it('must return a challenge at a new URL before it gets events there', async () => {
    const ctx = asDeployed('carla', () => 'public')
    const { endpoint } = await createEndpoint(ctx, { url, events: null })
    given.receiver.answersChallenges = false
    const moved = await changeEndpoint(ctx, endpoint.id, { url: 'https://other.example.com/' })
    expect(moved.state).toBe('unverified')
  })

  it('is disabled, and not called, when its name leads to a private address later', async () => {
    let resolution: Resolution | Error = 'public'
    const ctx = asDeployed('dora', () => resolution)
    const { endpoint } = await createEndpoint(ctx, { url, events: null })
    await pingEndpoint(ctx, endpoint.id)
    const asked = given.receiver.requests
    resolution = down
    await deliverEvents({ ...given.job(), services: ctx.services }, endpoint.id)
    expect(await given.count("webhook_endpoints where state = 'enabled'")).toBe(1)
    expect(given.world.lines.filter((line) => line.includes('event_host_not_resolved'))).toEqual([
      expect.stringContaining(down.message),
    ])
    await given.elapse()
    resolution = 'not_public'
    await deliverEvents({ ...given.job(), services: ctx.services }, endpoint.id)
    expect(given.receiver.requests).toBe(asked)
    expect(await given.count("webhook_endpoints where state = 'disabled' and disabled_reason = 'unsafe'")).toBe(1)
  })

  it('is disabled, and not called, when the rules no longer allow its URL', async () => {
    const endpointId = await given.listen(given.as('emil'))
    await pingEndpoint(given.as('emil'), endpointId)
    const asked = given.receiver.requests
    // Loopback is allowed in development alone.
    await deliverEvents({ ...given.job(), services: deployed(() => 'public') }, endpointId)
    expect(given.receiver.requests).toBe(asked)
    expect(await given.count("webhook_endpoints where disabled_reason = 'unsafe'")).toBe(1)
  })

  it('is not followed to where it redirects', async () => {
    const endpointId = await given.listen(given.as('fritz'))
    await pingEndpoint(given.as('fritz'), endpointId)
    given.receiver.outcomes = [302]
    const asked = given.receiver.requests
    await given.deliver()
    expect(given.receiver.requests).toBe(asked + 1)
    expect(await given.count("webhook_deliveries where last_status = 302 and state = 'pending'")).toBe(1)
  })
})
