// Failures of other integrations of Plaid with the cursor, pages, concurrency and webhooks, each played against the
// real engine, database and simulator. A test title begins with the failure's name in test/unit/known-failures.test.ts.
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Item } from '../../src/db/items/items.ts'
import { defaultKeyCacheLimits } from '../../src/webhooks/keys/cache.ts'
import { everyTransaction, expectTruth } from '../support/equality.ts'
import { codeOf, useWorld } from '../support/item-lifecycle.ts'
import { addAndCatchWebhook, link, linkAndSync } from '../support/linked.ts'
import { type OddAnswers, oddAnswers } from '../support/odd-answers.ts'
import type { Delivery } from '../support/stack.ts'
import type { World } from '../support/world.ts'
import { playingFailures } from './playing-failures.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})
afterEach(() => vi.restoreAllMocks())
const { change, syncTransactions, runsOf, eventsOf, newIsolate } = playingFailures(() => world)

async function cursorOf(item: Item): Promise<unknown> {
  const [row] = await world.sql("select cursor from item_products where item_id = $1 and product = 'transactions'", [
    item.id,
  ])
  return row?.['cursor']
}

describe('the cursor and the pages', () => {
  it('row errors logged and the cursor advanced anyway: a row that cannot be stored is set aside, its neighbours arrive, and it is not lost', async () => {
    const item = await linkAndSync(world, 'row error')
    const before = await everyTransaction(world, 'row error')
    await change(item, { add: 3 })
    const withBadRow = odd.withPages((page) => ({
      ...page,
      added: page.added.map((row, index) => (index === 1 ? { ...row, account_id: 'never listed' } : row)),
    }))
    await syncTransactions(item, withBadRow)
    const setAside = () => world.sql('select problems from set_aside_rows where item_id = $1', [item.id])
    expect(await everyTransaction(world, 'row error')).toHaveLength(before.length + 2)
    expect(await setAside()).toEqual([{ problems: '{"account_id unknown_account"}' }])
    await odd.forgetCursor(item)
    await syncTransactions(item)
    await expectTruth(world, 'row error', item.plaidItemId)
    expect(await setAside()).toEqual([])
  })

  it('partial pages applied after a failure: of an update whose second page fails nothing is stored', async () => {
    const item = await linkAndSync(world, 'partial')
    const before = { cursor: await cursorOf(item), rows: await everyTransaction(world, 'partial') }
    await change(item, { add: 510, modify: 3, remove: 3 })
    // Two failures: the client itself repeats a call once.
    await world.bank.fault({ endpoint: '/transactions/sync', after: 1, times: 2, error: 'INTERNAL_SERVER_ERROR' })
    await syncTransactions(item)
    expect((await runsOf(item)).at(-1)).toBe('failed')
    expect({ cursor: await cursorOf(item), rows: await everyTransaction(world, 'partial') }).toEqual(before)
    await syncTransactions(item)
    await expectTruth(world, 'partial', item.plaidItemId)
  })

  it('`modified` for an unknown id dropped: it is stored like one that was added', async () => {
    const item = await linkAndSync(world, 'modified')
    const { added } = await change(item, { add: 3 })
    const allModified = odd.withPages((page) => ({ ...page, added: [], modified: [...page.added, ...page.modified] }))
    await syncTransactions(item, allModified)
    const stored = await expectTruth(world, 'modified', item.plaidItemId)
    expect(stored.map((row) => row.plaidTransactionId)).toEqual(expect.arrayContaining(added))
  })

  it('removals ignored: what the bank takes back is gone', async () => {
    const item = await linkAndSync(world, 'removals')
    const { removed } = await change(item, { remove: 3 })
    await syncTransactions(item)
    const stored = await expectTruth(world, 'removals', item.plaidItemId)
    expect(removed).toHaveLength(3)
    expect(stored.filter((row) => removed.includes(row.plaidTransactionId))).toEqual([])
  })
})

