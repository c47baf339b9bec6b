// Receives a simulator's webhooks, so that a test can deliver them to the Worker itself: late, twice, in another order,
// or not at all.
import type { Delivery } from './stack.ts'

export interface Receivers {
  open(): { id: string }
  /** Keeps one delivery. An unknown receiver refuses it, so that no delivery is lost unnoticed. */
  keep(id: string, delivery: Delivery): void
  /** Returns the deliveries since the last call. */
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
