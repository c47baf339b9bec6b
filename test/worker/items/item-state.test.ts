// The effects of an item's state: from initializing to healthy, products that its own sync marks dirty, and no syncs
// while the user must act. Every transition in this file's database is recorded and compared with the table.
import { beforeAll, describe, expect, it } from 'vitest'
import { getItem, type Item } from '../../../src/db/items/items.ts'
import { isItemStatus, itemStatusTable } from '../../../src/item-status.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { sweep } from '../../../src/sync/sweep.ts'
import { expectTruth } from '../../support/equality.ts'
import {
  letHistoryArrive,
  letTimePass,
  linkAndSyncSmallBank,
  linkSmallBank,
  lookAtItem,
  rowOf,
  useWorld,
  webhooksLike,
} from '../../support/item-lifecycle.ts'
import { allProducts, link, linkAndSync } from '../../support/linked.ts'
import { type OddAnswers, oddAnswers } from '../../support/odd-answers.ts'
import type { Delivery } from '../../support/stack.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})
beforeAll(() => recordMoves())

/** Creates a trigger that records the old and new status of each item; null before it exists. */
async function recordMoves(): Promise<void> {
  await world.sql('create table moves (before text, after text)')
  await world.sql(`create function record_move() returns trigger language plpgsql security definer set search_path = public as $$
    begin insert into moves values (case when tg_op = 'UPDATE' then old.status end, new.status); return null; end $$`)
  await world.sql('create trigger record_insert after insert on items for each row execute function record_move()')
  await world.sql(`create trigger record_update after update on items for each row
    when (old.status is distinct from new.status) execute function record_move()`)
}

const statusOf = async (subject: string, { id }: Item) =>
  (await getItem(world.services.api, world.user(subject).actor.identity, id))?.status

/** The products that were synced with this trigger. */
const runsFor = async (item: Item, trigger: string): Promise<string[]> =>
  (
    await world.sql(
      "select distinct product from sync_runs where item_id = $1 and trigger = $2 and outcome = 'committed' order by product",
      [item.id, trigger],
    )
  ).map(({ product }) => String(product))

describe('a new item', () => {
  it('is initializing until its first transactions arrive, for any other product', async () => {
    const item = await link(world, 'new')
    await world.drain()
    expect(await runsFor(item, 'link')).toEqual(expect.arrayContaining(['balances', 'item']))
    expect(await statusOf('new', item)).toBe('initializing')
    for (const product of ['item', 'balances']) await odd.sync(item, product)
    expect(await statusOf('new', item)).toBe('initializing')
    await world.bank.change(item.plaidItemId, { history: 'initial', silent: true })
    await odd.sync(item, 'transactions')
    expect(await statusOf('new', item)).toBe('healthy')
  })

  it('is looked at again in ten minutes while its history is not complete, should no webhook come', async () => {
    const item = await link(world, 'history')
    await world.bank.change(item.plaidItemId, { history: 'initial', silent: true })
    await world.drain()
    const state = async () =>
      (
        await world.sql(
          `select status, dirty_seq > synced_seq as dirty, round(extract(epoch from next_attempt_at - now()) / 60) as minutes
           from item_products where item_id = $1 and product = 'transactions'`,
          [item.id],
        )
      )[0]
    expect(await state()).toEqual({ status: 'ok', dirty: 't', minutes: '10' })
    await world.bank.change(item.plaidItemId, { history: 'historical', silent: true })
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    await expectTruth(world, 'history', item.plaidItemId)
    expect(await state()).toMatchObject({ status: 'ok', dirty: 'f' })
  })
})

describe('a look at the item', () => {
  it('marks as dirty what a lost webhook should have marked', async () => {
    const item = await linkAndSync(world, 'reported', allProducts)
    const before = await runsFor(item, 'raised')
    const later = { last_successful_update: new Date() }
    await lookAtItem(world, item, (response) => ({ ...response, status: { ...response.status, investments: later } }))
    expect(await runsFor(item, 'raised')).toEqual([...before, 'holdings', 'investment_transactions'].toSorted())
  })

  it('marks everything as dirty once the item works again, without a webhook', async () => {
    const item = await linkAndSync(world, 'works again', allProducts)
    await world.bank.change(item.plaidItemId, { login_required: true, silent: true })
    await odd.sync(item, 'item')
    expect(await statusOf('works again', item)).toBe('needs_update')
    await world.bank.change(item.plaidItemId, { login_repaired: true, silent: true })
    await world.elapse()
    await sweep(world.job())
    await world.drain()
    expect(await statusOf('works again', item)).toBe('healthy')
    expect(await runsFor(item, 'raised')).toEqual([
      'balances',
      'holdings',
      'investment_transactions',
      'liabilities',
      'recurring',
      'transactions',
    ])
  })

  it('is all that the sweep does of an item that waits for its user', async () => {
    const item = await linkAndSync(world, 'waits', allProducts)
    await world.bank.change(item.plaidItemId, { login_required: true, silent: true })
    await odd.sync(item, 'item')
    await world.sql('update item_products set dirty_seq = dirty_seq + 1 where item_id = $1', [item.id])
    await world.elapse()
    await sweep(world.job())
    const woken = world.queue.map((message) => ('item_product_id' in message ? message.item_product_id : null))
    const products = await world.sql('select id, product from item_products where item_id = $1', [item.id])
    expect(products.filter(({ id }) => woken.includes(String(id))).map(({ product }) => product)).toEqual(['item'])
  })
})

