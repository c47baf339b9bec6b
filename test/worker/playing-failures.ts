// Changes the bank, syncs, and reads runs, for the tests of known failures.
import type { Item } from '../../src/db/items/items.ts'
import { createKeyCache } from '../../src/webhooks/keys/cache.ts'
import { fetchVerificationKey } from '../../src/webhooks/keys/fetch.ts'
import { oddAnswers } from '../support/odd-answers.ts'
import type { World } from '../support/world.ts'

/** Helpers over the world of a test file. */
export function playingFailures(world: () => World) {
  /** Changes the bank without a webhook. */
  const change = async (item: Item, wanted: object) =>
    await world().bank.change(item.plaidItemId, { silent: true, ...wanted })
  const syncTransactions = async (item: Item, services = world().services) => {
    await oddAnswers(world()).sync(item, 'transactions', services)
  }
  /** The outcomes of the item's transaction runs, oldest first. */
  async function runsOf(item: Item): Promise<unknown[]> {
    const rows = await world().sql(
      "select outcome from sync_runs where item_id = $1 and product = 'transactions' order by finished_at",
      [item.id],
    )
    return rows.map((row) => row['outcome'])
  }
  const eventsOf = async (item: Item) =>
    await world().sql('select webhook_code from webhook_events where plaid_item_id = $1', [item.plaidItemId])
  /** Services of a new isolate, without webhook keys. */
  const newIsolate = () => ({
    ...world().services,
    findWebhookKey: createKeyCache({ fetchKey: fetchVerificationKey(world().services.plaid) }),
  })
  return { change, syncTransactions, runsOf, eventsOf, newIsolate }
}
