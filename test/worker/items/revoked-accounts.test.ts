// An account that its user revokes at the bank: it is hidden immediately, deleted after the retention time, and
// restored when it is shared again.
import { describe, expect, it } from 'vitest'
import { listHoldings, listInvestmentTransactions } from '../../../src/db/records/investments.ts'
import type { Item } from '../../../src/db/items/items.ts'
import { listLiabilities } from '../../../src/db/records/liabilities.ts'
import { listRecurring } from '../../../src/db/records/recurring.ts'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { markRepaired } from '../../../src/items/repair-item.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import { follow, listed } from '../../support/feed.ts'
import {
  accountsOf,
  askForLink,
  chooseBank,
  goThroughLink,
  letHistoryArrive,
  linkAndSyncSmallBank,
  rowOf,
  smallBank,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import { oddAnswers } from '../../support/odd-answers.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const link = (subject: string): Promise<Item> => linkAndSyncSmallBank(world, subject)
const hide = async (subject: string, item: Item) => await removeItem(world.user(subject), item.id, { purge: false })

describe('an account that its user took back', () => {
  /** The user revokes an account at the bank. Delivers the webhook this many times. */
  async function takeBack(item: Pick<Item, 'plaidItemId'>, name: string, times = 1): Promise<string> {
    const { accounts } = await world.bank.truth(item.plaidItemId)
    const id = accounts.find((account) => account['name'] === name)?.account_id ?? ''
    await world.bank.change(item.plaidItemId, { revoke_account: id })
    await expect
      .poll(
        async () => {
          const deliveries = await world.delivered()
          for (let round = 0; round < times; round += 1)
            for (const delivery of deliveries) await world.deliver(delivery)
          return deliveries.some(({ body }) => body.includes('USER_ACCOUNT_REVOKED'))
        },
        { timeout: 10_000 },
      )
      .toBe(true)
    return id
  }
  const state = async (item: Item, plaidAccountId: string) =>
    (
      await world.sql(
        'select closed, revoked_at is not null as revoked from accounts where item_id = $1 and plaid_account_id = $2',
        [item.id, plaidAccountId],
      )
    )[0]
  const days = (count: number) =>
    world.sql('update accounts set revoked_at = revoked_at - make_interval(days => $1::int)', [count])

  it('is closed immediately, its transactions are hidden, and the feed lists them', async () => {
    const subject = 'takes back'
    const item = await link(subject)
    const follower = follow(world, subject)
    await follower.catchUp()
    const all = follower.copy.size
    const id = await takeBack(item, 'Nest egg')
    expect(await state(item, id)).toEqual({ closed: 't', revoked: 't' })
    await follower.catchUp(2)
    expect(
      [...follower.copy.values()].map((row) => row['name']).filter((name) => String(name).includes('Nest egg')),
    ).toEqual([])
    expect(follower.copy.size).toBe(all - 2)
    expect(follower.copy).toEqual(await listed(world, subject))
    await world.drain()
    await oddAnswers(world).sync(item, 'transactions')
    await expectTruth(world, subject, item.plaidItemId)
    expect(await state(item, id)).toEqual({ closed: 't', revoked: 't' })
    expect(await rowOf(world, item)).toMatchObject({ status: 'healthy' })
  })

  it('can be revoked twice without harm', async () => {
    const subject = 'revoked twice'
    const item = await link(subject)
    const follower = follow(world, subject)
    const id = await takeBack(item, 'Nest egg', 3)
    expect(await state(item, id)).toEqual({ closed: 't', revoked: 't' })
    await follower.catchUp(1)
    expect(follower.copy).toEqual(await listed(world, subject))
  })

  it('is deleted when its time has come, and not before; the others stay', async () => {
    const subject = 'its account’s time'
    const item = await link(subject)
    const follower = follow(world, subject)
    await follower.catchUp()
    await takeBack(item, 'Nest egg')
    await world.drain()
    const { removedDays } = world.services.config.retention
    await days(removedDays - 1)
    await reconcile(world.job())
    expect(await accountsOf(world, subject)).toHaveLength(2)
    await days(2)
    await reconcile(world.job())
    expect((await accountsOf(world, subject)).map(({ name }) => name)).toEqual(['Everyday'])
    await expectTruth(world, subject, item.plaidItemId)
    for (const each of [follower, follow(world, subject)]) {
      await each.catchUp(2)
      expect(each.copy).toEqual(await listed(world, subject))
    }
  })

  it('stays revoked although an earlier run read it', async () => {
    const subject = 'run before'
    const item = await link(subject)
    await requestSync(world.user(subject), item.id)
    let id = ''
    const messages = world.queue.splice(0)
    await world.consume(
      messages,
      withPlaid(world.services, {
        async getAccounts(...args) {
          const answer = await world.services.plaid.getAccounts(...args)
          if (id === '') id = await takeBack(item, 'Nest egg')
          return answer
        },
      }),
    )
    expect(await state(item, id)).toEqual({ closed: 't', revoked: 't' })
    await world.drain()
    expect(await state(item, id)).toEqual({ closed: 't', revoked: 't' })
    expect((await everyTransaction(world, subject)).filter(({ name }) => name.includes('Nest egg'))).toEqual([])
  })

  it('shows none of its transactions although a run that began before brings some', async () => {
    const subject = 'run with more'
    const item = await link(subject)
    const account_id = (await world.bank.truth(item.plaidItemId)).accounts.at(-1)?.account_id
    await world.bank.change(item.plaidItemId, {
      add: [{ account_id, amount: 3, name: 'Nest egg’s last' }],
      silent: true,
    })
    let names: unknown[] = []
    const odd = oddAnswers(world)
    const services = odd.withPlaid({
      async syncTransactions(...args) {
        const answer = await world.services.plaid.syncTransactions(...args)
        if (answer.ok && names.length === 0) names = answer.value.added.map(({ name }) => name)
        if (answer.ok && (await accountsOf(world, subject)).every(({ closed }) => !closed))
          await takeBack(item, 'Nest egg')
        return answer
      },
    })
    await odd.sync(item, 'transactions', services)
    expect(names).toEqual(['Nest egg’s last'])
    const ofNestEgg = async () =>
      (await everyTransaction(world, subject)).filter(({ name }) => name.includes('Nest egg'))
    expect(await ofNestEgg()).toEqual([])
    expect(await world.sql("select 1 from transactions where name = 'Nest egg’s last'")).toEqual([])
    await expectTruth(world, subject, item.plaidItemId)
  })

  it('has its holdings, investment transactions, liabilities and recurring streams hidden at once', async () => {
    const subject = 'takes all back'
    const item = await linkAndSync(world, subject, { products: ['transactions', 'investments', 'liabilities'] })
    const { api } = world.services
    const { identity } = world.user(subject).actor
    const lists = {
      positions: () => listHoldings(api, identity, null, 500, null),
      trades: () => listInvestmentTransactions(api, identity, {}, 500, null),
      debts: () => listLiabilities(api, identity, 500, null),
      streams: () => listRecurring(api, identity, {}, 500, null),
    }
    for (const [what, list] of Object.entries(lists)) {
      const [first] = (await list()).rows
      const account = (await accountsOf(world, subject)).find(({ id }) => id === first?.accountId)
      if (account === undefined) throw new Error(`no account has ${what}`)
      await takeBack(item, account.name)
      const left = (await list()).rows.filter(({ accountId }) => accountId === account.id)
      expect({ what, left }).toEqual({ what, left: [] })
    }
  })

  it.each(['new', 'earlier'])('is revoked while its %s item is being linked, and stays hidden', async (kind) => {
    const subject = `revokes early, ${kind}`
    if (kind === 'earlier') await hide(subject, await link(subject))
    const { publicToken, plaidItemId } = await chooseBank(world, subject, smallBank(subject))
    let revoked = ''
    const services = withPlaid(world.services, {
      getAccounts: async (token) => {
        const answer = await world.services.plaid.getAccounts(token)
        revoked = await takeBack({ plaidItemId }, 'Nest egg')
        return answer
      },
    })
    const item = await exchangePublicToken({ ...world.user(subject), services }, { publicToken, institution: null })
    expect(await state(item, revoked)).toEqual({ closed: 't', revoked: 't' })
    await letHistoryArrive(world, item)
    await expectTruth(world, subject, plaidItemId)
  })

  it('is revoked while its item is linked, when neither transaction sees the other', async () => {
    const subject = 'revokes while linking'
    const { publicToken, plaidItemId } = await chooseBank(world, subject, smallBank(subject))
    const activity = (how: string) =>
      world.sql(`select 1 from pg_stat_activity where datname = current_database() and ${how}`)
    await world.sql('create table gate (open boolean)')
    await world.sql(`create function wait_at_gate() returns trigger language plpgsql as $$
      begin while not exists (select 1 from gate) loop perform pg_sleep(0.05); end loop; return new; end $$`)
    await world.sql('grant select on gate to wn_jobs')
    await world.sql(`create trigger wait_at_gate before update on link_exchanges for each row when (new.state = 'linked')
      execute function wait_at_gate()`)
    try {
      const linking = exchangePublicToken(world.user(subject), { publicToken, institution: null })
      // The link has checked for revocations and has not committed.
      await expect.poll(() => activity("wait_event = 'PgSleep'")).toHaveLength(1)
      const revoking = takeBack({ plaidItemId }, 'Nest egg')
      const recorded = () =>
        world.sql(
          `select 1 from webhook_events where plaid_item_id = $1 and webhook_code = 'USER_ACCOUNT_REVOKED'
            union all select 1 from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`,
          [plaidItemId],
        )
      await expect.poll(recorded).toHaveLength(1)
      await world.sql('insert into gate values (true)')
      const [item, revoked] = [await linking, await revoking]
      expect(await state(item, revoked)).toEqual({ closed: 't', revoked: 't' })
      await letHistoryArrive(world, item)
      await expectTruth(world, subject, plaidItemId)
    } finally {
      await world.sql('insert into gate values (true)')
      await world.sql('drop trigger wait_at_gate on link_exchanges')
      await world.sql('drop function wait_at_gate')
    }
  })

  it('has its history and its notes again when it is shared again in update mode', async () => {
    const subject = 'shared in update mode'
    const item = await link(subject)
    const follower = follow(world, subject)
    const before = await everyTransaction(world, subject)
    const ofNestEgg = before.find(({ name }) => name.includes('Nest egg'))?.id ?? ''
    await editTransaction(world.services.api, world.user(subject).actor.identity, ofNestEgg, { note: 'kept' })
    await takeBack(item, 'Nest egg')
    await world.drain()
    expect(await everyTransaction(world, subject)).toHaveLength(4)
    const { linkToken } = await askForLink(world, subject, { itemId: item.id, accountSelection: true })
    await goThroughLink(world, linkToken, {})
    // A sync while the account is still revoked here. Its rows are not stored, and must come with a later sync.
    await oddAnswers(world).sync(item, 'transactions')
    expect(await everyTransaction(world, subject)).toHaveLength(4)
    await markRepaired(world.user(subject), item.id)
    await world.drain()
    await expectTruth(world, subject, item.plaidItemId)
    expect((await accountsOf(world, subject)).map(({ closed }) => closed)).toEqual([false, false])
    const after = await everyTransaction(world, subject)
    expect(after.map(({ id }) => id).toSorted()).toEqual(before.map(({ id }) => id).toSorted())
    expect(after.find(({ id }) => id === ofNestEgg)).toMatchObject({ note: 'kept' })
    await follower.catchUp()
    expect(follower.copy).toEqual(await listed(world, subject))
  })

  it('is open again with its notes, and is not deleted, when a new link shares it', async () => {
    const subject = 'shared again'
    const item = await link(subject)
    const before = await everyTransaction(world, subject)
    const follower = follow(world, subject)
    const ofNestEgg = before.find(({ name }) => name.includes('Nest egg'))?.id ?? ''
    await editTransaction(world.services.api, world.user(subject).actor.identity, ofNestEgg, { note: 'kept' })
    await takeBack(item, 'Nest egg')
    await world.drain()
    await follower.catchUp()
    await hide(subject, item)
    const again = await link(subject)
    expect(again.id).toBe(item.id)
    await expectTruth(world, subject, again.plaidItemId)
    expect((await accountsOf(world, subject)).map(({ closed }) => closed)).toEqual([false, false])
    const after = await everyTransaction(world, subject)
    expect(after.map(({ id }) => id).toSorted()).toEqual(before.map(({ id }) => id).toSorted())
    expect(after.find(({ id }) => id === ofNestEgg)).toMatchObject({ note: 'kept' })
    await follower.catchUp()
    expect(follower.copy).toEqual(await listed(world, subject))
    await days(100)
    await reconcile(world.job())
    expect(await accountsOf(world, subject)).toHaveLength(2)
  })
})