describe('a look at the item after webhooks that changed places', () => {
  /** The webhooks of a login that broke and was repaired. */
  async function breakAndRepair(item: Item, endsBroken: boolean): Promise<Delivery[]> {
    const steps = endsBroken
      ? [{ login_repaired: true }, { login_required: true }]
      : [{ login_required: true }, { login_repaired: true }]
    if (endsBroken) await world.bank.change(item.plaidItemId, { login_required: true, silent: true })
    for (const step of steps) await world.bank.change(item.plaidItemId, step)
    return (await webhooksLike(world, /"(ERROR|LOGIN_REPAIRED)"/, 2)).slice(0, 2)
  }

  it.each([
    { endsBroken: true, status: 'needs_update' },
    { endsBroken: false, status: 'healthy' },
  ])('says what is so now: %o', async ({ endsBroken, status }) => {
    for (const reversed of [false, true]) {
      const subject = `changed places ${endsBroken} ${reversed}`
      const item = await linkAndSync(world, subject)
      const deliveries = await breakAndRepair(item, endsBroken)
      for (const delivery of reversed ? deliveries.toReversed() : deliveries) {
        await world.deliver(delivery)
        await world.drain()
      }
      expect(await statusOf(subject, item)).toBe(status)
    }
  })
})

describe('an item that is revoked while it is looked at', () => {
  it('stays revoked after any earlier webhook', async () => {
    const subject = 'revoked meanwhile'
    const item = await linkAndSync(world, subject)
    const { plaid } = world.services
    await odd.sync(
      item,
      'item',
      odd.withPlaid({
        async getItem(...args) {
          const answer = await plaid.getItem(...args)
          await world.bank.change(item.plaidItemId, { revoke: true })
          await expect
            .poll(async () => {
              for (const delivery of await world.delivered()) await world.deliver(delivery)
              return await statusOf(subject, item)
            })
            .toBe('revoked')
          return answer
        },
      }),
    )
    expect(await rowOf(world, item)).toMatchObject({ status: 'revoked', status_reason: 'USER_PERMISSION_REVOKED' })
  })
})

describe('a bank that is down', () => {
  it('takes precedence over an announced state, which returns when the institution responds', async () => {
    const subject = 'overlay'
    const item = await linkAndSync(world, subject)
    await world.sql("update items set disconnect_at = now() + interval '5 days' where id = $1", [item.id])
    await odd.sync(item, 'item')
    expect(await statusOf(subject, item)).toBe('pending_disconnect')
    await world.bank.fault({ endpoint: '/transactions/sync', times: 2, error: 'INSTITUTION_DOWN' })
    await odd.sync(item, 'transactions')
    expect(await statusOf(subject, item)).toBe('institution_down')
    await world.bank.clearFaults()
    await odd.sync(item, 'transactions')
    expect(await rowOf(world, item)).toMatchObject({
      status: 'pending_disconnect',
      status_reason: 'PENDING_DISCONNECT',
    })
  })
})

