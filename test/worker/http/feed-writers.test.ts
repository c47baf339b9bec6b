// Writers at the same time: their changes get numbers that become visible in order, no change is skipped, and no two writers
// wait for each other.
import { describe, expect, it } from 'vitest'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import { recordEvent } from '../../../src/db/operations/webhook-events.ts'
import { everyTransaction } from '../../support/equality.ts'
import { seedUser } from '../../support/feed-steps.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { allProducts, linkAndSync } from '../../support/linked.ts'
import { observeOperations } from '../../../src/monitoring/operation.ts'
import { followAll, listedAll } from '../../support/whole-feed.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe('changes of concurrent writers', () => {
  it('become visible in the order of their numbers: a reader in between skips none', async () => {
    const userId = await seedUser(world, 'slow writer')
    const client = followAll(world, 'slow writer')
    await client.catchUp()
    const [one, other] = await world.sql('select id from accounts where user_id = $1 order by id limit 2', [userId])
    const rename = (id: unknown, name: string, seconds: number) =>
      world.sql(
        `do $$ begin update accounts set name = '${name}' where id = '${String(id)}'; perform pg_sleep(${seconds}); end $$`,
      )
    const slow = rename(one?.['id'], 'the slow one', 1)
    await pause(200)
    // Takes the next number, so it waits for the first writer.
    const fast = rename(other?.['id'], 'the fast one', 0)
    await pause(200)
    expect((await client.step()).data).toEqual([])
    await Promise.all([slow, fast])
    expect((await client.step()).data.map(({ id }) => id)).toEqual([one?.['id'], other?.['id']])
    expect(client.copy).toEqual(await listedAll(world, 'slow writer'))
  })

  it(
    'lose none and end in no deadlock while syncs, webhooks, edits and repairs of one user meet',
    { timeout: 120_000 },
    async () => {
      const subject = 'busy'
      const { api, jobs } = world.services
      const { identity } = world.user(subject).actor
      const items = [
        await linkAndSync(world, subject, allProducts),
        await linkAndSync(world, subject, { ...allProducts, username: 'another bank' }),
      ]
      const client = followAll(world, subject)
      const codes: string[] = []
      const edit = async (place: number): Promise<void> => {
        const rows = await everyTransaction(world, subject)
        const id = rows[place % rows.length]?.id
        if (id !== undefined) await editTransaction(api, identity, id, { note: `${place}` })
      }
      const event = async (plaidItemId: string, place: number): Promise<void> => {
        const replayKey = `${plaidItemId} ${place}`
        const given = {
          scheme: 'jwt' as const,
          type: 'ITEM',
          code: 'PENDING_EXPIRATION',
          plaidItemId,
          linkTokenDigest: null,
          payload: {},
        }
        await recordEvent(jobs, { ...given, replayKey }, ['item'], {
          consentExpiresAt: new Date(Date.now() + place * 86_400_000),
        })
      }
      const observe = ({ code }: { readonly code?: string }): void => {
        if (code !== undefined) codes.push(code)
      }
      await observeOperations([observe], async () => {
        for (let round = 1; round <= 6; round += 1) {
          for (const { plaidItemId } of items) await world.bank.change(plaidItemId, { add: 3, modify: 1, silent: true })
          await world.sql(
            'update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now(), woken_until = null',
          )
          const products = await world.sql('select id from item_products where item_id = any($1::uuid[]) order by id', [
            `{${items.map(({ id }) => id).join(',')}}`,
          ])
          const messages = products.map(({ id }) => ({ item_product_id: String(id), reason: 'user' as const }))
          await Promise.all([
            world.consume(messages.filter((_, index) => index % 2 === 0)),
            world.consume(messages.filter((_, index) => index % 2 === 1)),
            ...items.flatMap(({ plaidItemId }) => [event(plaidItemId, round * 2), event(plaidItemId, round * 2 + 1)]),
            edit(round),
            edit(round + 7),
            client.catchUp(20),
          ])
        }
      })
      expect(codes.filter((code) => code === '40P01')).toEqual([])
      await client.catchUp()
      expect(client.copy).toEqual(await listedAll(world, subject))
      const [numbers] = await world.sql(
        `select count(*) as all, count(distinct n) as different from (
        select t.change_seq as n from transactions t join users u on u.id = t.user_id where u.subject = $1
        union all select c.seq from changes c join users u on u.id = c.user_id where u.subject = $1) taken`,
        [subject],
      )
      expect(numbers?.['all']).toBe(numbers?.['different'])
    },
  )
})
