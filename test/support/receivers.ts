// Places where a simulator's webhooks can be delivered, so that a test may carry them to the Worker as it likes: late,
// twice, in another order, or not at all.
import type { Delivery } from './stack.ts'

export interface Receivers {
  open(): { id: string }
  /** Keeps one delivery. An unknown receiver refuses, so that nothing is lost unseen. */
  keep(id: string, delivery: Delivery): void
  /** Hands out what came since the last call. */
  take(id: string): Delivery[]
}

export function createReceivers(): Receivers {
  const kept = new Map<string, Delivery[]>()
  const of = (id: string): Delivery[] => {
    const deliveries = kept.get(id)
    if (deliveries === undefined) throw new Error(`${id} is no receiver of this run`)
    return deliveries
  }
  return {
    open() {
      const id = String(kept.size + 1)
      kept.set(id, [])
      return { id }
    },
    keep: (id, delivery) => void of(id).push(delivery),
    take: (id) => of(id).splice(0),
  }
}
