// Who is notified of a commit: no user without a client that asked for a ticket.
import { expect, it } from 'vitest'
import { allowWatching } from '../../../src/db/operations/live.ts'
import { editTransactionRoute } from '../../../src/http/routes/transactions/transactions.ts'
import type { Live } from '../../../src/live/live.ts'
import { createTickets } from '../../../src/live/ticket.ts'
import { ask } from '../../support/call-route.ts'
import { everyTransaction } from '../../support/equality.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

interface Announced {
  readonly userId: string
  readonly seq: number
  readonly items: readonly string[]
}

function listening(announced: Announced[], fails = false) {
  const live: Live = {
    tickets: createTickets(new Uint8Array(32), null, () => crypto.randomUUID()),
    open: () => Promise.reject(new Error('not here')),
    notify: (userId, notice) => {
      announced.push({ userId, ...notice })
      return fails ? Promise.reject(new Error('gone')) : Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
  return { ...world.services, live }
}

const syncAgain = async (itemId: string, services: ReturnType<typeof listening>): Promise<void> => {
  await world.sql(
    "update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1 and product = 'transactions'",
    [itemId],
  )
  const [product] = await world.sql("select id from item_products where item_id = $1 and product = 'transactions'", [
    itemId,
  ])
  await world.consume([{ item_product_id: String(product?.['id']), reason: 'user' }], services)
}
const numberOf = async (subject: string) =>
  Number((await world.sql('select change_seq from users where subject = $1', [subject]))[0]?.['change_seq'])

it('a commit and an edit notify the object of a user whom a client may watch, and no other object', async () => {
  const { id } = await linkAndSync(world, 'watched')
  const announced: Announced[] = []
  const services = listening(announced)
  const user = { ...world.user('watched'), services }
  const edit = async (): Promise<void> => {
    const [first] = await everyTransaction(world, 'watched')
    await ask(user, editTransactionRoute, { params: { id: String(first?.id) }, body: { note: crypto.randomUUID() } })
  }
  await world.bank.change((await itemOf(id)).plaidItemId, { add: 1, silent: true })
  await syncAgain(id, services)
  await edit()
  expect(announced).toEqual([])
  const identity = { ...user.actor.identity, issuedAt: new Date() }
  const userId = await allowWatching(services.api, identity, new Date(Date.now() + 60_000))
  await world.bank.change((await itemOf(id)).plaidItemId, { add: 1, silent: true })
  await syncAgain(id, services)
  expect(announced).toEqual([{ userId, seq: await numberOf('watched'), items: [id] }])
  await edit()
  expect(announced.slice(1)).toEqual([{ userId, seq: await numberOf('watched'), items: [] }])
  await world.sql("update user_visits set live_until = now() - interval '1 second' where user_id = $1", [userId])
  await edit()
  expect(announced).toHaveLength(2)
})

async function itemOf(id: string): Promise<{ plaidItemId: string }> {
  const [row] = await world.sql('select plaid_item_id from items where id = $1', [id])
  return { plaidItemId: String(row?.['plaid_item_id']) }
}
