// A receiver that reads the change feed at each event ends with what the database has, for any order of changes and any
// failure of the receiver; and every commit that changed something has written an event.
import * as fc from 'fast-check'
import { expect, inject, it } from 'vitest'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import { replayAllFailed } from '../../../src/events/replay.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import type { Outcome } from '../../support/event-receiver.ts'
import { follow, listed, readChanges } from '../../support/feed.ts'
import { linkAndSyncSmallBank } from '../../support/item-lifecycle.ts'
import { sampleSize } from '../../support/sampled.ts'
import { useListening } from './listening.ts'

const given = useListening()
const sequences = inject('eventSequences') ?? sampleSize({ all: 60, few: 12 })

const outcome = fc.constantFrom<Outcome>(204, 204, 500, 503, 302, 'break', 'late', 'forget')
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('bank' as const), add: fc.nat(3), modify: fc.nat(2), remove: fc.nat(2) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('edit' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unlink' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('link' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('deliver' as const), outcomes: fc.array(outcome, { maxLength: 6 }) }),
  },
  /** Everything comes again, or what failed; in another order. */
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const), seed: fc.nat(1000) }) },
)
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

interface Party {
  readonly subject: string
  /** The linked items by this database's and Plaid's id. */
  readonly items: { id: string; plaidItemId: string }[]
}

async function act({ subject, items }: Party, taken: Step): Promise<void> {
  const [item] = items
  switch (taken.kind) {
    case 'bank': {
      if (item === undefined) return
      const { add, modify, remove } = taken
      await given.world.bank.change(item.plaidItemId, { add, modify, remove, silent: true })
      await given.world.sql(
        "update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1 and product = 'transactions'",
        [item.id],
      )
      const [row] = await given.world.sql(
        "select id from item_products where item_id = $1 and product = 'transactions'",
        [item.id],
      )
      await given.world.consume([{ item_product_id: String(row?.['id']), reason: 'webhook' }])
      return
    }
    case 'edit': {
      const all = [...(await listed(given.world, subject)).keys()]
      const id = all[taken.which % Math.max(all.length, 1)]
      if (id === undefined) return
      await editTransaction(given.services.api, given.as(subject).actor.identity, id, { note: `note ${taken.which}` })
      return
    }
    case 'unlink':
      items.shift()
      if (item !== undefined) await removeItem(given.as(subject), item.id, { purge: false })
      return
    case 'link':
      // The same bank: a new link that restores the removed item.
      if (item === undefined) items.push(await linkAndSyncSmallBank(given.world, subject))
      return
    case 'deliver':
      given.receiver.outcomes = [...taken.outcomes]
      await given.elapse()
      await given.deliver()
      return
    case 'repeat':
      await replayAllFailed(given.as(subject), { since: new Date(0), endpointId: null })
      await given.world.sql(
        `update webhook_deliveries set state = 'pending', next_attempt_at = now() - random() * interval '1 hour'
          where mod(abs(hashtext(id::text)), 3) = mod($1::int, 3)`,
        [taken.seed],
      )
  }
}

/** Every number of the feed above `since` lies in the range of an event. */
async function expectEvents(subject: string, since: number): Promise<number> {
  const page = await readChanges(given.world, subject, since, 500)
  const uncovered = await given.world.sql(
    `select n from unnest($1::bigint[]) n where not exists (select 1 from webhook_deliveries d
      where d.type = 'transactions.changed' and (d.data ->> 'since')::bigint < n and n <= (d.data ->> 'next_since')::bigint)`,
    [`{${page.data.map(({ seq }) => seq).join(',')}}`],
  )
  expect(uncovered).toEqual([])
  return page.next_since
}

let users = 0

async function play(steps: readonly Step[]): Promise<void> {
  const subject = `follower ${(users += 1)}`
  const item = await linkAndSyncSmallBank(given.world, subject)
  const party: Party = { subject, items: [item] }
  const follower = follow(given.world, subject)
  const endpointId = await given.listen(given.as(subject))
  await follower.catchUp(50)
  let [hasForgotten, since] = [false, (await readChanges(given.world, subject, 0, 500)).next_since]
  given.receiver.onEvent = async () => {
    hasForgotten = false
    await follower.catchUp(3)
  }
  for (const taken of steps) {
    hasForgotten ||= taken.kind === 'deliver' && taken.outcomes.includes('forget')
    await act(party, taken)
    since = await expectEvents(subject, since)
  }
  given.receiver.outcomes = []
  for (let round = 0; (await given.count("webhook_deliveries where state = 'pending'")) > 0; round += 1) {
    expect(round).toBeLessThan(10)
    await given.elapse()
    await given.deliver()
  }
  // A receiver that died after it accepted an event reads when it starts again.
  if (hasForgotten) await follower.catchUp()
  expect(follower.copy).toEqual(await listed(given.world, subject))
  await given.world.sql('delete from webhook_endpoints where id = $1', [endpointId])
}

it('a receiver that follows the feed ends equal to the database, for any failure', { timeout: 3_600_000 }, async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), play), {
    numRuns: sequences,
    endOnFailure: true,
  })
})
