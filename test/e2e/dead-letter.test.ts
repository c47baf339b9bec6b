// A message that keeps failing becomes a dead letter, once, and holds ids only. A later sweep syncs the product that it
// named.
// The Worker's queue gives up at the first retry here, so that the test does not wait for five.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { startBundle } from '../support/bundle.ts'
import { type Edge, type Linked, startEdge } from '../support/edge.ts'
import { expectTransactionsEqual } from '../support/truth.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { fireWebhook } from '../support/deliveries.ts'

let edge: Edge
let folder: string
let item: Linked

/** The project's configuration with a sync queue that never retries. */
async function configWithoutRetries(): Promise<string> {
  const text = await readFile(join(projectFolder, 'wrangler.toml'), 'utf8')
  const queue = /(queue = "wealthnavigator-sync"\n(?:\w+ = \d+\n)*?max_retries = )\d+/
  expect(text).toMatch(queue)
  const config = join(folder, 'wrangler.toml')
  await writeFile(config, text.replace(queue, '$10'))
  return config
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-dead-letter-'))
  const config = await configWithoutRetries()
  edge = await startEdge({ start: (options) => startBundle({ ...options, config }) })
  item = await edge.linkAndSync('user')
})
afterAll(async () => {
  await edge.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Dead letters about a product. */
const lettersOf = (product: string) =>
  edge.sql('select queue, message_id, reason, payload from dead_letters where item_product_id = $1', [product])

/** Message ids of the dead letters in the log. */
function loggedLetters(): string[] {
  const lines = edge.lines().filter((line) => line.includes('"event":"dead_letter"'))
  return lines.map((line) => z.object({ message_id: z.string() }).parse(JSON.parse(line)).message_id)
}

async function transactionsProduct(): Promise<string> {
  const rows = await edge.sql(`select id from item_products where product = 'transactions' and item_id = $1`, [item.id])
  return String(rows[0]?.['id'])
}

/** What fails, the function that makes it fail, and the function that sends the message. */
const failures: readonly (readonly [string, () => Promise<void>, () => Promise<void>])[] = [
  [
    'Plaid fails',
    () => edge.bank.fault({ endpoint: '/transactions/sync', error: 'INTERNAL_SERVER_ERROR', times: 1000 }),
    // A sweep would not retry the message: when Plaid fails, the next sweep enqueues the product anew.
    async () => void (await fireWebhook(edge, item)),
  ],
  [
    'the database does not answer',
    () => edge.stack.addFault(edge.database.name, { kind: 'fail-before', matching: 'set lease_owner = ', times: 1000 }),
    () => edge.sweep(),
  ],
]

test.each(failures)(
  'dead letters hold ids only, each once, and the sweep recovers when %s',
  async (_what, fail, enqueue) => {
    const product = await transactionsProduct()
    const before = (await lettersOf(product)).length
    await edge.bank.change(item.plaidItemId, { add: 3, silent: true })
    // No other product is stale, so the sweep enqueues only this one.
    await edge.sql('update item_products set last_synced_at = now()')
    await edge.sql('update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where id = $1', [
      product,
    ])
    await fail()
    await enqueue()
    await vi.waitFor(async () => expect((await lettersOf(product)).length).toBeGreaterThan(before), { timeout: 40_000 })

    const letters = await lettersOf(product)
    for (const { queue, reason, payload } of letters) {
      expect([queue, reason]).toEqual(['wealthnavigator-sync-dead', 'retries_exhausted'])
      expect(JSON.parse(String(payload))).toEqual({
        item_product_id: product,
        reason: expect.stringMatching(/^[a-z]+$/),
        cause_id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      })
    }
    const ids = letters.map((letter) => String(letter['message_id']))
    expect(new Set(ids).size).toBe(ids.length)
    await expect.poll(() => ids.filter((id) => !loggedLetters().includes(id))).toEqual([])
    const [left] = await edge.sql('select dirty_seq > synced_seq as dirty from item_products where id = $1', [product])
    expect(left).toEqual({ dirty: 't' })

    await edge.healBank()
    await edge.stack.clearFaults(edge.database.name)
    // Ends the pause that follows a failure or an earlier sweep.
    await edge.sql(
      'update item_products set next_attempt_at = now(), lease_owner = null, lease_expires_at = null where id = $1',
      [product],
    )
    await edge.sweep()
    await edge.settled()
    await expectTransactionsEqual(edge, 'user', item.plaidItemId)
  },
)
