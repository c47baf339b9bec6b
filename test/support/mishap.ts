// What can befall a piece of work at its nth call to the outside (database, Plaid, queue): the isolate dies there, or it lives
// on and the call fails; and either way the call took effect or did not.
import type { ApiDatabase, JobsDatabase } from '../../src/db/core/client.ts'
import type { Plaid } from '../../src/plaid/endpoints.ts'
import type { Services } from '../../src/context.ts'

export const mishaps = ['dies before', 'dies after', 'fails before', 'answer lost'] as const
export type Mishap = (typeof mishaps)[number]

export interface Unlucky {
  readonly services: Services
  /** Names of the calls that were made or tried, in order. */
  readonly calls: readonly string[]
}

/** What Plaid's client answers for a connection that was cut. */
const noAnswer = {
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

/** `at` counts from 1; with 0 nothing happens. */
export function unlucky(services: Services, at: number, mishap: Mishap): Unlucky {
  const calls: string[] = []
  let dead = false
  const throwing = (): never => {
    throw new TypeError(dead ? 'the isolate died' : 'the connection was cut')
  }
  const guard = async (name: string, act: () => unknown, failing: () => unknown): Promise<unknown> => {
    if (dead) return throwing()
    calls.push(name)
    if (calls.length !== at) return await act()
    if (mishap === 'dies after' || mishap === 'answer lost') await act()
    dead = mishap === 'dies before' || mishap === 'dies after'
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
    patient: guarded(given.patient, (property) => (property === 'batch' ? name : null), throwing),
  })
  const plaid = (given: Plaid): Plaid =>
    guarded(
      given,
      (property) => `plaid.${property}`,
      () => noAnswer,
    )
  /** A queue that fails takes nothing; its producer does not reject. */
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
  return {
    calls,
    services: {
      ...services,
      plaid: plaid(services.plaid),
      plaidFor: (caller) => plaid(services.plaidFor(caller)),
      api: database('api', services.api),
      jobs: database('jobs', services.jobs),
      enqueue: queue('enqueue', services.enqueue),
      enqueueLinkSessions: queue('enqueueLinkSessions', services.enqueueLinkSessions),
      async enqueueRotation(item) {
        let isTaken = false
        const act = async () => {
          isTaken = await services.enqueueRotation(item)
        }
        await guard('enqueueRotation', act, () => {
          isTaken = false
        })
        return isTaken
      },
    },
  }
}
