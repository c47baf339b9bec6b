// What the tests of Link share: the calls to Plaid, the stored items and users, and the metadata of a small bank.
import type { Secret } from '../../../src/crypto/secret.ts'
import { getSealedToken } from '../../../src/db/items/items.ts'
import { openAccessToken } from '../../../src/custody/access-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { letTimePass } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

export const platypus = { id: 'ins_109508', name: 'First Platypus Bank' }

/** An account of the small banks, as in Link's metadata. */
export const everyday = { name: 'Everyday', mask: '1111', subtype: 'checking' }

/** Helpers over the world of a test file. */
export function linking(world: () => World) {
  const calls = async (): Promise<readonly { endpoint: string; status?: unknown; item_id?: unknown }[]> =>
    await world().bank.calls()
  /** Runs `act` and returns the endpoints of Plaid that it called, in order. */
  async function endpointsOf(act: () => Promise<unknown>): Promise<string[]> {
    const before = (await calls()).length
    await act()
    return (await calls()).slice(before).map(({ endpoint }) => endpoint)
  }
  /** The endpoints of Plaid that were called since then, with the items that they named. */
  const since = async (before: number) =>
    (await calls()).slice(before).map(({ endpoint, item_id: item }) => [endpoint, item])
  /** Runs `act` and returns the path and body of each request to Plaid. */
  async function sentDuring(act: () => Promise<unknown>): Promise<{ path: string; body: unknown }[]> {
    const { fetch } = globalThis
    const sent: { path: string; body: unknown }[] = []
    globalThis.fetch = async (...args: Parameters<typeof fetch>) => {
      const request = new Request(...args)
      if (request.url.startsWith(world().simulator.url))
        sent.push({ path: new URL(request.url).pathname, body: await request.clone().json() })
      return await fetch(request)
    }
    try {
      await act()
    } finally {
      globalThis.fetch = fetch
    }
    return sent
  }
  async function storedToken(subject: string, itemId: string): Promise<Secret> {
    const stored = await getSealedToken(world().services.api, world().user(subject).actor.identity, itemId)
    if (stored === null) throw new Error('there is no such item')
    return await openAccessToken(world().services.keyring, stored.sealed, stored)
  }
  const counts = () =>
    world().sql('select (select count(*) from items) as items, (select count(*) from item_products) as products')
  const userId = async (subject: string): Promise<string> => {
    const [row] = await world().sql('select id from users where subject = $1', [subject])
    return String(row?.['id'])
  }
  /** Reconciles after the pause. */
  async function later(): Promise<void> {
    await letTimePass(world())
    await reconcile(world().job())
  }
  return { calls, endpointsOf, since, sentDuring, storedToken, counts, userId, later }
}
