// Webhooks at full rate, which is the saturation rate, and at half of it. Each delivery has its own signature and is sent
// once.
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { rounded } from '../bench/result.ts'
import { eventsStored, judgeBooks } from './books.ts'
import { fire, type Shot } from './generator.ts'
import { type LocalStack, originOf } from './local-stack.ts'
import { firePaced } from './paced.ts'
import { type Member, post, whenIdle } from './population.ts'
import { type Finding, type Outcome, type Traffic, trafficOf } from './traffic.ts'

/** Enough to find out roughly how many a phase can send. */
const rehearsal = 100
const mostDeliveries = 30_000
/** Room for a faster machine than the rehearsal showed. */
const margin = 1.5
const mostAcknowledgeMs = 50
/** Requests to the bank at the same time. */
const lanes = 8
/** Clearly below the five minutes for which Plaid's signatures are valid. */
const longestCollectionMs = 120_000
const pollMs = 20
/** For the deliveries that a phase did not reach. */
const longestRestSeconds = 120

export interface Webhooks {
  readonly traffic: readonly Traffic[]
  readonly findings: readonly Finding[]
  /** Webhooks a second at which the Worker is saturated. */
  readonly saturation: number
}

const changeSchema = z.object({ webhooks: z.array(z.unknown()) })

/** Lets the bank send about so many signed webhooks, or fewer where it takes too long. Each is about a new transaction. */
export async function collect(
  stack: LocalStack,
  members: readonly Member[],
  wanted: number,
  signal: AbortSignal,
): Promise<Shot[]> {
  const { bank, deliveries } = stack
  const until = performance.now() + longestCollectionMs
  deliveries.take()
  let [turn, announced] = [0, 0]
  const lane = async (): Promise<void> => {
    while (announced < wanted && performance.now() < until) {
      signal.throwIfAborted()
      const member = members[turn % members.length]
      turn += 1
      if (member === undefined) throw new Error('There is no user.')
      const changed = await post(`${bank.url}/simulator/items/${member.plaidItemId}/bank`, {}, { add: 1 })
      announced += changeSchema.parse(changed).webhooks.length
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  const collected: Shot[] = []
  while (collected.length < announced && performance.now() < until) {
    await delay(pollMs, undefined, { signal })
    collected.push(...deliveries.take())
  }
  if (collected.length === 0) throw new Error('The bank sent no webhook.')
  return collected
}

const countAccepted = (outcomes: readonly Outcome[]): number =>
  outcomes.filter(({ status }) => status >= 200 && status < 300).length

interface Phase {
  readonly stack: LocalStack
  readonly members: readonly Member[]
  readonly seconds: number
  readonly connections: number
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

async function atFullRate(phase: Phase, wanted: number): Promise<{ traffic: Traffic; findings: Finding[] }> {
  const { stack, members, seconds, connections, say, signal } = phase
  const shots = await collect(stack, members, wanted, signal)
  say(`webhooks: sending ${shots.length} signed deliveries at full rate`)
  const before = await eventsStored(stack)
  const origin = originOf(stack.worker)
  const left = new Set(shots)
  const onResponse = (shot: Shot): void => void left.delete(shot)
  const fired = await fire({ origin, shots, connections, seconds, once: true, onResponse, signal })
  let accepted = countAccepted(fired.outcomes)
  if (left.size > 0) {
    // The bank has what they announce. Nothing reads it before they arrive, so the books would differ without a loss.
    say(`webhooks: ${accepted} accepted; sending the other ${left.size}, which are not measured`)
    const rest = { shots: [...left], connections, seconds: longestRestSeconds, once: true, signal }
    accepted += countAccepted((await fire({ origin, ...rest })).outcomes)
  }
  say(`webhooks: ${accepted} accepted; waiting for their syncs`)
  const findings = await judgeBooks(stack, members, { accepted, sent: shots.length }, before, signal)
  return { traffic: trafficOf('webhooks at full rate', fired.outcomes, fired.seconds), findings }
}

/**
 * @param withSyncs whether the queue delivers meanwhile. On Cloudflare its consumers run in other isolates, on other
 *   processors; here they share the isolate and the processors of the acknowledgement.
 */
async function atHalfRate(
  phase: Phase,
  saturation: number,
  withSyncs: boolean,
): Promise<{ traffic: Traffic; findings: Finding[] }> {
  const { stack, members, seconds, say, signal } = phase
  const perSecond = saturation / 2
  const wanted = Math.max(rehearsal, Math.min(mostDeliveries, Math.ceil(perSecond * seconds)))
  const shots = (await collect(stack, members, wanted, signal)).slice(0, wanted)
  const beside = withSyncs ? 'with their syncs' : 'syncs paused'
  say(`webhooks: sending ${shots.length} at ${perSecond} a second, ${beside}`)
  if (!withSyncs) stack.queue.pause()
  const started = performance.now()
  const outcomes = await firePaced({ origin: originOf(stack.worker), shots, perSecond, signal }).finally(() =>
    stack.queue.resume(),
  )
  const traffic = trafficOf(`webhooks at half rate, ${beside}`, outcomes, (performance.now() - started) / 1000)
  await whenIdle(stack, signal)
  const { p99Ms } = traffic
  const name = `webhook acknowledged at half of the saturation rate, p99, ${beside}`
  const target = `< ${mostAcknowledgeMs} ms`
  return { traffic, findings: [{ name, value: p99Ms, unit: 'ms', target, ok: p99Ms < mostAcknowledgeMs }] }
}

export async function measureWebhooks(phase: Phase): Promise<Webhooks> {
  const { say, seconds } = phase
  say('webhooks: rehearsal')
  const first = await atFullRate(phase, rehearsal)
  const wanted = Math.min(mostDeliveries, Math.ceil(first.traffic.perSecond * seconds * margin))
  say(`webhooks: collecting about ${wanted} signed deliveries`)
  const full = await atFullRate(phase, wanted)
  const saturation = full.traffic.perSecond
  say(`webhooks: ${saturation} a second; now half of it`)
  const half = await atHalfRate(phase, saturation, true)
  const alone = await atHalfRate(phase, saturation, false)
  return {
    traffic: [full.traffic, half.traffic, alone.traffic],
    findings: [
      { name: 'webhooks acknowledged at saturation', value: rounded(saturation), unit: 'per second' },
      ...full.findings,
      ...half.findings,
      ...alone.findings,
    ],
    saturation,
  }
}
