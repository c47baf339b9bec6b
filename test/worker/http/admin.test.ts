// An administrator can replay dead letters and have an item read again from the start. Both enqueue sync runs, and
// neither loses an edit of a user.
import { afterEach, describe, expect, it } from 'vitest'
import { listAllItems, listWebhooks } from '../../../src/db/operations/admin.ts'
import { listDeadLetters, recordDeadLetter } from '../../../src/db/operations/dead-letters.ts'
import { listAllSyncRuns } from '../../../src/db/sync/runs.ts'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import { AppError } from '../../../src/errors.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { fullResync } from '../../../src/sync/full-resync.ts'
import { replayAll, replayOne } from '../../../src/sync/replay-dead-letters.ts'
import { expectTruth } from '../../support/equality.ts'
import { linkAndSync, settle } from '../../support/linked.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(async () => {
  await world.sql('delete from dead_letters')
})

async function productOf(itemId: string, product: string): Promise<string> {
  const [row] = await world.sql('select id from item_products where item_id = $1 and product = $2', [itemId, product])
  return String(row?.['id'])
}

async function deadLetter(itemProductId: string, messageId: string): Promise<string> {
  const payload = { item_product_id: itemProductId, reason: 'webhook' }
  await recordDeadLetter(world.services.jobs, {
    queue: 'wealthnavigator-sync-dead',
    messageId,
    itemProductId,
    reason: 'retries_exhausted',
    payload,
  })
  const [row] = await world.sql('select id from dead_letters where message_id = $1', [messageId])
  return String(row?.['id'])
}

const letters = async (open: boolean) => (await listDeadLetters(world.services.jobs, { open }, 100, null)).rows
const runsOf = async (itemProductId: string): Promise<number> => {
  const [row] = await world.sql('select count(*) as n from sync_runs where item_product_id = $1', [itemProductId])
  return Number(row?.['n'])
}

describe('a dead letter', () => {
  it('enqueues its product when it is replayed, and a second replay does no harm', async () => {
    const item = await linkAndSync(world, 'letter')
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    const product = await productOf(item.id, 'transactions')
    const letter = await deadLetter(product, 'one')
    expect(await letters(true)).toMatchObject([{ id: letter, itemProductId: product, replays: 0, replayedAt: null }])
    expect(await replayOne(world.job(), letter)).toBe(1)
    expect(world.queue).toEqual([{ item_product_id: product, reason: 'replay' }])
    await world.drain()
    await expectTruth(world, 'letter', item.plaidItemId)
    expect(await letters(true)).toEqual([])
    const runs = await runsOf(product)
    await replayOne(world.job(), letter)
    await world.drain()
    await expectTruth(world, 'letter', item.plaidItemId)
    expect(await runsOf(product)).toBe(runs + 1)
    expect((await letters(false))[0]).toMatchObject({ replays: 2 })
  })

  it('enqueues nothing for a removed item', async () => {
    const item = await linkAndSync(world, 'letter of a removed item')
    const letter = await deadLetter(await productOf(item.id, 'transactions'), 'removed')
    await removeItem(world.user('letter of a removed item'), item.id, { purge: false })
    expect(await replayOne(world.job(), letter)).toBe(0)
    expect(world.queue).toEqual([])
  })

  it('gets 404 when it is unknown', async () => {
    const error = await replayOne(world.job(), crypto.randomUUID()).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code: 'not_found' })
  })

  it('is replayed with all other open ones, and with none that was replayed before', async () => {
    const item = await linkAndSync(world, 'letters')
    const [balances, transactions] = [await productOf(item.id, 'balances'), await productOf(item.id, 'transactions')]
    const played = await deadLetter(await productOf(item.id, 'item'), 'played')
    await replayOne(world.job(), played)
    world.queue.length = 0
    await deadLetter(balances, 'first')
    await deadLetter(transactions, 'second')
    await deadLetter(transactions, 'third')
    expect(await replayAll(world.job())).toBe(2)
    expect(new Set(world.queue.map((message) => 'item_product_id' in message && message.item_product_id))).toEqual(
      new Set([balances, transactions]),
    )
    world.queue.length = 0
    expect(await replayAll(world.job())).toBe(0)
  })
})

