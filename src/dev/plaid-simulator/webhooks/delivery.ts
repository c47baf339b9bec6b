// Sends webhooks as Plaid does: signed again at every attempt, in order per item, with Plaid's retries. A failed
// delivery never fails the request that caused it.
import type { Timers } from '../lib/timers.ts'
import type { Settings } from '../state/options.ts'
import type { Delivery, DeliveryFaults, SigningKeys, WebhookDelivery } from '../state/webhooks.ts'

/**
 * The last retry comes this long after the first attempt, as at Plaid. In units of the retry base, so that tests can be
 * quick.
 */
const lastRetryInBases = (24 * 3600) / 30
/** Plaid stops retrying if a receiver rejects more than this share of a day's attempts. */
const refusedShare = 0.9
/** With fewer attempts the share is not computed. */
const fewAttempts = 10
/** Deliveries held back for reordering are sent after this time at the latest. */
const longestHoldMs = 2000

export interface DeliveryParts {
  keys: SigningKeys
  timers: Timers
  settings: Pick<Settings, 'webhookRetryBaseMs' | 'webhookTimeoutMs' | 'log'>
}

export function webhookDelivery({ keys, timers, settings }: DeliveryParts): WebhookDelivery {
  const deliveries: Delivery[] = []
  const queues = new Map<string, Promise<void>>()
  const held: Delivery[] = []
  const faults: DeliveryFaults = { duplicate: 0, reorder: 0, delayMs: 0, drop: 0, tampering: null }

  /** First attempts of one item run one after the other. Retries do not delay later webhooks. */
  const enqueue = (delivery: Delivery): void => {
    const queue = delivery.item_id ?? delivery.url
    const before = queues.get(queue) ?? Promise.resolve()
    const work = before.then(() => attempt(delivery, 0, 0))
    queues.set(queue, work)
    timers.follow(work)
  }

  const attempt = async (delivery: Delivery, retries: number, waitedMs: number): Promise<void> => {
    if (timers.signal.aborted) return
    const { status, error, retryAfterMs } = await post(delivery)
    if (timers.signal.aborted) return
    delivery.attempts.push({ at: new Date().toISOString(), status, ...(error !== null && { error }) })
    if (status === 200) {
      delivery.state = 'delivered'
      return
    }
    const waitMs = Math.max(settings.webhookRetryBaseMs * 4 ** retries, retryAfterMs)
    const givenUp =
      waitedMs + waitMs > settings.webhookRetryBaseMs * lastRetryInBases || mostlyRefused(deliveries, delivery.url)
    delivery.state = givenUp ? 'failed' : 'retrying'
    if (!givenUp) timers.after(waitMs, () => attempt(delivery, retries + 1, waitedMs + waitMs))
  }

  const post = async ({ url, body }: Delivery): Promise<Outcome> => {
    const signed = keys.signed(JSON.stringify(body, null, 2), Date.now(), faults.tampering)
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json',
          ...(signed.jwt !== null && { 'plaid-verification': signed.jwt }),
        },
        body: signed.body,
        signal: AbortSignal.any([timers.signal, AbortSignal.timeout(settings.webhookTimeoutMs)]),
      })
      await response.body?.cancel()
      return { status: response.status, error: null, retryAfterMs: retryAfter(response) }
    } catch (error) {
      return { status: null, error: error instanceof Error ? error.name : 'unknown', retryAfterMs: 0 }
    }
  }

  const release = (): void => {
    for (const delivery of held.splice(0).toReversed()) enqueue(delivery)
  }

  const hold = (delivery: Delivery): void => {
    held.push(delivery)
    faults.reorder -= 1
    if (faults.reorder === 0) release()
    else timers.after(longestHoldMs, release)
  }

  const dispatch = (delivery: Delivery): void => {
    if (faults.reorder > 0) hold(delivery)
    else enqueue(delivery)
  }

  return {
    deliveries,
    faults,
    release,
    send(itemId, url, body) {
      const delivery: Delivery = {
        id: deliveries.length + 1,
        item_id: itemId,
        url,
        body,
        state: 'waiting',
        attempts: [],
      }
      deliveries.push(delivery)
      if (faults.drop > 0) {
        faults.drop -= 1
        delivery.state = 'dropped'
        return delivery
      }
      const copies = faults.duplicate > 0 ? 2 : 1
      faults.duplicate = Math.max(0, faults.duplicate - 1)
      for (let copy = 0; copy < copies; copy += 1) {
        if (faults.delayMs > 0) timers.after(faults.delayMs, () => dispatch(delivery))
        else dispatch(delivery)
      }
      return delivery
    },
  }
}

interface Outcome {
  status: number | null
  error: string | null
  retryAfterMs: number
}

/** The wait that a 429 response asks for, in milliseconds. Reads only the seconds form of RFC 9110 §10.2.3. */
function retryAfter(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? '')
  return response.status === 429 && Number.isFinite(seconds) ? seconds * 1000 : 0
}

function mostlyRefused(deliveries: readonly Delivery[], url: string): boolean {
  const dayAgo = new Date(Date.now() - 24 * 3600 * 1000).toISOString()
  const recent = deliveries.filter((delivery) => delivery.url === url).flatMap(({ attempts }) => attempts)
  const counted = recent.filter(({ at }) => at > dayAgo)
  const refused = counted.filter(({ status }) => status !== 200)
  return counted.length >= fewAttempts && refused.length > counted.length * refusedShare
}
