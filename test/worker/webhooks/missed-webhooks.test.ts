// Webhooks that Plaid reports as sent and that never arrived. The next sync of the item notices them, counts each once,
// and requests the changes.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Item } from '../../../src/db/items/items.ts'
import { expectTruth } from '../../support/equality.ts'
import { accessTokenOf, lookAtItem, rowOf, useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)

/** An item that is some days old and has missed no webhook. */
async function settled(subject: string): Promise<Item> {
  const item = await linkAndSync(world, subject)
  await world.sql("update items set created_at = created_at - interval '3 days' where id = $1", [item.id])
  return item
}

/** Syncs the item while Plaid reports this last webhook. */
const look = (item: Item, lastWebhook: { sent_at: Date | null; code_sent: string | null } | null): Promise<void> =>
  lookAtItem(world, item, (response) => ({
    ...response,
    status: { ...response.status, last_webhook: lastWebhook ?? { sent_at: null, code_sent: null } },
  }))

const update = (sentAt: Date) => ({ sent_at: sentAt, code_sent: 'SYNC_UPDATES_AVAILABLE' })
const missed = async (item: Item) => Number((await rowOf(world, item))['missed_webhooks'])
const received = (item: Item, code: string, at: Date) =>
  world.sql(
    `insert into webhook_events (replay_key, scheme, webhook_type, webhook_code, plaid_item_id, payload, received_at)
     values ($1, 'jwt', 'TRANSACTIONS', $2, $3, '{}', $4)`,
    [crypto.randomUUID(), code, item.plaidItemId, at.toISOString()],
  )

describe('a webhook that Plaid says it sent', () => {
  it('is counted once when it never arrived, and everything is read again', async () => {
    const item = await settled('missed')
    await world.bank.change(item.plaidItemId, { add: 3, silent: true })
    const last = update(minutesAgo(10))
    await look(item, last)
    expect(await missed(item)).toBe(1)
    await expectTruth(world, 'missed', item.plaidItemId)
    const raised = await world.sql(
      "select distinct product from sync_runs where item_id = $1 and trigger = 'raised' order by product",
      [item.id],
    )
    expect(raised.map(({ product }) => product)).toEqual(expect.arrayContaining(['balances', 'transactions']))

    await world.bank.change(item.plaidItemId, { add: 1, silent: true })
    for (let round = 0; round < 3; round += 1) await look(item, last)
    expect(await missed(item)).toBe(1)
    const marks = await world.sql(
      "select product from item_products where item_id = $1 and dirty_seq > synced_seq and status <> 'absent'",
      [item.id],
    )
    expect(marks).toEqual([])
  })

  it('is counted too when it is lost after another lost one', async () => {
    const item = await settled('missed twice')
    await look(item, update(minutesAgo(20)))
    await look(item, update(minutesAgo(10)))
    expect(await missed(item)).toBe(2)
    // A report that was seen before has no effect.
    await look(item, update(minutesAgo(20)))
    expect(await missed(item)).toBe(2)
  })

  it('is not missed where it came', async () => {
    const item = await settled('came')
    const sentAt = minutesAgo(10)
    await received(item, 'SYNC_UPDATES_AVAILABLE', new Date(sentAt.getTime() + 2000))
    await look(item, update(sentAt))
    expect(await missed(item)).toBe(0)
  })

  it('is missed where only another one came, or one of that name before, or of another item', async () => {
    const cases = await Promise.all(['another', 'before', 'elsewhere'].map((name) => settled(`not by ${name}`)))
    const [another, before, elsewhere] = cases
    if (another === undefined || before === undefined || elsewhere === undefined) throw new Error('three items')
    const sentAt = minutesAgo(10)
    await received(another, 'DEFAULT_UPDATE', sentAt)
    await received(before, 'SYNC_UPDATES_AVAILABLE', minutesAgo(60))
    await received(before, 'SYNC_UPDATES_AVAILABLE', minutesAgo(15))
    await received({ ...elsewhere, plaidItemId: 'another' }, 'SYNC_UPDATES_AVAILABLE', sentAt)
    for (const item of cases) {
      await look(item, update(sentAt))
      expect(await missed(item)).toBe(1)
    }
  })

  it('is waited for as long as Plaid may still be trying', async () => {
    const item = await settled('on its way')
    const last = update(minutesAgo(3))
    await look(item, last)
    expect(await missed(item)).toBe(0)
    await world.sql(
      "update webhook_events set received_at = received_at - interval '1 hour' where plaid_item_id = $1",
      [item.plaidItemId],
    )
    await look(item, update(minutesAgo(6)))
    expect(await missed(item)).toBe(1)
  })

  it('is not counted when it was sent before the item was linked', async () => {
    const item = await settled('before it was here')
    await look(item, update(minutesAgo(60 * 24 * 4)))
    expect(await missed(item)).toBe(0)
  })

  it.each([null, { sent_at: null, code_sent: null }, { sent_at: minutesAgo(10), code_sent: null }])(
    'is none where Plaid names none (%j)',
    async (lastWebhook) => {
      const item = await settled(`none ${JSON.stringify(lastWebhook)}`)
      await look(item, lastWebhook)
      expect(await missed(item)).toBe(0)
      expect(await rowOf(world, item)).toMatchObject({ status: 'healthy' })
    },
  )

  it('is detected by the simulator’s report when its carrier dropped it', async () => {
    const item = await settled('dropped')
    await world.bank.webhooks({ drop: true })
    await world.bank.change(item.plaidItemId, { add: 2 })
    await world.bank.webhooks({ drop: false })
    const { status } = await world.bank.plaid('/item/get', { access_token: await accessTokenOf(world, item) })
    const newest = z.object({ last_webhook: z.object({ code_sent: z.string() }) }).parse(status).last_webhook
    await look(item, { ...newest, sent_at: minutesAgo(6) })
    expect(await missed(item)).toBe(1)
    await expectTruth(world, 'dropped', item.plaidItemId)
  })
})
