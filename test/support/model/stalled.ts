// Holds up a sync run at one of its calls to Plaid.
import type { Services } from '../../../src/context.ts'
import type { Moment } from '../fault-injection.ts'

/** Services whose nth call to Plaid waits for the gate, before the call or before its response. */
export function stalled(services: Services, afterCalls: number, gate: Promise<void>, moment: Moment = 'before') {
  const reached = Promise.withResolvers<void>()
  let calls = 0
  const slow = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(from, property) {
        const value: unknown = Reflect.get(from, property)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          calls += 1
          const isHeldUp = calls === afterCalls
          const wait = async () => {
            reached.resolve()
            await gate
          }
          if (isHeldUp && moment === 'before') await wait()
          const answer: unknown = await Reflect.apply(value, from, args)
          if (isHeldUp && moment === 'after') await wait()
          return answer
        }
      },
    })
  return {
    reached: reached.promise,
    services: {
      ...services,
      plaid: slow(services.plaid),
      plaidFor: (caller: Parameters<Services['plaidFor']>[0]) => slow(services.plaidFor(caller)),
    },
  }
}
