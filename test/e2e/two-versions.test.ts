// A deployment with a rollback in its middle: the previous and the current version of the Worker serve requests, webhooks,
// messages and crons at the same time, on one migrated database, one queue and the same Durable Objects; then the previous
// one alone; then both again, and the current one. At the end, every item equals its bank.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { createDeployedVersions, type Phase } from '../support/deployed-versions.ts'
import { runsLongProofs } from '../support/sampled.ts'
import { buildPrevious, type PreviousVersion } from '../support/versions.ts'
import { createWorld, type World } from '../support/world.ts'

const banks = 4
const stepsOfPhase = 14
const minute = 60_000
/** Another sequence: `VERSIONS_SEED`. */
const seed = Number(process.env['VERSIONS_SEED'] ?? 1)

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

/** Compares the stored transactions of every item with its bank's. */
async function expectBanks(world: World, plaidItemIds: Iterable<string>): Promise<void> {
  const stored = await world.sql(
    `select i.plaid_item_id as item, t.plaid_transaction_id as id, t.amount::text as amount from transactions t
      join items i on i.id = t.item_id where t.removed_at is null`,
  )
  const line = (item: unknown, id: unknown, amount: unknown): string => [item, id, Number(amount)].join(' ')
  const held: string[] = []
  for (const item of plaidItemIds)
    held.push(...(await world.bank.truth(item)).transactions.map((row) => line(item, row.transaction_id, row.amount)))
  expect(held.length).toBeGreaterThan(100)
  expect(stored.map((row) => line(row['item'], row['id'], row['amount'])).toSorted()).toEqual(held.toSorted())
}

// Minutes: only in CI, and with PROOFS=all.
describe.runIf(runsLongProofs())('a deployment', () => {
  let world: World
  let previous: PreviousVersion
  let folder: string
  beforeAll(async () => {
    world = await createWorld(inject('control'), { historyDelayMs: { initial: 0, historical: 0 } })
    previous = await buildPrevious()
    folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-versions-'))
  }, 2 * minute)
  afterAll(async () => {
    await previous.remove()
    await rm(folder, { recursive: true, force: true })
    await world.stop()
  })

  it('replaces another version', async () => {
    const [before, now] = await Promise.all([previous.bundle, await world.stack.bundle()].map((file) => readFile(file)))
    expect(before?.equals(now ?? Buffer.alloc(0))).toBe(previous.isCurrent)
  })

  it('loses nothing when it is rolled back and repeated', { timeout: 10 * minute }, async () => {
    const current = await world.stack.bundle()
    const both = { projectFolder, bundle: current, previous: previous.bundle }
    const deployed: Phase = { name: 'both', versions: ['current', 'previous'], modules: both }
    // Its folder has the wrangler.toml of that version: a class of a newer one does not exist there.
    const back = { projectFolder: previous.folder, bundle: previous.bundle }
    const versions = await createDeployedVersions({ world, folder, random: randomFrom(seed), banks })
    try {
      await versions.run(deployed, stepsOfPhase)
      await versions.run({ name: 'rolled back', versions: ['current'], modules: back }, stepsOfPhase)
      await versions.run({ ...deployed, name: 'both again' }, stepsOfPhase)
      await versions.settle({ name: 'new alone', versions: ['current'], modules: { projectFolder, bundle: current } })
    } finally {
      await versions.stop()
    }
    expect(versions.deadLetters()).toEqual([])
    expect(versions.linked.size).toBe(banks)
    const used = ['both: message by previous', 'both: message by current', 'rolled back: message by current']
    for (const what of used) expect([what, versions.served.get(what) ?? 0]).not.toEqual([what, 0])
    await expectBanks(world, versions.linked.keys())
  })
})
