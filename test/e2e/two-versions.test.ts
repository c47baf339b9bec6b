// A deployment with a rollback in its middle: the previous and the current version of the Worker serve requests, webhooks,
// messages and crons at the same time, on one migrated database, one queue and the same Durable Objects; then the previous
// one alone; then the current one. At the end, every item equals its bank.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import * as z from 'zod'
import { startQueueBroker } from '../../src/dev/lib/queue-broker.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { startWorkerd, type Workerd } from '../../src/dev/lib/workerd-process.ts'
import type { Version } from '../../src/dev/lib/workerd-config.ts'
import { workerVariables } from '../support/bindings.ts'
import { goodClaims, mintToken } from '../support/tokens.ts'
import { buildPrevious, type PreviousVersion } from '../support/versions.ts'
import { createWorld, type World } from '../support/world.ts'

const sweepCron = '2-57/5 * * * *'
const queueName = 'wealthnavigator-sync'
const users = 4
const items = 4
const stepsOfPhase = 14
const seed = Number(process.env['VERSIONS_SEED'] ?? 1)

let world: World
let previous: PreviousVersion
let folder: string
beforeAll(async () => {
  world = await createWorld(inject('control'), { historyDelayMs: { initial: 0, historical: 0 }, historyDays: 90 })
  previous = await buildPrevious()
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-versions-'))
}, 120_000)
afterAll(async () => {
  await previous.remove()
  await rm(folder, { recursive: true, force: true })
  await world.stop()
})

/** Mulberry32: the same sequence for the same seed. */
function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Phase {
  readonly name: string
  readonly versions: readonly Version[]
  readonly options: { readonly projectFolder: string; readonly bundle: string; readonly previous?: string }
}

/** In each phase, `current` is the version in the first place: in a rollback, the previous module. */
function phasesOf(built: string): readonly Phase[] {
  const both = { projectFolder, bundle: built, previous: previous.bundle }
  return [
    { name: 'both', versions: ['current', 'previous'], options: both },
    {
      name: 'rolled back',
      versions: ['current'],
      options: { projectFolder: previous.folder, bundle: previous.bundle },
    },
    { name: 'both again', versions: ['current', 'previous'], options: both },
    { name: 'new alone', versions: ['current'], options: { projectFolder, bundle: built } },
  ]
}

