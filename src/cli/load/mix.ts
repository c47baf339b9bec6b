// Reads, webhooks and requested syncs at the same time, as in a day of use.
import { eventsStored, judgeBooks } from './books.ts'
import { fire, type Shot } from './generator.ts'
import { type LocalStack, originOf } from './local-stack.ts'
import { firePaced } from './paced.ts'
import { type Member, readsOf } from './population.ts'
import { type Finding, type Traffic, trafficOf, type Outcome } from './traffic.ts'
import { collect } from './webhooks.ts'

/** Of the saturation rate. */
const webhookShare = 0.1
const fewestWebhooks = 20
const syncsPerSecond = 1

export interface Mixed {
  readonly traffic: readonly Traffic[]
  readonly findings: readonly Finding[]
}

const syncOf = ({ itemId, headers }: Member): Shot => ({
  path: `/api/v1/plaid/sync/item/${itemId}`,
  method: 'POST',
  headers,
})

export async function measureMix(
  stack: LocalStack,
  members: readonly Member[],
  { seconds, connections, saturation }: { seconds: number; connections: number; saturation: number },
  signal: AbortSignal,
): Promise<Mixed> {
  const perSecond = Math.max(1, saturation * webhookShare)
  const wanted = Math.max(fewestWebhooks, Math.ceil(perSecond * seconds))
  const webhooks = (await collect(stack, members, wanted, signal)).slice(0, wanted)
  const before = await eventsStored(stack)
  const origin = originOf(stack.worker)
  const count = Math.max(1, Math.min(members.length, seconds * syncsPerSecond))
  const syncs = members.slice(0, count).map(syncOf)
  const started = performance.now()
  const [reads, delivered, synced] = await Promise.all([
    fire({ origin, shots: readsOf(members), connections, seconds, signal }),
    firePaced({ origin, shots: webhooks, perSecond, signal }),
    firePaced({ origin, shots: syncs, perSecond: syncsPerSecond, signal }),
  ])
  const elapsed = (performance.now() - started) / 1000
  const accepted = delivered.filter(({ status }) => status >= 200 && status < 300).length
  const books = await judgeBooks(stack, members, { accepted, sent: webhooks.length }, before, signal)
  const all: Outcome[] = [...reads.outcomes, ...delivered, ...synced]
  return {
    traffic: [
      trafficOf('mix', all, elapsed),
      trafficOf('mix: reads', reads.outcomes, reads.seconds),
      trafficOf('mix: webhooks', delivered, elapsed),
      trafficOf('mix: syncs', synced, elapsed),
    ],
    findings: books.map((finding) => ({ ...finding, name: `mix: ${finding.name}` })),
  }
}
