// The purge of a removed item: it runs when the retention time has ended and not before, deletes everything, reaches
// the change feed, and spares an item that was linked again.
import { describe, expect, it } from 'vitest'
import type { Item } from '../../../src/db/items/items.ts'
import { purgeItem } from '../../../src/db/items/purge.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { expectTruth } from '../../support/equality.ts'
import { follow, listed } from '../../support/feed.ts'
import {
  chooseBank,
  letHistoryArrive,
  linkAndSyncSmallBank,
  rowOf,
  smallBank,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import { fingerprint } from '../../support/tables.ts'
import { query } from '../../support/sql.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const link = (subject: string): Promise<Item> => linkAndSyncSmallBank(world, subject)
const hide = async (subject: string, item: Item) => await removeItem(world.user(subject), item.id, { purge: false })
const later = (item: Item, days: number) =>
  world.sql('update items set purge_at = purge_at - make_interval(days => $2::int) where id = $1', [item.id, days])
const isThere = async (item: Item) =>
  (await world.sql('select 1 as one from items where id = $1', [item.id])).length === 1
const tables = async () =>
  await fingerprint((text, params) => query(world.database.endpoint, world.database.ownerUrl, text, params))

describe('an item that was removed', () => {
  it('is deleted when its time has come, and not before', async () => {
    const subject = 'its time'
    const item = await link(subject)
    await hide(subject, item)
    const { retention } = world.services.config
    await later(item, retention.removedDays - 1)
    await reconcile(world.job())
    expect(await isThere(item)).toBe(true)
    await later(item, 1)
    await reconcile(world.job())
    expect(await isThere(item)).toBe(false)
  })

  it('leaves only the numbers of the feed, and changes no data of other users', async () => {
    const item = await linkAndSync(world, 'deleted', { products: ['transactions', 'investments', 'liabilities'] })
    const [user] = await world.sql('select user_id, plaid_item_id from items where id = $1', [item.id])
    await linkAndSync(world, 'bystander', { products: ['transactions', 'investments', 'liabilities'] })
    await hide('deleted', item)
    const others = async () => {
      const rows = await world.sql(
        `select (select count(*) || md5(string_agg(t::text, '' order by id)) from transactions t where user_id <> $1) as transactions,
           (select count(*) || md5(string_agg(s::text, '' order by id)) from securities s where user_id <> $1) as securities,
           (select count(*) || md5(string_agg(a::text, '' order by id)) from accounts a where user_id <> $1) as accounts`,
        [user?.['user_id']],
      )
      return rows[0]
    }
    const before = await others()
    await later(item, 31)
    await reconcile(world.job())
    expect(await others()).toEqual(before)
    const kept = await world.sql(
      `select (select count(*) from accounts where user_id = $1) as accounts, (select count(*) from transactions where user_id = $1) as transactions,
         (select count(*) from securities where user_id = $1) as securities, (select count(*) from holding_days where user_id = $1) as days,
         (select count(*) from link_exchanges where user_id = $1) as exchanges, (select count(*) > 0 from transaction_tombstones where user_id = $1) as has_tombstones`,
      [user?.['user_id']],
    )
    expect(kept).toEqual([
      { accounts: '0', transactions: '0', securities: '0', days: '0', exchanges: '0', has_tombstones: 't' },
    ])
  })

  it('takes along the webhooks that came before its row, of every item of Plaid’s that it has stood for', async () => {
    const subject = 'early webhook'
    const item = await link(subject)
    const early = [item.plaidItemId, 'an-earlier-item', 'somebody-elses-item']
    await world.sql(
      `insert into webhook_events (replay_key, scheme, webhook_type, webhook_code, plaid_item_id, payload)
       select 'early ' || id, 'jwt', 'ITEM', 'USER_ACCOUNT_REVOKED', id, '{"account_id": "private"}' from unnest($1::text[]) as id`,
      [`{${early.join(',')}}`],
    )
    await world.sql(
      `insert into link_exchanges (id, user_id, public_token_digest, state, allow_duplicate, plaid_item_id, item_id, next_attempt_at)
       select gen_random_uuid(), user_id, 'earlier link', 'linked', false, 'an-earlier-item', id, now() from items where id = $1`,
      [item.id],
    )
    await removeItem(world.user(subject), item.id, { purge: true })
    expect(await world.sql(`select plaid_item_id from webhook_events where replay_key like 'early %'`)).toEqual([
      { plaid_item_id: 'somebody-elses-item' },
    ])
  })

  it('is deleted once by several at once', async () => {
    const subject = 'several'
    const item = await link(subject)
    const follower = follow(world, subject)
    await follower.catchUp()
    await hide(subject, item)
    await later(item, 31)
    await Promise.all([1, 2, 3, 4].map(() => purgeItem(world.services.jobs, item.id)))
    expect(await isThere(item)).toBe(false)
    await follower.catchUp()
    expect(follower.copy.size).toBe(0)
    // The reconciler updates the time at which it last compared a user's items.
    const { 'public.users': _users, ...before } = await tables()
    await reconcile(world.job())
    expect(await tables()).toMatchObject(before)
  })

  it('is either kept or deleted completely when it is linked again at that moment', async () => {
    for (let round = 0; round < 6; round += 1) {
      const subject = `race ${round}`
      const item = await link(subject)
      await hide(subject, item)
      await later(item, 31)
      const { publicToken } = await chooseBank(world, subject, smallBank(subject))
      const [again] = await Promise.all([
        exchangePublicToken(world.user(subject), { publicToken, institution: null }),
        purgeItem(world.services.jobs, item.id),
      ])
      await letHistoryArrive(world, again)
      await expectTruth(world, subject, again.plaidItemId)
      expect(await isThere(item)).toBe(again.id === item.id)
      const follower = follow(world, subject)
      await follower.catchUp()
      expect(follower.copy).toEqual(await listed(world, subject))
    }
  })

  it('is not deleted once it is linked again, however long ago it was removed', async () => {
    const subject = 'linked again'
    const item = await link(subject)
    await hide(subject, item)
    const again = await link(subject)
    expect(again.id).toBe(item.id)
    expect(await rowOf(world, item)).toMatchObject({ purge_at: null, removed_at: null })
    await later(item, 100)
    await reconcile(world.job())
    await purgeItem(world.services.jobs, item.id)
    expect(await isThere(item)).toBe(true)
  })

  it('reaches clients that are behind in the feed, whether they read the removal or not', async () => {
    const subject = 'behind'
    const [item, kept] = [await link(subject), await linkAndSync(world, subject)]
    const [behind, ahead] = [follow(world, subject), follow(world, subject)]
    await behind.catchUp()
    await ahead.catchUp()
    await hide(subject, item)
    await ahead.catchUp()
    await later(item, 31)
    await reconcile(world.job())
    for (const follower of [behind, ahead, follow(world, subject)]) {
      await follower.catchUp(3)
      expect(follower.copy).toEqual(await listed(world, subject))
    }
    await expectTruth(world, subject, kept.plaidItemId)
  })
})
