// The effect of each class of Plaid's failures: the item's status, the next attempt, and the message for the user.
import { describe, expect, it } from 'vitest'
import { getItem } from '../../../src/db/items/items.ts'
import { actionRequired } from '../../../src/items/action-required.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { expectTruth } from '../../support/equality.ts'
import { linkAndSync } from '../../support/linked.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

interface Expected {
  readonly error: string
  readonly status: string
  readonly action: string | null
  readonly says: RegExp
  /** The earliest and latest next attempt, in seconds from now. */
  readonly retryRange: readonly [number, number]
  readonly product?: string
}

const failures: readonly Expected[] = [
  {
    error: 'INTERNAL_SERVER_ERROR',
    status: 'healthy',
    action: null,
    says: /Plaid did not respond/,
    retryRange: [1, 60],
  },
  { error: 'PLANNED_MAINTENANCE', status: 'healthy', action: null, says: /Plaid did not respond/, retryRange: [1, 60] },
  {
    error: 'TRANSACTIONS_SYNC_LIMIT',
    status: 'healthy',
    action: null,
    says: /Too many requests/,
    retryRange: [1, 120],
  },
  {
    error: 'INSTITUTION_DOWN',
    status: 'institution_down',
    action: null,
    says: /institution does not respond/,
    retryRange: [1000, 22_000],
  },
  {
    error: 'INSTITUTION_NOT_RESPONDING',
    status: 'institution_down',
    action: null,
    says: /institution does not respond/,
    retryRange: [1000, 22_000],
  },
  {
    error: 'PRODUCT_NOT_READY',
    status: 'healthy',
    action: null,
    says: /^nothing$/,
    retryRange: [1, 900],
    product: 'ok',
  },
  {
    error: 'ITEM_LOGIN_REQUIRED',
    status: 'needs_update',
    action: 'update',
    says: /new login/,
    retryRange: [3600, 90_000],
  },
  { error: 'NO_ACCOUNTS', status: 'needs_update', action: 'update', says: /new login/, retryRange: [3600, 90_000] },
  {
    error: 'ITEM_LOCKED',
    status: 'bank_action_required',
    action: 'contact_bank',
    says: /resolved at the institution/,
    retryRange: [3600, 90_000],
  },
  {
    error: 'USER_SETUP_REQUIRED',
    status: 'bank_action_required',
    action: 'contact_bank',
    says: /resolved at the institution/,
    retryRange: [3600, 90_000],
  },
  {
    error: 'PRODUCTS_NOT_SUPPORTED',
    status: 'healthy',
    action: null,
    says: /does not offer this product at the moment/,
    retryRange: [3000, 4200],
  },
  {
    error: 'ADDITIONAL_CONSENT_REQUIRED',
    status: 'healthy',
    action: null,
    says: /does not offer this product at the moment/,
    retryRange: [3000, 4200],
  },
  {
    error: 'ITEM_NOT_FOUND',
    status: 'relink_required',
    action: 'relink',
    says: /Link the institution again/,
    retryRange: [3600, 90_000],
  },
  {
    error: 'INVALID_ACCESS_TOKEN',
    status: 'relink_required',
    action: 'relink',
    says: /Link the institution again/,
    retryRange: [3600, 90_000],
  },
  {
    error: 'ITEM_NOT_SUPPORTED',
    status: 'relink_required',
    action: 'relink',
    says: /Link the institution again/,
    retryRange: [3600, 90_000],
  },
  { error: 'INVALID_API_KEYS', status: 'healthy', action: null, says: /internal error/, retryRange: [3600, 90_000] },
  { error: 'INVALID_FIELD', status: 'healthy', action: null, says: /internal error/, retryRange: [3600, 90_000] },
]

const productRow = async (itemId: string) =>
  (
    await world.sql(
      `select status, last_error, attempts, cursor, extract(epoch from next_attempt_at - now())::int as due, dirty_seq > synced_seq as dirty,
         lease_owner is null as free from item_products where item_id = $1 and product = 'transactions'`,
      [itemId],
    )
  )[0]

