// Traffic of a deployment in which two versions of the Worker run: each request, webhook, message and cron trigger goes to
// one of the running versions by chance. Database, bank, queue and Durable Objects are shared.
import { expect } from 'vitest'
import * as z from 'zod'
import { type QueueBroker, startQueueBroker } from '../../src/dev/lib/queue-broker.ts'
import type { Version } from '../../src/dev/lib/workerd-config.ts'
import { startWorkerd, type Workerd, type WorkerdOptions } from '../../src/dev/lib/workerd-process.ts'
import { workerVariables } from './bindings.ts'
import { goodClaims, mintToken } from './tokens.ts'
import type { World } from './world.ts'

const sweepCron = '2-57/5 * * * *'
const queueName = 'wealthnavigator-sync'
const manyRequests = 10_000
const idleTimeoutMs = 60_000

export interface Phase {
  readonly name: string
  /** The versions that run. `current` is the module in the first place, also in a rollback. */
  readonly versions: readonly Version[]
  readonly modules: Pick<WorkerdOptions, 'projectFolder' | 'bundle' | 'previous'>
}

export interface DeployedVersions {
  /** Plaid's item id → our id and its user. */
  readonly linked: ReadonlyMap<string, { readonly subject: string; readonly id: string }>
  /** How often each version did something: `PHASE: WHAT by VERSION`. */
  readonly served: ReadonlyMap<string, number>
  readonly deadLetters: () => readonly unknown[]
  /** Replaces the running versions and does this many random steps. Stops them at the end. */
  run(phase: Phase, steps: number): Promise<void>
  /** Lets everything that waits become due, until nothing is left. */
  settle(phase: Phase): Promise<void>
  stop(): Promise<void>
}

export interface DeployedVersionsOptions {
  readonly world: World
  /** Of workerd and the objects. */
  readonly folder: string
  /** 0 ≤ x < 1. */
  readonly random: () => number
  /** How many banks are linked at most. */
  readonly banks: number
}

const itemSchema = z.object({ id: z.string(), plaid_item_id: z.string() })

interface Asked {
  readonly method: string
  readonly path: string
  readonly subject?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

function variablesFor(world: World): Record<string, string> {
  const limit = { item: manyRequests, client: manyRequests }
  return {
    ...workerVariables(world.database),
    PLAID_BASE_URL: world.simulator.url,
    PLAID_WEBHOOK_URL: world.services.config.plaid.webhookUrl,
    PLAID_CLIENT_ID: world.simulator.clientId,
    PLAID_SECRET: world.simulator.secret,
    PLAID_PRODUCTS: 'transactions',
    // The objects of both limiters are used, and refuse nothing.
    PLAID_LIMITS: JSON.stringify({ sync: limit, accounts: limit, item_get: limit, recurring: limit }),
    RATE_LIMIT_ENABLED: 'true',
    RATE_LIMITS: JSON.stringify(
      Object.fromEntries(['global', 'global_hour', 'link', 'sync', 'sensitive'].map((name) => [name, manyRequests])),
    ),
  }
}

export async function createDeployedVersions(options: DeployedVersionsOptions): Promise<DeployedVersions> {
  const { world, folder, random, banks } = options
  const variables = variablesFor(world)
  const linked = new Map<string, { subject: string; id: string }>()
  const served = new Map<string, number>()
  const pick = <Value>(values: readonly Value[]): Value => {
    const value = values[Math.floor(random() * values.length)]
    if (value === undefined) throw new RangeError('there is nothing to pick from')
    return value
  }
  let running: { readonly workerd: Workerd; readonly phase: Phase } | null = null

  /** One of the running versions, which is noted as having done this. */
  const serve = (what: string): { readonly by: Version; readonly workerd: Workerd } => {
    if (running === null) throw new Error('no version runs')
    const by = pick(running.phase.versions)
    const key = `${running.phase.name}: ${what} by ${by}`
    served.set(key, (served.get(key) ?? 0) + 1)
    return { by, workerd: running.workerd }
  }
  const broker: QueueBroker = await startQueueBroker({
    concurrency: 2,
    maxRetries: 5,
    deliver: async (message) => {
      const { by, workerd } = serve('message')
      return await workerd.deliver(queueName, [message], by)
    },
  })
  const send = async (what: string, { method, path, subject, body, headers = {} }: Asked) => {
    const { by, workerd } = serve(what)
    const secret = variables['SECRET_KEY'] ?? ''
    const response = await fetch(`http://127.0.0.1:${by === 'previous' ? workerd.previousPort : workerd.port}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        'cf-connecting-ip': '203.0.113.7',
        ...(subject === undefined
          ? {}
          : { authorization: `Bearer ${mintToken({ secret, claims: goodClaims(subject) })}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    })
    return { by, status: response.status, text: await response.text() }
  }

  const steps = {
    async link() {
      if (linked.size === banks) return
      const subject = `user ${linked.size % 3}`
      const publicToken = await world.bank.publicToken({ username: `bank ${linked.size}`, products: ['transactions'] })
      const body = JSON.stringify({ public_token: publicToken, allow_duplicate: true })
      const path = '/api/v1/plaid/item/public_token/exchange'
      const { by, status, text } = await send('link', { method: 'POST', path, subject, body })
      expect({ by, status, text }).toEqual({ by, status: 201, text })
      const item = itemSchema.parse(JSON.parse(text))
      linked.set(item.plaid_item_id, { subject, id: item.id })
    },
    async bank() {
      if (linked.size === 0) return
      const added = 1 + Math.floor(random() * 5)
      await world.bank.change(pick([...linked.keys()]), { add: added, ...(random() < 0.3 ? { remove: 1 } : {}) })
    },
    async webhooks() {
      for (const { body, plaidVerification } of await world.delivered()) {
        // Some are lost: the sweep finds what they report.
        if (random() < 0.1 || plaidVerification === null) continue
        const headers = { 'plaid-verification': plaidVerification }
        const sent = await send('webhook', { method: 'POST', path: '/api/v1/plaid/webhook', body, headers })
        expect({ ...sent, status: 200 }).toEqual(sent)
      }
    },
    async click() {
      if (linked.size === 0) return
      const { subject, id } = pick([...linked.values()])
      const sent = await send('click', { method: 'POST', path: `/api/v1/plaid/sync/item/${id}`, subject })
      expect({ ...sent, status: 202 }).toEqual(sent)
    },
    async sweep() {
      await world.elapse()
      const { by, workerd } = serve('sweep')
      await workerd.fireCron(sweepCron, by)
    },
  }
  const during = async (phase: Phase, work: () => Promise<void>): Promise<void> => {
    const signal = new AbortController().signal
    const workerd = await startWorkerd({ ...phase.modules, folder, variables, queue: broker.address, signal })
    running = { workerd, phase }
    try {
      await work()
    } finally {
      await workerd.stop()
    }
  }
  return {
    linked,
    served,
    deadLetters: () => broker.deadLetters(),
    run: async (phase, count) =>
      await during(phase, async () => {
        const names = ['link', 'bank', 'bank', 'webhooks', 'click', 'sweep'] as const
        for (let step = 0; step < count; step += 1) await steps[pick(names)]()
      }),
    settle: async (phase) =>
      await during(phase, async () => {
        for (let round = 0; round < 4; round += 1) {
          await steps.webhooks()
          await steps.sweep()
          await broker.idle(AbortSignal.timeout(idleTimeoutMs))
        }
      }),
    stop: () => broker.stop(),
  }
}
