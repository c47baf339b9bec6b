// Delivers webhooks of the operator's relay, and reads what webhooks have changed.
import type { Item } from '../../../src/db/items/items.ts'
import { getItem } from '../../../src/db/items/items.ts'
import { actionRequired } from '../../../src/items/action-required.ts'
import type { Services } from '../../../src/context.ts'
import { receiveWebhook } from '../../../src/webhooks/receive.ts'
import type { World } from '../../support/world.ts'

const sharedKey = 'shared-key-of-the-relay-in-these-tests'

/** Helpers over the world of a test file. */
export function receiving(world: () => World) {
  /** Delivers a body that the operator's relay has signed, for webhooks that the simulator never sends. */
  async function relay(body: string, given: Services = world().services): Promise<void> {
    const bytes = new TextEncoder().encode(body)
    const seconds = Math.floor(Date.now() / 1000)
    const key = await crypto.subtle.importKey(
      'raw',
      new TextEncoder().encode(sharedKey),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    )
    const signed = new Uint8Array([...new TextEncoder().encode(`${seconds}.`), ...bytes])
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, signed))
    const hex = [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    const services = { ...given, config: { ...given.config, webhookSharedKeys: [sharedKey] } }
    await receiveWebhook(
      { ...world().job(services), actor: { kind: 'anonymous' } },
      { plaidVerification: null, webhookSignature: `t=${seconds},v1=${hex}`, body: bytes },
    )
  }
  async function marks(itemId: string): Promise<Record<string, number>> {
    const rows = await world().sql(
      'select product, dirty_seq - synced_seq as marks from item_products where item_id = $1',
      [itemId],
    )
    return Object.fromEntries(rows.map((row) => [String(row['product']), Number(row['marks'])]))
  }
  const callsOf = async (item: Item) =>
    (await world().bank.calls()).filter((call) => 'item_id' in call && call.item_id === item.plaidItemId)
  const statusOf = async (subject: string, id: string) => {
    const item = await getItem(world().services.api, world().user(subject).actor.identity, id)
    return item === null ? null : { status: item.status, reason: item.statusReason, action: actionRequired(item) }
  }
  return { relay, marks, callsOf, statusOf }
}