describe('a failure of Plaid’s', () => {
  it.each(failures)(
    'has its status and its next attempt: $error',
    async ({ error, status, action, says, retryRange, product = 'error' }) => {
      const subject = `fails ${error}`
      const user = world.user(subject)
      const { id, plaidItemId } = await linkAndSync(world, subject)
      const before = await productRow(id)
      await world.bank.change(plaidItemId, { add: 2, silent: true })
      await world.bank.fault({ endpoint: '/transactions/sync', times: 2, error })
      await world.sql(
        "update item_products set dirty_seq = dirty_seq + 1 where item_id = $1 and product = 'transactions'",
        [id],
      )
      const [row] = await world.sql("select id from item_products where item_id = $1 and product = 'transactions'", [
        id,
      ])
      await world.services.enqueue([String(row?.['id'])], 'user')
      await world.drain()

      const item = await getItem(world.services.api, user.actor.identity, id)
      if (item === null) throw new Error('the item is gone')
      expect({ status: item.status, action: actionRequired(item) }).toEqual({ status, action })
      const after = await productRow(id)
      expect(after).toMatchObject({ status: product, cursor: before?.['cursor'], dirty: 't', free: 't' })
      expect(Number(after?.['due'])).toBeGreaterThanOrEqual(retryRange[0] - 1)
      expect(Number(after?.['due'])).toBeLessThanOrEqual(retryRange[1])
      const shown = item.products.find((unit) => unit.product === 'transactions')?.lastError ?? null
      expect(shown ?? 'nothing').toMatch(says)
      // The user reads a sentence of this product, never a code, a path or Plaid's text.
      expect(shown ?? '').not.toMatch(/[A-Z]{2,}_|\/|simulator|request id/)
      const [run] = await world.sql(
        'select outcome, error_code from sync_runs where item_id = $1 order by finished_at desc limit 1',
        [id],
      )
      expect(run?.['error_code']).toBe(error)
      await world.bank.clearFaults()
    },
  )

  it('leaves no trace once a temporary failure has ended', async () => {
    const { id, plaidItemId } = await linkAndSync(world, 'recovers')
    await world.bank.change(plaidItemId, { add: 3, silent: true })
    await world.bank.fault({ endpoint: '/transactions/sync', times: 2, error: 'INSTITUTION_DOWN' })
    await requestSync(world.user('recovers'), id)
    await world.drain()
    await world.bank.clearFaults()
    await requestSync(world.user('recovers'), id)
    await world.drain()
    await expectTruth(world, 'recovers', plaidItemId)
    const item = await getItem(world.services.api, world.user('recovers').actor.identity, id)
    expect(item).toMatchObject({ status: 'healthy', statusReason: null })
    expect(await productRow(id)).toMatchObject({ status: 'ok', last_error: null, attempts: '0', dirty: 'f' })
  })

  it('stops background calls until the institution reports the repair, when it needs the user', async () => {
    const { id, plaidItemId } = await linkAndSync(world, 'repaired')
    const identity = world.user('repaired').actor.identity
    const carriedOn = async () => {
      await carryOn()
      return await getItem(world.services.api, identity, id)
    }
    await world.bank.change(plaidItemId, { login_required: true })
    await expect
      .poll(carriedOn, { timeout: 5000 })
      .toMatchObject({ status: 'needs_update', statusReason: 'ITEM_LOGIN_REQUIRED' })
    await world.bank.change(plaidItemId, { add: 2, silent: true })
    const calls = (await world.bank.calls()).length
    await world.sql(
      "update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1 and product <> 'item'",
      [id],
    )
    const ids = await world.sql("select id from item_products where item_id = $1 and product <> 'item'", [id])
    await world.services.enqueue(
      ids.map((row) => String(row['id'])),
      'sweep',
    )
    await world.drain()
    expect((await world.bank.calls()).length).toBe(calls)
    await world.bank.change(plaidItemId, { login_repaired: true })
    await expect.poll(carriedOn, { timeout: 5000 }).toMatchObject({ status: 'healthy', statusReason: null })
    await expectTruth(world, 'repaired', plaidItemId)
  })

  it('cannot undo a repair when it is reported late', async () => {
    const { id, plaidItemId } = await linkAndSync(world, 'late error')
    await world.bank.change(plaidItemId, { login_required: true })
    await expect
      .poll(async () => (late ??= (await world.delivered()).find(({ body }) => body.includes('ITEM_LOGIN_REQUIRED'))), {
        timeout: 5000,
      })
      .toBeDefined()
    await world.bank.change(plaidItemId, { login_repaired: true })
    await expect.poll(async () => await carryOn(), { timeout: 5000 }).toBeGreaterThan(0)
    if (late === undefined) throw new Error('no webhook came')
    await world.deliver(late)
    await world.drain()
    expect(await getItem(world.services.api, world.user('late error').actor.identity, id)).toMatchObject({
      status: 'healthy',
    })
  })

  it.each([{ drop: true }, { drop: 'after' }, { status: 502 }])(
    'is retried when the connection fails (%o)',
    async (fault) => {
      const subject = `cut ${JSON.stringify(fault)}`
      const { id, plaidItemId } = await linkAndSync(world, subject)
      await world.bank.change(plaidItemId, { add: 2, silent: true })
      await world.bank.fault({ endpoint: '/transactions/sync', times: 1, ...fault })
      await requestSync(world.user(subject), id)
      await world.drain()
      await expectTruth(world, subject, plaidItemId)
      await world.bank.clearFaults()
    },
  )
})

let late: Awaited<ReturnType<World['delivered']>>[number] | undefined

async function carryOn(): Promise<number> {
  const deliveries = await world.delivered()
  for (const delivery of deliveries) await world.deliver(delivery)
  await world.drain()
  return deliveries.length
}