describe('the states of items', () => {
  const errors: Readonly<Partial<Record<string, readonly [type: string, code: string]>>> = {
    needs_update: ['ITEM_ERROR', 'ITEM_LOGIN_REQUIRED'],
    bank_action_required: ['ITEM_ERROR', 'ITEM_LOCKED'],
    institution_down: ['INSTITUTION_ERROR', 'INSTITUTION_DOWN'],
    relink_required: ['ITEM_ERROR', 'INSTITUTION_NO_LONGER_SUPPORTED'],
    revoked: ['ITEM_ERROR', 'USER_PERMISSION_REVOKED'],
  }
  const reported = [
    'healthy',
    'pending_disconnect',
    'pending_expiration',
    'needs_update',
    'bank_action_required',
    'institution_down',
  ] as const
  const lost = ['relink_required', 'revoked'] as const
  type ReportedStatus = (typeof reported)[number] | (typeof lost)[number]

  /** Syncs the item while Plaid reports this status. */
  async function report(item: Item, status: ReportedStatus): Promise<void> {
    await world.sql("update items set disconnect_at = case when $2 then now() + interval '5 days' end where id = $1", [
      item.id,
      status === 'pending_disconnect',
    ])
    const error = errors[status]
    await lookAtItem(world, item, (answer) => ({
      ...answer,
      item: {
        ...answer.item,
        error: error === undefined ? null : { error_type: error[0], error_code: error[1] },
        consent_expiration_time: status === 'pending_expiration' ? new Date(Date.now() + 3600_000) : null,
      },
    }))
  }

  const daysAhead = (days: number): Date => new Date(Date.now() + days * 86_400_000)

  it.each<[string, Date, string]>([
    ['in the year 1', new Date('0001-01-01T00:00:00Z'), 'healthy'],
    ['a year ago', daysAhead(-365), 'healthy'],
    ['two days ago', daysAhead(-2), 'healthy'],
    ['an hour ago', daysAhead(-1 / 24), 'pending_expiration'],
    ['in six days', daysAhead(6), 'pending_expiration'],
    ['in eight days', daysAhead(8), 'healthy'],
  ])('include a consent that ends %s', async (when, time, status) => {
    const subject = `consent ends ${when}`
    const item = await linkAndSyncSmallBank(world, subject)
    const look = () =>
      lookAtItem(world, item, (answer) => ({
        ...answer,
        item: { ...answer.item, error: null, consent_expiration_time: time },
      }))
    await look()
    expect(await statusOf(subject, item)).toBe(status)
    await world.sql("update items set status = 'pending_expiration' where id = $1", [item.id])
    await look()
    expect(await statusOf(subject, item)).toBe(status)
  })

  it('follow the reports of Plaid, in any order', async () => {
    const subject = 'any order'
    const item = await linkAndSyncSmallBank(world, subject)
    for (const from of reported)
      for (const to of reported) {
        await report(item, from)
        await report(item, to)
        expect(await statusOf(subject, item)).toBe(to)
      }
  })

  it('end when only a new link helps, for any later report, and start again with it', async () => {
    for (const end of lost) {
      const subject = `ends ${end}`
      const item = await linkAndSyncSmallBank(world, subject)
      for (const from of reported) {
        await report(item, from)
        await report(item, end)
        expect(await statusOf(subject, item)).toBe(end)
        await report(item, 'healthy')
        expect(await statusOf(subject, item)).toBe(end)
        const again = await linkSmallBank(world, subject)
        expect(again).toMatchObject({ id: item.id, status: 'initializing' })
        await letHistoryArrive(world, again)
        expect(await statusOf(subject, item)).toBe('healthy')
      }
    }
  })

  it('start with the report of Plaid, also before the first transactions arrive', async () => {
    for (const status of [...reported.filter((each) => each !== 'healthy'), ...lost]) {
      const subject = `begins ${status}`
      const item = await linkSmallBank(world, subject)
      await world.drain()
      await report(item, status)
      expect(await statusOf(subject, item)).toBe(status)
    }
  })

  it('end with a removal, from wherever they are, and begin again until it is purged', async () => {
    for (const status of [...reported, ...lost]) {
      const subject = `removed from ${status}`
      const item = await linkAndSyncSmallBank(world, subject)
      await report(item, status)
      await world.bank.fault({ endpoint: '/item/remove', times: 2, error: 'INTERNAL_SERVER_ERROR' })
      await removeItem(world.user(subject), item.id, { purge: false })
      expect(await rowOf(world, item)).toMatchObject({ status: 'removing' })
      expect((await linkSmallBank(world, subject)).id).toBe(item.id)
      await removeItem(world.user(subject), item.id, { purge: false })
      expect(await rowOf(world, item)).toMatchObject({ status: 'removed' })
      await removeItem(world.user(subject), item.id, { purge: false })
      expect(await rowOf(world, item)).toMatchObject({ status: 'removed' })
      expect((await linkSmallBank(world, subject)).id).toBe(item.id)
    }
    const early = await linkSmallBank(world, 'removed early')
    await removeItem(world.user('removed early'), early.id, { purge: false })
    await letTimePass(world)
    await reconcile(world.job())
  })

  it('have moved as the table says, all that it says, and no other way', async () => {
    const moves = await world.sql('select distinct before, after from moves')
    const known = Object.entries(itemStatusTable).flatMap(([before, { next }]) =>
      next.filter((after) => after !== before).map((after) => `${before} → ${after}`),
    )
    const began = moves.filter(({ before }) => before === null).map(({ after }) => after)
    expect(began).toEqual(['initializing'])
    const seen = moves
      .filter(({ before }) => before !== null)
      .map(({ before, after }) => `${String(before)} → ${String(after)}`)
    const byName = (left: string, right: string) => left.localeCompare(right)
    expect(seen.toSorted(byName)).toEqual(known.toSorted(byName))
    expect(moves.map(({ after }) => String(after)).filter((status) => !isItemStatus(status))).toEqual([])
  })
})
