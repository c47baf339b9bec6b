// No writer can forget an event: triggers of the database write it. And what an erasure leaves of events.
import { describe, expect, it } from 'vitest'
import { requestErasure } from '../../../src/privacy/request-erasure.ts'
import { linkAndSync, allProducts } from '../../support/linked.ts'
import { useListening } from './listening.ts'

const given = useListening()

const written = async (itemId: string): Promise<string[]> =>
  (
    await given.world.sql('select type from webhook_deliveries where item_id = $1 order by created_at, id', [itemId])
  ).map(({ type }) => String(type))

describe('a writer that knows nothing of events', () => {
  it.each([
    ['the status of an item', "update items set status = 'institution_down' where id = $1", 'item.status_changed'],
    ['new accounts', 'update items set new_accounts_available = true where id = $1', 'item.new_accounts'],
    ['a removal', "update items set removed_at = now(), status = 'removing' where id = $1", 'item.removed'],
    ['a new link', 'update items set link_epoch = link_epoch + 1 where id = $1', 'item.linked'],
    [
      'transactions',
      `with counted as (update users set change_seq = change_seq + 1
          where id = (select user_id from items where id = $1) returning id, change_seq)
        update transactions t set note = 'n', change_seq = counted.change_seq from counted
        where t.id = (select id from transactions where item_id = $1 limit 1)`,
      'transactions.changed',
    ],
    [
      'a run of holdings',
      `insert into sync_runs (id, user_id, item_id, item_product_id, product, trigger, outcome, upserted, plaid_request_ids, started_at)
        select gen_random_uuid(), user_id, item_id, id, 'holdings', 'test', 'committed', 1, '{}', now()
        from item_products where item_id = $1 limit 1`,
      'holdings.changed',
    ],
  ])('writes one all the same: %s', async (what, statement, type) => {
    const item = await linkAndSync(given.world, `writer of ${what}`)
    await given.listen(given.as(`writer of ${what}`))
    await given.world.sql(statement, [item.id])
    expect(await written(item.id)).toContain(type)
  })

  it('writes none where nothing changed that an event says', async () => {
    const item = await linkAndSync(given.world, 'idle')
    await given.listen(given.as('idle'))
    await given.world.sql('update items set updated_at = now(), status = status where id = $1', [item.id])
    await given.world.sql('update users set change_seq = change_seq, plaid_user_id = plaid_user_id')
    expect(await written(item.id)).toEqual([])
  })

  it('cannot be overlooked: every table has its trigger, and it is enabled', async () => {
    const rows = await given.world.sql(
      `select tgrelid::regclass::text || ' ' || tgname as name from pg_trigger
        where tgname ~ '_emit' and tgenabled = 'O' order by 1`,
    )
    expect(rows.map(({ name }) => name)).toEqual([
      'items items_emit',
      'items items_emit_update',
      'sync_runs sync_runs_emit',
      'users users_emit_changes',
      'users users_emit_erased',
    ])
  })
})

describe('the first sync of an item with every product', () => {
  it('writes an event for each kind of data that came', async () => {
    await given.listen(given.as('everything'))
    const item = await linkAndSync(given.world, 'everything', allProducts)
    const types = new Set(await written(item.id))
    for (const type of [
      'item.linked',
      'item.status_changed',
      'transactions.changed',
      'holdings.changed',
      'investment_transactions.changed',
      'liabilities.changed',
    ])
      expect([...types]).toContain(type)
    await given.deliver()
    expect(
      new Set(given.receiver.events.filter(({ data }) => data['item'] === item.id).map(({ type }) => type)),
    ).toEqual(types)
  })
})

describe('an erasure', () => {
  it('deletes the events of the person, and reports it to administrators with ids alone', async () => {
    await given.listen(given.asAdministrator())
    await given.listen(given.as('erased'))
    await linkAndSync(given.world, 'erased')
    const [user] = await given.world.sql("select id from users where subject = 'erased'")
    expect(await given.count('webhook_deliveries where user_id = $1', [user?.['id']])).toBeGreaterThan(0)
    const erasure = await requestErasure(given.as('erased'), null)
    expect(erasure.completedAt).not.toBeNull()
    const left = await given.world.sql('select type, state, data from webhook_deliveries')
    expect(left).toMatchObject([{ type: 'user.erased', state: 'pending' }])
    await given.deliver()
    expect(given.receiver.events.map(({ type, data }) => [type, data])).toEqual([
      ['user.erased', { user: user?.['id'], subject: 'erased' }],
    ])
    expect(await given.count("webhook_deliveries where data ? 'subject'")).toBe(0)
    expect(await given.count("webhook_deliveries where state = 'delivered'")).toBe(1)
  })
})
