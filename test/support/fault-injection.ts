// An isolate that dies: at its nth call to the outside (database, Plaid, queue), just before the call or just after it
// took effect, it is gone, and whatever it would have done afterwards does not happen.
import type { ApiDatabase, JobsDatabase } from '../../src/db/core/client.ts'
import type { Services } from '../../src/context.ts'

export type Moment = 'before' | 'after'

export interface Mortal {
  readonly services: Services
  /** Names of the calls so far, in order. */
  readonly calls: readonly string[]
  readonly isDead: () => boolean
}

/** `dieAt` counts from 1; 0 never dies. */
export function mortal(services: Services, dieAt: number, moment: Moment): Mortal {
  const calls: string[] = []
  let dead = false
  const die = (): never => {
    dead = true
    throw new Error('the isolate died')
  }
  const guard = async <Result>(name: string, act: () => Promise<Result>): Promise<Result> => {
    if (dead) return die()
    calls.push(name)
    const isLast = calls.length === dieAt
    if (isLast && moment === 'before') return die()
    const result = await act()
    return isLast ? die() : result
  }
  const database = <Database extends ApiDatabase | JobsDatabase>(name: string, given: Database): Database => {
    const guarded = (connection: Database['connection']): Database['connection'] =>
      new Proxy(connection, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property)
          if (typeof value !== 'function') return value
          return property === 'batch'
            ? (...args: unknown[]) => guard(name, async () => await Reflect.apply(value, target, args))
            : (...args: unknown[]) => Reflect.apply(value, target, args)
        },
      })
    return { ...given, connection: guarded(given.connection), patient: guarded(given.patient) }
  }
  const plaid = (given: Services['plaid']): Services['plaid'] =>
    new Proxy(given, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) =>
          guard(`plaid.${String(property)}`, async () => await Reflect.apply(value, target, args))
      },
    })
  return {
    calls,
    isDead: () => dead,
    services: {
      ...services,
      plaid: plaid(services.plaid),
      plaidFor: (caller) => plaid(services.plaidFor(caller)),
      api: database('api', services.api),
      jobs: database('jobs', services.jobs),
      enqueue: (...args) => guard('enqueue', () => services.enqueue(...args)),
      enqueueLinkSessions: (...args) => guard('enqueue', () => services.enqueueLinkSessions(...args)),
      enqueueRotation: (...args) => guard('enqueueRotation', () => services.enqueueRotation(...args)),
    },
  }
}
