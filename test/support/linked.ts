// Links a bank for a user and syncs its complete history: the start of most tests.
import { expect } from 'vitest'
import { exchangePublicToken } from '../../src/link/exchange-public-token.ts'
import type { Item } from '../../src/db/items/items.ts'
import type { Delivery } from './stack.ts'
import type { World } from './world.ts'

type TokenOptions = Parameters<World['bank']['publicToken']>[0]

/** Options for an item with every product. */
export const allProducts = { products: ['transactions', 'investments', 'liabilities'] }

/** The default bank login of a user. */
export const bankOf = (subject: string): string => `bank of ${subject}`

/** Links without syncing anything. */
export async function link(world: World, subject: string, options: TokenOptions = {}): Promise<Item> {
  // The same login name opens the same bank for every user, so the default is one login for each user.
  const publicToken = await world.bank.publicToken({ username: bankOf(subject), ...options })
  // Tests may link the same bank several times.
  return await exchangePublicToken(world.user(subject), { publicToken, institution: null, allowDuplicate: true })
}

/** Links, lets the history arrive, syncs until nothing is left to do, and drops the webhooks of the start. */
export async function linkAndSync(world: World, subject: string, options: TokenOptions = {}): Promise<Item> {
  const item = await link(world, subject, options)
  await world.bank.change(item.plaidItemId, { history: 'historical' })
  await world.drain()
  await world.elapse()
  await world.delivered()
  return item
}

/** Carries every webhook that has come to the Worker, in order, and syncs. */
export async function settle(world: World): Promise<void> {
  for (const delivery of await world.delivered()) await world.deliver(delivery)
  await world.drain()
}

/** The next webhook about the item whose body contains `text`. Drops the webhooks that arrive with it. */
export async function nextDelivery(
  world: World,
  { plaidItemId }: Pick<Item, 'plaidItemId'>,
  text: string,
): Promise<Delivery> {
  const isIt = ({ body }: Delivery): boolean => body.includes(plaidItemId) && body.includes(text)
  let found: Delivery | undefined
  await expect.poll(async () => (found ??= (await world.delivered()).find(isIt)), { timeout: 10_000 }).toBeDefined()
  if (found === undefined) throw new Error(`no webhook with ${text} came`)
  return found
}

/** Adds two transactions at the bank and returns the webhook about them. */
export async function addAndCatchWebhook(world: World, item: Pick<Item, 'plaidItemId'>): Promise<Delivery> {
  await world.bank.change(item.plaidItemId, { add: 2 })
  return await nextDelivery(world, item, 'SYNC_UPDATES_AVAILABLE')
}