test('a deployment, its rollback and the next one lose nothing', { timeout: 300_000 }, async () => {
  const random = randomFrom(seed)
  const pick = <Value>(values: readonly Value[]): Value => {
    const value = values[Math.floor(random() * values.length)]
    if (value === undefined) throw new RangeError('nothing to pick from')
    return value
  }
  let workerd: Workerd
  let phase: Phase
  const version = (): Version => pick(phase.versions)
  const served: Record<string, number> = {}
  const note = (what: string, by: Version): void => {
    const key = `${phase.name}: ${what} by ${by}`
    served[key] = (served[key] ?? 0) + 1
  }
  const broker = await startQueueBroker({
    concurrency: 2,
    maxRetries: 5,
    deliver: async (message) => {
      const by = version()
      note('message', by)
      return await workerd.deliver(queueName, [message], by)
    },
  })
  const variables: Record<string, string> = {
    ...workerVariables(world.database),
    PLAID_BASE_URL: world.simulator.url,
    PLAID_WEBHOOK_URL: world.services.config.plaid.webhookUrl,
    PLAID_CLIENT_ID: world.simulator.clientId,
    PLAID_SECRET: world.simulator.secret,
    PLAID_PRODUCTS: 'transactions',
    PLAID_LIMITS: JSON.stringify({ sync: { item: 1000 }, accounts: { item: 1000 }, item_get: { item: 1000 } }),
    RATE_LIMIT_ENABLED: 'true',
    RATE_LIMITS: JSON.stringify({ global: 10_000, global_hour: 10_000, link: 10_000, sync: 10_000, sensitive: 10_000 }),
  }
  const call = async (by: Version, method: string, path: string, subject: string | null, body?: string, more = {}) => {
    const port = by === 'previous' ? workerd.previousPort : workerd.port
    const token =
      subject === null
        ? {}
        : {
            authorization: `Bearer ${mintToken({ secret: variables['SECRET_KEY'] ?? '', claims: goodClaims(subject) })}`,
          }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { 'content-type': 'application/json', 'cf-connecting-ip': '203.0.113.7', ...token, ...more },
      ...(body === undefined ? {} : { body }),
    })
    return { status: response.status, json: (await response.json().catch(() => null)) as unknown }
  }
  const linked = new Map<string, { subject: string; id: string }>()
  const steps: Readonly<Record<string, () => Promise<void>>> = {
    async link() {
      if (linked.size === items) return
      const by = version()
      const subject = `user ${Math.floor(random() * users)}`
      const publicToken = await world.bank.publicToken({
        username: `bank ${linked.size}`,
        products: ['transactions'],
      })
      const body = JSON.stringify({ public_token: publicToken, allow_duplicate: true })
      const made = await call(by, 'POST', '/api/v1/plaid/item/public_token/exchange', subject, body)
      expect([by, made.status]).toEqual([by, 201])
      const { id, plaid_item_id: plaidItemId } = z
        .object({ id: z.string(), plaid_item_id: z.string() })
        .parse(made.json)
      linked.set(plaidItemId, { subject, id })
      note('link', by)
    },
    async bank() {
      if (linked.size === 0) return
      const item = pick([...linked.keys()])
      await world.bank.change(item, { add: 1 + Math.floor(random() * 5), ...(random() < 0.3 ? { remove: 1 } : {}) })
    },
    async webhooks() {
      for (const { body, plaidVerification } of await world.delivered()) {
        // Some are lost: the sweep finds what they would have told.
        if (random() < 0.1 || plaidVerification === null) continue
        const by = version()
        const answer = await call(by, 'POST', '/api/v1/plaid/webhook', null, body, {
          'plaid-verification': plaidVerification,
        })
        expect([by, answer.status]).toEqual([by, 200])
        note('webhook', by)
      }
    },
    async click() {
      if (linked.size === 0) return
      const { subject, id } = pick([...linked.values()])
      const by = version()
      const answer = await call(by, 'POST', `/api/v1/plaid/sync/item/${id}`, subject)
      expect([202, 429]).toContain(answer.status)
      note('click', by)
    },
    async sweep() {
      const by = version()
      await world.elapse()
      await workerd.fireCron(sweepCron, by)
      note('sweep', by)
    },
  }
  try {
    const built = await world.stack.bundle()
    for (phase of phasesOf(built)) {
      workerd = await startWorkerd({
        ...phase.options,
        folder,
        variables,
        queue: broker.address,
        signal: new AbortController().signal,
      })
      try {
        for (let step = 0; step < stepsOfPhase; step += 1)
          await steps[pick(['link', 'bank', 'bank', 'webhooks', 'click', 'sweep'])]?.()
        if (phase.name !== 'new alone') continue
        // The end: what was lost or waits for a later time becomes due, until nothing is left.
        for (let round = 0; round < 4; round += 1) {
          await steps['webhooks']?.()
          await steps['sweep']?.()
          await broker.idle(AbortSignal.timeout(60_000))
        }
      } finally {
        await workerd.stop()
      }
    }
  } finally {
    await broker.stop()
  }
  expect(broker.deadLetters()).toEqual([])
  expect(linked.size).toBe(items)
  for (const key of [
    'both: message by previous',
    'both: message by current',
    'both: webhook by previous',
    'rolled back: message by current',
  ])
    expect([key, (served[key] ?? 0) > 0]).toEqual([key, true])
  await expectBanks(linked)
})

/** Compares the stored transactions of every user with those of all of the user's banks. */
async function expectBanks(linked: ReadonlyMap<string, { readonly subject: string }>): Promise<void> {
  const stored = await world.sql(
    `select i.plaid_item_id as item, t.plaid_transaction_id as id, t.amount::text as amount from transactions t
      join items i on i.id = t.item_id where t.removed_at is null`,
  )
  const line = (item: unknown, id: unknown, amount: unknown): string => [item, id, Number(amount)].join(' ')
  const held: string[] = []
  for (const item of linked.keys())
    held.push(...(await world.bank.truth(item)).transactions.map((row) => line(item, row.transaction_id, row.amount)))
  expect(held.length).toBeGreaterThan(100)
  expect(stored.map((row) => line(row['item'], row['id'], row['amount'])).toSorted()).toEqual(held.toSorted())
}