describe('a full resync', () => {
  it('removes what the bank does not know, brings back what is missing, and keeps the edits', async () => {
    const subject = 'resync'
    const item = await linkAndSync(world, subject)
    const rows = await expectTruth(world, subject, item.plaidItemId)
    const [noted, missing, wrong] = rows
    if (noted === undefined || missing === undefined || wrong === undefined) throw new Error('too few transactions')
    await editTransaction(world.services.api, world.user(subject).actor.identity, noted.id, { note: 'kept' })
    await world.sql('delete from transactions where id = $1', [missing.id])
    await world.sql(`update transactions set amount = amount + 1 where id = $1`, [wrong.id])
    await world.sql(
      `insert into transactions (user_id, item_id, account_id, plaid_transaction_id, date, amount, name, pending, change_seq)
        select user_id, item_id, account_id, 'invented', date, 1, 'Invented', false, -1 from transactions where id = $1`,
      [noted.id],
    )
    expect(await fullResync(world.job(), item.id)).toBeGreaterThan(3)
    await world.drain()
    const after = await expectTruth(world, subject, item.plaidItemId)
    expect(after.find(({ id }) => id === noted.id)?.note).toBe('kept')
  })

  it.each(['its cursor', 'the start'])('is not undone by a concurrent run from %s', async (from) => {
    const subject = `resync in between from ${from}`
    const item = await linkAndSync(world, subject)
    if (from === 'the start') await world.sql('update item_products set cursor = null where item_id = $1', [item.id])
    await world.bank.change(item.plaidItemId, { add: 1 })
    const { services } = world
    const interrupted = {
      ...services,
      plaidFor: (caller: Parameters<typeof services.plaidFor>[0]) => {
        const plaid = services.plaidFor(caller)
        return {
          ...plaid,
          syncTransactions: async (...args: Parameters<typeof plaid.syncTransactions>) => {
            const answer = await plaid.syncTransactions(...args)
            await fullResync(world.job(), item.id)
            return answer
          },
        }
      },
    }
    const product = await productOf(item.id, 'transactions')
    await world.sql('update item_products set dirty_seq = dirty_seq + 1 where id = $1', [product])
    await world.consume([{ item_product_id: product, reason: 'user' }], interrupted)
    expect(
      world.lines.filter((line) => line.includes(product) && line.includes('"outcome":"superseded"')),
    ).toHaveLength(1)
    const [row] = await world.sql('select cursor from item_products where id = $1', [product])
    expect(row).toEqual({ cursor: null })
    await world.elapse()
    await world.drain()
    await expectTruth(world, subject, item.plaidItemId)
  })

  it('gets 404 for an unknown item', async () => {
    await expect(fullResync(world.job(), crypto.randomUUID())).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('an operator', () => {
  it('sees every user’s items, runs and webhooks, page by page, and no token', async () => {
    const first = await linkAndSync(world, 'seen one')
    const second = await linkAndSync(world, 'seen two')
    await world.bank.change(second.plaidItemId, { add: 1 })
    const { jobs } = world.services
    const codes = async () => {
      await settle(world)
      return (await listWebhooks(jobs, second.plaidItemId, 100, null)).rows.map(({ code }) => code)
    }
    await expect.poll(codes, { timeout: 5000 }).toContain('SYNC_UPDATES_AVAILABLE')
    const everything = []
    let from = null
    do {
      const page = await listAllItems(jobs, {}, 1, from)
      everything.push(...page.rows)
      from = page.next
    } while (from !== null)
    expect(everything.map(({ id }) => id)).toEqual(expect.arrayContaining([first.id, second.id]))
    expect(everything.find(({ id }) => id === first.id)?.products.length).toBeGreaterThan(2)
    expect((await listAllItems(jobs, { status: 'revoked' }, 100, null)).rows).toEqual([])
    const runs = await listAllSyncRuns(jobs, { itemId: first.id, outcome: 'committed' }, 100, null)
    expect(runs.rows.length).toBeGreaterThan(0)
    expect(new Set(runs.rows.map(({ itemId }) => itemId))).toEqual(new Set([first.id]))
    const webhooks = await listWebhooks(jobs, second.plaidItemId, 100, null)
    expect(JSON.stringify([everything, runs, webhooks])).not.toMatch(/access-sandbox|wn1\./)
  })
})
