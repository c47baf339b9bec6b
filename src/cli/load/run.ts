// The phases of a load run, against a given deployment or one that it starts.
import { fire } from './generator.ts'
import { startLocalStack, originOf } from './local-stack.ts'
import { measureMix } from './mix.ts'
import { measureOneRead } from './one-read.ts'
import type { LoadOptions } from './options.ts'
import { populate, readsOf } from './population.ts'
import type { Report } from './report.ts'
import { soak } from './soak.ts'
import { checkServes, resolveTarget } from './target.ts'
import { criteriaOf, trafficOf } from './traffic.ts'
import { openTarget } from './verified-tls.ts'
import { measureWebhooks } from './webhooks.ts'

export type Say = (line: string) => void

const users = 8

/** Reads only: webhooks need the bank's signature, and a sync would cost calls at Plaid. */
export async function loadTarget(options: LoadOptions, url: string, say: Say, signal: AbortSignal): Promise<Report> {
  const { tokens, isOwn, seconds, connections } = options
  const target = await resolveTarget(url, isOwn)
  await checkServes(target, signal)
  const opened = await openTarget(target)
  try {
    say(`reads at ${connections} connections for ${seconds} s`)
    const shots = readsOf(tokens.map((token) => ({ headers: { host: target.host, authorization: `Bearer ${token}` } })))
    const fired = await fire({ origin: opened.origin, shots, connections, seconds, signal })
    const traffic = trafficOf('reads', fired.outcomes, fired.seconds)
    return { traffic: [traffic], findings: criteriaOf(traffic), notes: [] }
  } finally {
    await opened.close()
  }
}

export async function loadLocally(options: LoadOptions, say: Say, signal: AbortSignal): Promise<Report> {
  const { seconds, connections, soakMinutes } = options
  const stack = await startLocalStack(say, signal)
  try {
    say(`linking ${users} banks`)
    const members = await populate(stack, users, signal)
    const [first] = members
    if (first === undefined) throw new Error('There is no user.')
    say('one read')
    const one = await measureOneRead(stack, first, seconds, signal)
    say(`reads at ${connections} connections`)
    const fired = await fire({ origin: originOf(stack.worker), shots: readsOf(members), connections, seconds, signal })
    const reads = trafficOf('reads', fired.outcomes, fired.seconds)
    const webhooks = await measureWebhooks({ stack, members, seconds, connections, say, signal })
    say('reads, webhooks and syncs')
    const { saturation } = webhooks
    const mix = await measureMix(stack, members, { seconds, connections, saturation }, signal)
    const soaked =
      soakMinutes === null
        ? { traffic: [], findings: [] }
        : await soak(stack, members, { minutes: soakMinutes, connections }, say, signal)
    const [mixed] = mix.traffic
    return {
      traffic: [reads, ...webhooks.traffic, ...mix.traffic, ...soaked.traffic],
      findings: [
        ...one.findings,
        ...criteriaOf(reads),
        ...webhooks.findings,
        ...(mixed === undefined ? [] : criteriaOf(mixed)),
        ...mix.findings,
        ...soaked.findings,
      ],
      notes: one.notes,
    }
  } finally {
    say('stopping')
    await stack.stop()
  }
}
