// A world with a receiver of events in place of the internet.
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest'
import { applicationIdentity } from '../../../src/auth/application-identity.ts'
import type { Ctx, Services, User } from '../../../src/context.ts'
import { deliverEvents } from '../../../src/events/deliver.ts'
import { createEndpoint } from '../../../src/events/manage-endpoints.ts'
import { enqueueDueEvents } from '../../../src/events/enqueue-due.ts'
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
  /** A new application of the issuer, as its key acts without a user. Without an issuer, that of every user here. */
  readonly asApplication: (issuer?: string) => Promise<Ctx<User> & { readonly applicationId: string }>
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
    await part('world').sql('delete from api_keys')
    await part('world').sql('delete from applications')
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
    asApplication: async (issuer = 'wealthnavigator-edge') => {
      const [applicationId, id] = [crypto.randomUUID(), crypto.randomUUID()]
      const sql: World['sql'] = async (text, params) => await listening.world.sql(text, params)
      await sql("insert into applications (id, name, issuer) values ($1, 'app', $2)", [applicationId, issuer])
      await sql(
        `insert into api_keys (id, application_id, name, prefix, digest, scopes)
          values ($1::uuid, $2, 'server', 'wn_test_', decode(md5($1::uuid::text), 'hex'), '{webhooks}')`,
        [id, applicationId],
      )
      const identity = applicationIdentity(applicationId)
      const apiKey = { id, prefix: 'wn_test_example0', actsAs: 'application', applicationId } as const
      const ctx = listening.as('nobody')
      return { ...ctx, applicationId, actor: { ...ctx.actor, identity, scopes: ['webhooks'], apiKey } }
    },
    job: () => ({ ...listening.world.job(), services: listening.services }),
    listen: async (ctx, events = null) => {
      const { endpoint, secret } = await createEndpoint(ctx, { url, events })
      expect(endpoint.state).toBe('enabled')
      listening.receiver.secrets.push(secret)
      return endpoint.id
    },
    deliver: async () => {
      await enqueueDueEvents(listening.job())
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
