// Webhooks that the simulator has sent and the Worker has not received yet.
import type { Delivery } from '../stack.ts'
import type { World } from '../world.ts'

export interface Mail {
  /** Takes out one of the waiting webhooks. */
  take(nth: number): Promise<Delivery | undefined>
  /** Keeps the webhook for another delivery. */
  putBack(delivery: Delivery): void
  /** Drops the webhook, unless it is the only sign of what it reports. */
  lose(delivery: Delivery): void
  /** Waits for the webhook about a revoked account. */
  expectRevocation(accountId: string): Promise<void>
  /** Delivers the webhooks that Plaid must not lose, and drops the others. */
  finish(): Promise<void>
}

/** Only this webhook reports a revoked account, so one of Plaid's retries must arrive in the end. */
const isRevocation = ({ body }: Delivery): boolean => body.includes('USER_ACCOUNT_REVOKED')
/** The simulator sends in the background. A webhook that has not arrived after this many requests never does. */
const mostLooks = 2000

export function createMail(world: World): Mail {
  const waiting: Delivery[] = []
  const collect = async (): Promise<void> => {
    waiting.push(...(await world.delivered()))
  }
  const putBack = (delivery: Delivery): void => void waiting.push(delivery)
  return {
    putBack,
    async take(nth) {
      await collect()
      return waiting.length === 0 ? undefined : waiting.splice(nth % waiting.length, 1)[0]
    },
    lose(delivery) {
      if (isRevocation(delivery)) putBack(delivery)
    },
    async expectRevocation(accountId) {
      const isThere = (): boolean => waiting.some((one) => isRevocation(one) && one.body.includes(accountId))
      for (let look = 0; look < mostLooks && !isThere(); look += 1) await collect()
      if (!isThere()) throw new Error('no webhook reported a revoked account')
    },
    async finish() {
      await collect()
      for (const delivery of waiting.splice(0).filter(isRevocation)) await world.deliver(delivery)
    },
  }
}
