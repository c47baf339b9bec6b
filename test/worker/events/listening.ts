// A world with a receiver of events in place of the internet.
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest'
import type { Ctx, Services, User } from '../../../src/context.ts'
import { deliverEvents } from '../../../src/events/deliver.ts'
import { createEndpoint } from '../../../src/events/manage-endpoints.ts'
import { wakeDueEvents } from '../../../src/events/waker.ts'
import { createEventReceiver, type EventReceiver } from '../../support/event-receiver.ts'
import { createWorld, type World } from '../../support/world.ts'

export const url = 'http://127.0.0.1:9/events'

export interface Listening {
  world: World
  receiver: EventReceiver
  /** The services of the world, with this receiver. */
  services: Services
  /** Endpoints whose message waits in the queue. */
  woken: string[]
  readonly as: (subject: string) => Ctx<User>
  readonly asAdministrator: () => Ctx<User>
  readonly job: () => Ctx
  /** Makes an endpoint, whose secret the receiver then knows. */
  readonly listen: (ctx: Ctx<User>, events?: readonly string[] | null) => Promise<string>
  /** Delivers until nothing is due. */
  readonly deliver: () => Promise<void>
  /** Lets the pauses of endpoints and deliveries pass. */
  readonly elapse: () => Promise<void>
  readonly count: (from: string, params?: readonly unknown[]) => Promise<number>
}

/** For the tests of one file. */
export function useListening(): Listening {
  const given: Partial<Pick<Listening, 'world' | 'receiver' | 'services' | 'woken'>> = {}
  const part = <Name extends keyof typeof given>(name: Name): NonNullable<(typeof given)[Name]> => {
    const value = given[name]
    if (value === undefined) throw new Error('the test has not begun')
    return value
  }
  beforeAll(async () => {
    given.world = await createWorld(inject('control'), { rateLimits: false })
  })
  afterAll(() => given.world?.stop())
  beforeEach(() => {
    const receiver = createEventReceiver()
    const woken: string[] = []
    Object.assign(given, {
      receiver,
      woken,
      services: {
        ...part('world').services,
        callEndpoint: receiver.call,
        enqueueDeliveries: (ids: readonly string[]) => {
          woken.push(...ids)
          return Promise.resolve([])
        },
      },
    })
  })
  afterEach(async () => {
    await part('world').sql('delete from webhook_endpoints')
    part('world').queue.length = 0
  })
  const listening: Listening = {
    get world() {
      return part('world')
    },
    get receiver() {
      return part('receiver')
    },
    get services() {
      return part('services')
    },
    get woken() {
      return part('woken')
    },
    as: (subject) => ({ ...listening.world.user(subject), services: listening.services }),
    asAdministrator: () => {
      const ctx = listening.as('operator')
      return { ...ctx, actor: { ...ctx.actor, role: 'admin', isAdministering: true } }
    },
    job: () => ({ ...listening.world.job(), services: listening.services }),
    listen: async (ctx, events = null) => {
      const { endpoint, secret } = await createEndpoint(ctx, { url, events })
      expect(endpoint.state).toBe('enabled')
      listening.receiver.secrets.push(secret)
      return endpoint.id
    },
    deliver: async () => {
      await wakeDueEvents(listening.job())
      while (listening.woken.length > 0) await deliverEvents(listening.job(), listening.woken.shift() ?? '')
    },
    elapse: async () => {
      await listening.world.sql('update webhook_endpoints set next_attempt_at = now(), woken_until = null')
      await listening.world.sql("update webhook_deliveries set next_attempt_at = now() where state = 'pending'")
    },
    count: async (from, params = []) =>
      Number((await listening.world.sql(`select count(*) as n from ${from}`, params))[0]?.['n']),
  }
  return listening
}
