// Two items of one login end with the same bank, for every sequence of changes through either of them.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { applied, type BankDesk, type Linked, openDesk, readUpdate, sorted, truth } from './bank-desk.ts'
import { sampleSize } from '../../../support/sampled.ts'

const small = fc.integer({ min: 0, max: 3 })
const change = fc.record(
  { add: small, modify: small, remove: small, post_pending: fc.constant(true) },
  { requiredKeys: [] },
)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('change' as const), through: fc.nat(1), change }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('read' as const), by: fc.nat(1), count: fc.constantFrom(3, 40) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('days' as const), days: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('relink' as const), which: fc.nat(1) }) },
)
type Step = typeof step extends fc.Arbitrary<infer Kind> ? Kind : never

interface Client {
  item: Linked
  held: Map<string, string>
  cursor: string
}

async function linked(desk: BankDesk): Promise<Client> {
  const item = await desk.link()
  await desk.control(`/items/${item.item_id}/bank`, { history: 'historical' })
  return { item, held: new Map(), cursor: '' }
}

async function read(desk: BankDesk, { item, held, cursor }: Client, count: number): Promise<Client> {
  const update = await readUpdate(desk, item.access_token, cursor, count)
  return { item, held: applied(held, update.pages), cursor: update.cursor }
}

async function take(desk: BankDesk, clients: Client[], taken: Step): Promise<void> {
  if (taken.kind === 'days') await desk.control('/clock', { advance_ms: taken.days * 86_400_000 })
  const index = taken.kind === 'change' ? taken.through : taken.kind === 'read' ? taken.by : 0
  const client = clients[taken.kind === 'relink' ? taken.which : index]
  if (client === undefined) return
  if (taken.kind === 'change') await desk.control(`/items/${client.item.item_id}/bank`, taken.change)
  if (taken.kind === 'read') clients[index] = await read(desk, client, taken.count)
  if (taken.kind === 'relink') {
    await desk.plaid.itemRemove({ access_token: client.item.access_token })
    clients[taken.which] = await linked(desk)
  }
}

/** The rows without ids, from a day that both items have: a later item's window begins later. */
function nameless(rows: ReadonlyMap<string, string>, from: string): string[] {
  return [...rows.values()]
    .filter((row) => String(JSON.parse(row).date) >= from)
    .map((row) => row.replaceAll(/"(transaction_id|account_id|pending_transaction_id)":"[^"]+"/g, '"$1":"an id"'))
    .toSorted()
}

test('two items of one login read the same bank in the end, each under its own ids', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 10 }), async (steps) => {
      const desk = await openDesk()
      const clients = [await linked(desk), await linked(desk)]
      for (const taken of steps) await take(desk, clients, taken)
      const ends: Map<string, string>[] = []
      for (const client of clients) {
        const { held, item } = await read(desk, client, 500)
        expect(sorted(held)).toEqual(sorted(await truth(desk, item.item_id)))
        ends.push(held)
      }
      const [first, second] = [ends[0] ?? new Map<string, string>(), ends[1] ?? new Map<string, string>()]
      const oldest = (rows: Map<string, string>) =>
        [...rows.values()].map((row) => String(JSON.parse(row).date)).toSorted()[0] ?? ''
      const from = [oldest(first), oldest(second)].toSorted()[1] ?? ''
      expect(nameless(first, from)).toEqual(nameless(second, from))
      expect([...first.keys()].filter((id) => second.has(id))).toEqual([])
      await desk.simulator.stop()
    }),
    { numRuns: sampleSize({ all: 12, few: 3 }) },
  )
})
