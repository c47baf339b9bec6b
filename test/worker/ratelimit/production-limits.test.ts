// asOneInvocation refuses what production refuses and a local workerd allows.
import { describe, expect, it } from 'vitest'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { createProducer } from '../../../src/messages/producer.ts'
import { createKeyring } from '../../../src/crypto/keyring.ts'
import { open, seal } from '../../../src/crypto/envelope.ts'
import { expectTruth } from '../../support/equality.ts'
import { link, linkAndSync } from '../../support/linked.ts'
import { asOneInvocation, checkBatch } from '../../support/production-limits.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

describe('the limits themselves', () => {
  it('are enforced: iterations, waiting connections, messages', async () => {
    const password = await crypto.subtle.importKey('raw', new Uint8Array(32), 'PBKDF2', false, ['deriveBits'])
    const derive = (iterations: number) =>
      crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(16), iterations }, password, 256)
    await expect(asOneInvocation(() => derive(100_000))).resolves.toBeDefined()
    await expect(asOneInvocation(() => derive(100_001))).rejects.toThrow('PBKDF2')
    const ask = (count: number) => () =>
      Promise.all(Array.from({ length: count }, () => fetch(`${world.simulator.url}/simulator/calls`)))
    await expect(asOneInvocation(ask(6))).resolves.toMatchObject({ mostWaiting: 6 })
    await expect(asOneInvocation(ask(7))).rejects.toThrow('7 connections')
    expect(() => checkBatch([{ body: 'x'.repeat(128_001) }])).toThrow('128 kB')
    expect(() => checkBatch(Array.from({ length: 101 }, () => ({ body: '' })))).toThrow('101')
  })
})

describe('production limits', () => {
  it('a token is sealed and opened', async () => {
    const keyring = createKeyring({ current: { id: 'limits', secret: crypto.getRandomValues(new Uint8Array(32)) } })
    const binding = { table: 't', column: 'c', userId: 'u', itemId: 'i' }
    await asOneInvocation(async () =>
      expect(await open(keyring, await seal(keyring, 'secret', binding), binding)).toBe('secret'),
    )
  })

  it('a link takes a handful of requests', async () => {
    const usage = await asOneInvocation(() => link(world, 'limits'))
    expect(usage.subrequests).toBeLessThan(20)
  })

  it('a sync of ten pages takes less than fifty requests', async () => {
    const item = await linkAndSync(world, 'ten pages')
    await world.bank.change(item.plaidItemId, { add: 4600, silent: true })
    await world.sql(
      "update item_products set dirty_seq = dirty_seq + 1 where item_id = $1 and product = 'transactions'",
      [item.id],
    )
    const [row] = await world.sql("select id from item_products where item_id = $1 and product = 'transactions'", [
      item.id,
    ])
    await world.services.enqueue([String(row?.['id'])], 'user')
    const usage = await asOneInvocation(() => world.drain())
    const [run] = await world.sql(
      "select pages from sync_runs where item_id = $1 and product = 'transactions' order by finished_at desc limit 1",
      [item.id],
    )
    expect(Number(run?.['pages'])).toBe(10)
    expect(usage.subrequests).toBeLessThan(50)
    await expectTruth(world, 'ten pages', item.plaidItemId)
  })

  it('every message of a batch, a sweep and a webhook stay within six connections', async () => {
    const item = await linkAndSync(world, 'six')
    await world.bank.change(item.plaidItemId, { add: 3 })
    await expect.poll(async () => (delivery = (await world.delivered())[0]), { timeout: 5000 }).toBeDefined()
    await asOneInvocation(async () => {
      if (delivery !== undefined) await world.deliver(delivery)
    })
    await requestSync(world.user('six'), item.id)
    await asOneInvocation(() => world.drain())
    await asOneInvocation(() => sweep(world.job()))
  })

  it('ten thousand wake-up calls are batches that a queue takes', async () => {
    const batches: number[] = []
    const { send } = createProducer({
      queue: {
        sendBatch: (messages) => {
          checkBatch(messages)
          return Promise.resolve(batches.push(messages.length))
        },
      },
      wait: () => Promise.resolve(),
      random: Math.random,
      log: { error: () => undefined },
    })
    await send(
      Array.from({ length: 10_000 }, () => ({ id: crypto.randomUUID(), delaySeconds: 0 })),
      'sweep',
    )
    expect(batches).toHaveLength(100)
  })
})

let delivery: Awaited<ReturnType<World['delivered']>>[number] | undefined
