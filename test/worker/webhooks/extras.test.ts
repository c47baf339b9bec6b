// Plaid may add members to its webhooks' tokens and keys. A webhook with unknown members still verifies.
import { afterEach, describe, expect, it } from 'vitest'
import { linkAndSync } from '../../support/linked.ts'
import type { Delivery } from '../../support/stack.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(async () => {
  await world.bank.webhooks({ extra_header: {}, extra_claims: {}, extra_key: {}, rotate_key: true })
  // A network may name two new keys a minute.
  world.restartIsolate()
})

/** A webhook about a change, with these extra members next to Plaid's own. */
async function webhookWith(subject: string, extras: object): Promise<{ delivery: Delivery; plaidItemId: string }> {
  const { plaidItemId } = await linkAndSync(world, subject)
  await world.bank.webhooks({ ...extras, rotate_key: true })
  await world.bank.change(plaidItemId, { pending_disconnect: true })
  let delivery: Delivery | undefined
  await expect
    .poll(
      async () => (delivery ??= (await world.delivered()).find(({ body }) => body.includes('PENDING_DISCONNECT'))),
      {
        timeout: 5000,
      },
    )
    .toBeDefined()
  if (delivery === undefined) throw new Error('no webhook came')
  return { delivery, plaidItemId }
}

const recorded = async (plaidItemId: string) =>
  (await world.sql('select scheme from webhook_events where plaid_item_id = $1', [plaidItemId])).map(
    ({ scheme }) => scheme,
  )

describe('a webhook', () => {
  it.each([
    ['header', { extra_header: { cty: 'application/json', more: { alg: 'none' } } }],
    ['claims', { extra_claims: { iss: 'plaid.com', exp: null, list: [1, 'x'] } }],
    ['key', { extra_key: { key_ops: ['verify'], ext: true } }],
  ])('is accepted with unknown members in its %s', async (part, extras) => {
    const { delivery, plaidItemId } = await webhookWith(`extra ${part}`, extras)
    await world.deliver(delivery)
    expect(await recorded(plaidItemId)).toEqual(['jwt'])
  })

  it.each([{ crit: ['b64'] }, { jwk: {} }, { jku: 'https://x.example' }, { x5u: 'https://x.example' }, { x5c: [] }])(
    'is refused with a header of %j, which would change how it is verified',
    async (extra_header) => {
      const { delivery, plaidItemId } = await webhookWith(`refused ${JSON.stringify(extra_header)}`, { extra_header })
      await expect(world.deliver(delivery)).rejects.toMatchObject({ code: 'webhook_refused', reason: 'malformed_jwt' })
      expect(await recorded(plaidItemId)).toEqual([])
    },
  )
})
