// Makes one call of the services fail: the nth call to the database, Plaid or a queue. The isolate dies there, or it lives
// on and the call fails; in both cases the call took effect or did not.
import type { Services } from '../../src/context.ts'
import type { ApiDatabase, JobsDatabase } from '../../src/db/core/client.ts'
import type { Plaid } from '../../src/plaid/endpoints.ts'

export type Moment = 'before' | 'after'

/**
 * `before` and `after` say whether the call took effect. Once the isolate is dead, every later call fails and has no effect.
 * After `fails before` and `loses the response` the isolate lives on.
 */
export const callFaults = ['dies before', 'dies after', 'fails before', 'loses the response'] as const
export type CallFault = (typeof callFaults)[number]

export interface FailAt {
  /** Counts from 1. 0 makes no call fail. */
  readonly call: number
  readonly fault: CallFault
}

export interface FaultyServices {
  readonly services: Services
  /** Names of the calls that were made or tried, in order. */
  readonly calls: readonly string[]
  readonly isDead: () => boolean
}

/** What Plaid's client returns when the connection is cut. */
const noResponse = {
  ok: false,
  failure: {
    class: 'retry',
    errorType: 'NETWORK',
    errorCode: 'NO_ANSWER',
    status: 0,
    requestId: null,
    retryAfterSeconds: null,
  },
} as const

export function failAt(services: Services, { call, fault }: FailAt): FaultyServices {
  const calls: string[] = []
  let dead = false
  const throwing = (): never => {
    throw new TypeError(dead ? 'the isolate died' : 'the connection was cut')
  }
  const guard = async (name: string, act: () => unknown, failing: () => unknown): Promise<unknown> => {
    if (dead) return throwing()
    calls.push(name)
    if (calls.length !== call) return await act()
    if (fault === 'dies after' || fault === 'loses the response') await act()
    dead = fault === 'dies before' || fault === 'dies after'
    return dead ? throwing() : failing()
  }
  const guarded = <Target extends object>(
    target: Target,
    name: (property: string) => string | null,
    failing: () => unknown,
  ): Target =>
    new Proxy(target, {
      get(given, property) {
        const value: unknown = Reflect.get(given, property)
        if (typeof value !== 'function') return value
        const called = name(String(property))
        return (...args: unknown[]) =>
          called === null
            ? Reflect.apply(value, given, args)
            : guard(called, () => Reflect.apply(value, given, args), failing)
      },
    })
  const database = <Given extends ApiDatabase | JobsDatabase>(name: string, given: Given): Given => ({
    ...given,
    connection: guarded(given.connection, (property) => (property === 'batch' ? name : null), throwing),
    slowConnection: guarded(given.slowConnection, (property) => (property === 'batch' ? name : null), throwing),
  })
  const plaid = (given: Plaid): Plaid =>
    guarded(
      given,
      (property) => `plaid.${property}`,
      () => noResponse,
    )
  /** A queue that fails accepts no message; its producer does not reject. */
  const queue =
    <Rest extends unknown[]>(
      name: string,
      send: (ids: readonly string[], ...rest: Rest) => Promise<readonly string[]>,
    ) =>
    async (ids: readonly string[], ...rest: Rest): Promise<readonly string[]> => {
      let refused = ids
      const act = async () => {
        refused = await send(ids, ...rest)
      }
      await guard(name, act, () => {
        refused = ids
      })
      return refused
    }
  /** The same for one message: the producer returns whether the queue took it. */
  const single =
    <Args extends unknown[]>(name: string, send: (...args: Args) => Promise<boolean>) =>
    async (...args: Args): Promise<boolean> => {
      let isTaken = false
      const act = async () => {
        isTaken = await send(...args)
      }
      await guard(name, act, () => {
        isTaken = false
      })
      return isTaken
    }
  return {
    calls,
    isDead: () => dead,
    services: {
      ...services,
      plaid: plaid(services.plaid),
      plaidFor: (caller) => plaid(services.plaidFor(caller)),
      api: database('api', services.api),
      jobs: database('jobs', services.jobs),
      enqueue: queue('enqueue', services.enqueue),
      enqueueLinkSessions: queue('enqueueLinkSessions', services.enqueueLinkSessions),
      enqueueRotation: single('enqueueRotation', services.enqueueRotation),
      enqueueRewrap: single('enqueueRewrap', services.enqueueRewrap),
      enqueueErasure: single('enqueueErasure', services.enqueueErasure),
    },
  }
}