describe('webhooks and workers', () => {
  it('a webhook during a sync lost: although it enqueues nothing then, another sync follows', async () => {
    const item = await linkAndSync(world, 'during')
    const before = await runsOf(item)
    await change(item, { add: 2 })
    // A failed assertion inside the run would only fail the run, so the values are checked afterwards.
    let whileBusy: unknown = null
    const slow = odd.withPlaid({
      async syncTransactions(...args) {
        const answer = await world.services.plaid.syncTransactions(...args)
        if (whileBusy !== null) return answer
        // The last page has been read, so no page has the new change.
        await world.deliver(await addAndCatchWebhook(world, item))
        whileBusy = { messages: await world.drain(), runs: await runsOf(item) }
        return answer
      },
    })
    await syncTransactions(item, slow)
    expect(whileBusy).toEqual({ messages: [], runs: before })
    await expectTruth(world, 'during', item.plaidItemId)
  })

  it('the second of two webhooks in five minutes deduplicated away: both count, although they say the same', async () => {
    const item = await linkAndSync(world, 'second')
    const first = await addAndCatchWebhook(world, item)
    await world.deliver(first)
    await world.drain()
    const before = await eventsOf(item)
    const second = await addAndCatchWebhook(world, item)
    expect(second.body).toBe(first.body)
    await world.deliver(second)
    await world.drain()
    expect(await eventsOf(item)).toHaveLength(before.length + 1)
    await expectTruth(world, 'second', item.plaidItemId)
  })

  it('two workers inserting twice: one of them commits, also where the other only slept', async () => {
    const item = await link(world, 'twice')
    await change(item, { history: 'historical' })
    const message = world.queue.splice(0)
    const [product] = await world.sql("select id from item_products where item_id = $1 and product = 'transactions'", [
      item.id,
    ])
    const enqueued = message.filter((each) => 'item_product_id' in each && each.item_product_id === product?.['id'])
    expect(enqueued).toHaveLength(1)
    const runs: unknown[] = []
    const sleepy = odd.withPlaid({
      async syncTransactions(...args) {
        const answer = await world.services.plaid.syncTransactions(...args)
        if (runs.length > 0 || !answer.ok || answer.value.has_more) return answer
        await world.consume(enqueued)
        runs.push(await runsOf(item))
        // The lease expires, the bank removes rows that were read, and another worker reads everything.
        await world.elapse()
        await change(item, { remove: 2 })
        await world.consume(enqueued)
        runs.push(await runsOf(item))
        return answer
      },
    })
    await world.consume(enqueued, sleepy)
    expect([...runs, await runsOf(item)]).toEqual([[], ['committed'], ['committed']])
    const stored = await expectTruth(world, 'twice', item.plaidItemId)
    const [numbers] = await world.sql(
      'select count(*) as n, max(change_seq) - min(change_seq) + 1 as numbers from transactions where item_id = $1',
      [item.id],
    )
    // One commit wrote them all: their numbers have no gap.
    expect(numbers).toEqual({ n: String(stored.length), numbers: String(stored.length) })
  })
})

/** The delivery with another key id in its JWT header. */
function withKid({ body, plaidVerification }: Delivery, kid: string): Delivery {
  const [, claims, signature] = (plaidVerification ?? '').split('.')
  const header = btoa(JSON.stringify({ alg: 'ES256', kid, typ: 'JWT' })).replaceAll('=', '')
  return { body, plaidVerification: `${header}.${claims}.${signature}` }
}

const kidOf = ({ plaidVerification }: Delivery): string => {
  const header: unknown = JSON.parse(atob((plaidVerification ?? '').split('.')[0] ?? ''))
  return typeof header === 'object' && header !== null && 'kid' in header ? String(header.kid) : ''
}
const keyRequests = async (): Promise<number> =>
  (await world.bank.calls()).filter(({ endpoint }) => endpoint === '/webhook_verification_key/get').length

describe('the verification of webhooks', () => {
  it('the verification key cached without looking at the kid: after a change of keys each delivery is checked with its own', async () => {
    const item = await linkAndSync(world, 'kid')
    const isolate = newIsolate()
    const old = await addAndCatchWebhook(world, item)
    await world.deliver(old, isolate)
    await world.bank.webhooks({ rotate_key: true })
    const fresh = await addAndCatchWebhook(world, item)
    expect(kidOf(fresh)).not.toBe(kidOf(old))
    await world.deliver(fresh, isolate)
    await world.deliver(old, isolate)
    expect(await codeOf(world.deliver(withKid(fresh, kidOf(old)), isolate))).toBe('webhook_refused')
    await world.drain()
    await expectTruth(world, 'kid', item.plaidItemId)
  })

  it('the verification key fetched for every junk kid: a flood makes few requests, and real webhooks are accepted', async () => {
    const item = await linkAndSync(world, 'junk')
    const isolate = newIsolate()
    const delivery = await addAndCatchWebhook(world, item)
    await world.deliver(delivery, isolate)
    const before = await keyRequests()
    const codes = new Set<string | null>()
    for (let kid = 0; kid < 40; kid += 1)
      for (let copy = 0; copy < 2; copy += 1)
        codes.add(await codeOf(world.deliver(withKid(delivery, `junk-${kid}`), isolate)))
    expect((await keyRequests()) - before).toBeLessThan(defaultKeyCacheLimits.maxRequests)
    expect(codes).toEqual(new Set(['webhook_refused', 'webhook_unverified']))
    await world.deliver(await addAndCatchWebhook(world, item), isolate)
    await world.drain()
    await expectTruth(world, 'junk', item.plaidItemId)
  })

  it('signature checked but body hash not: a real signature over another body opens nothing', async () => {
    const [mine, theirs] = [await linkAndSync(world, 'signed'), await linkAndSync(world, 'not signed')]
    const { body, plaidVerification } = await addAndCatchWebhook(world, mine)
    const before = await eventsOf(theirs)
    const forged = body.replaceAll(mine.plaidItemId, theirs.plaidItemId)
    expect(forged).not.toBe(body)
    expect(await codeOf(world.deliver({ body: forged, plaidVerification }))).toBe('webhook_refused')
    expect(await eventsOf(theirs)).toEqual(before)
    expect(world.queue).toEqual([])
    await world.deliver({ body, plaidVerification })
    expect(world.queue).toHaveLength(1)
  })
})
