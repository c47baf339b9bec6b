// Failures of other integrations of Plaid with tokens, data from banks and the life of items, each played against the
// real engine, database and simulator. A test title begins with the failure's name in test/unit/known-failures.test.ts.
import { afterEach, describe, expect, inject, it, vi } from 'vitest'
import { getItem } from '../../src/db/items/items.ts'
import { editTransaction, type Transaction } from '../../src/db/records/transactions.ts'
import { removeItem } from '../../src/items/remove-item.ts'
import { exchangePublicToken } from '../../src/link/exchange-public-token.ts'
import { reconcile } from '../../src/link/reconcile.ts'
import { everyTransaction, expectTruth } from '../support/equality.ts'
import { askForLink, rotate, useWorld } from '../support/item-lifecycle.ts'
import { addAndCatchWebhook, bankOf, linkAndSync, nextDelivery } from '../support/linked.ts'
import { type OddAnswers, oddAnswers } from '../support/odd-answers.ts'
import type { Delivery } from '../support/stack.ts'
import type { World } from '../support/world.ts'
import { playingFailures } from './playing-failures.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})
afterEach(() => vi.restoreAllMocks())
const { change, syncTransactions, runsOf, eventsOf, newIsolate } = playingFailures(() => world)

async function named(subject: string, name: string): Promise<Transaction> {
  const found = (await everyTransaction(world, subject)).find((row) => row.name === name)
  if (found === undefined) throw new Error(`there is no transaction ${name}`)
  return found
}

/** Goes through Link with a link token and returns the public token. */
async function goThroughLink(linkToken: string, username: string, institution = 'ins_109508'): Promise<string> {
  const body = { link_token: linkToken, username, institution_id: institution, products: ['transactions'] }
  const { public_token: publicToken } = await world.bank.plaid('/simulator/link', body)
  return String(publicToken)
}

const linkTokenFor = async (subject: string, hosted: boolean): Promise<string> =>
  (await askForLink(world, subject, { hosted })).linkToken

/** The columns with a value that matches the pattern, as `schema.table.column`. */
async function placesOf(pattern: string): Promise<string[]> {
  const searches = await world.sql(
    `select format('select %L as place where exists (select 1 from %I.%I where %I::text ~ %L)',
        table_schema || '.' || table_name || '.' || column_name, table_schema, table_name, column_name, $1::text) as search
      from information_schema.columns join information_schema.tables using (table_schema, table_name)
      where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
    [pattern],
  )
  const found = await world.sql(searches.map((row) => String(row['search'])).join(' union all '))
  return found.map((row) => String(row['place'])).toSorted()
}

const anyToken = '(access|public|link)-(sandbox|development|production)-'

describe('tokens', () => {
  it('tokens in plaintext in a log table: no column of any table contains one after any webhook', async () => {
    const item = await linkAndSync(world, 'log table')
    await world.deliver(await addAndCatchWebhook(world, item))
    const linkToken = await linkTokenFor('log table', true)
    await goThroughLink(linkToken, bankOf('log table'), 'ins_109509')
    const linkWebhooks: Delivery[] = []
    await expect
      .poll(
        async () => {
          for (const each of await world.delivered()) if (each.body.includes('"LINK"')) linkWebhooks.push(each)
          return linkWebhooks.length
        },
        { timeout: 10_000 },
      )
      .toBe(2)
    for (const each of linkWebhooks) {
      expect(each.body).toMatch(/public-sandbox-/)
      expect(each.body).toContain(linkToken)
      await world.deliver(each)
    }
    await world.drain()
    const linked = await world.sql(
      'select i.id from items i join users u on u.id = i.user_id where u.subject = $1 and removed_at is null',
      ['log table'],
    )
    expect(linked).toHaveLength(2)
    // The search finds a known value.
    expect(await placesOf(item.plaidItemId)).toEqual(
      expect.arrayContaining(['public.items.plaid_item_id', 'public.webhook_events.payload']),
    )
    expect(await placesOf('SESSION_FINISHED')).toContain('public.webhook_events.payload')
    expect(await placesOf(anyToken)).toEqual([])
    expect(world.lines.filter((line) => new RegExp(anyToken).test(line))).toEqual([])
  }, 30_000)

  it('tokens in query strings: no URL that is asked for has one, from the link to the end', async () => {
    const requests = vi.spyOn(globalThis, 'fetch')
    const user = world.user('urls')
    const publicToken = await goThroughLink(await linkTokenFor('urls', false), bankOf('urls'))
    const item = await exchangePublicToken(user, { publicToken, institution: null })
    // The first sync asks Plaid for webhooks.
    await world.drain()
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await world.deliver(await nextDelivery(world, item, 'SYNC_UPDATES_AVAILABLE'), newIsolate())
    await world.drain()
    await rotate(world, user, item.id)
    await removeItem(user, item.id, { purge: true })
    const urls = requests.mock.calls.map(([input]) => new URL(input instanceof Request ? input.url : input))
    requests.mockRestore()
    // Leaves out the test's own requests to the control server and the simulator's controls.
    const { url: bank } = world.simulator
    const sent = urls.filter(
      ({ href }) => !href.startsWith(inject('control')) && !href.startsWith(`${bank}/simulator/`),
    )
    const asked = sent.filter(({ href }) => href.startsWith(bank)).map(({ pathname }) => pathname)
    expect(asked).toEqual(
      expect.arrayContaining([
        '/link/token/create',
        '/item/public_token/exchange',
        '/transactions/sync',
        '/webhook_verification_key/get',
        '/item/access_token/invalidate',
        '/item/remove',
      ]),
    )
    expect(sent.some(({ href }) => href === world.database.endpoint)).toBe(true)
    expect(
      sent.map(({ href }) => href).filter((href) => /[?#@]/.test(href) || new RegExp(anyToken).test(href)),
    ).toEqual([])
  })
})

describe('data from banks', () => {
  it('a null category crashing the run: it is stored without one, and so is the rest', async () => {
    const item = await linkAndSync(world, 'no category')
    const plain = { amount: 5, personal_finance_category: null, merchant_name: null, logo_url: null, website: null }
    await change(item, { add: [{ ...plain, name: 'neither fish nor flesh' }, { amount: 6 }] })
    await syncTransactions(item)
    expect((await runsOf(item)).at(-1)).toBe('committed')
    await expectTruth(world, 'no category', item.plaidItemId)
    expect(await named('no category', 'neither fish nor flesh')).toMatchObject({
      categoryPrimary: null,
      categoryDetailed: null,
      merchantName: null,
    })
  })

  it('an unofficial currency rejected: it is stored under its own name', async () => {
    const item = await linkAndSync(world, 'coins')
    const coin = { iso_currency_code: null, unofficial_currency_code: 'DOGE' }
    await change(item, { add: [{ amount: 420, name: 'a coin', ...coin }] })
    await syncTransactions(item)
    await expectTruth(world, 'coins', item.plaidItemId)
    expect(await named('coins', 'a coin')).toMatchObject({ amount: '420', currency: 'DOGE' })
  })

  it('12-digit amounts: every digit is kept, before the point and behind it', async () => {
    const item = await linkAndSync(world, 'amounts')
    const amounts = ['123456789012.34', '-999999999999.99', '123456789012', '999999999999.123456789']
    const add = amounts.map((amount) => `{"amount":${amount},"name":"of ${amount}"}`)
    await world.bank.change(item.plaidItemId, `{"silent":true,"add":[${add.join(',')}]}`)
    await syncTransactions(item)
    await expectTruth(world, 'amounts', item.plaidItemId)
    for (const amount of amounts) expect(await named('amounts', `of ${amount}`)).toMatchObject({ amount })
  })

  it('accounts closed because sync did not list them: they stay open', async () => {
    const item = await linkAndSync(world, 'unlisted')
    const { accounts } = await world.bank.truth(item.plaidItemId)
    await change(item, { add: [{ account_id: accounts[0]?.account_id, amount: 7 }] })
    const listed: string[] = []
    const listening = odd.withPages((page) => {
      listed.push(...page.accounts.map((account) => account.account_id))
      return page
    })
    await syncTransactions(item, listening)
    expect(new Set(listed).size).toBeLessThan(accounts.length)
    const open = await world.sql('select plaid_account_id as id from accounts where item_id = $1 and not closed', [
      item.id,
    ])
    expect(open.map(({ id }) => String(id)).toSorted()).toEqual(accounts.map(({ account_id: id }) => id).toSorted())
  })

  it('user notes overwritten: they outlive modification, posting and a full reread', async () => {
    const item = await linkAndSync(world, 'notes')
    const { identity } = world.user('notes').actor
    const { added } = await change(item, { add: [{ amount: 10, name: 'lunch', pending: true }] })
    await syncTransactions(item)
    const edit = { note: 'with Ada', userCategory: 'mine', hidden: true }
    await editTransaction(world.services.api, identity, (await named('notes', 'lunch')).id, edit)
    await change(item, { modify: [{ transaction_id: added[0], name: 'lunch and coffee', amount: 14 }] })
    await syncTransactions(item)
    expect(await named('notes', 'lunch and coffee')).toMatchObject({ ...edit, amount: '14', pending: true })
    await change(item, { post_pending: { transaction_ids: added, name: 'LUNCH 0815' } })
    await syncTransactions(item)
    expect(await named('notes', 'LUNCH 0815')).toMatchObject({ ...edit, pending: false })
    await odd.forgetCursor(item)
    await syncTransactions(item)
    expect(await named('notes', 'LUNCH 0815')).toMatchObject(edit)
    await expectTruth(world, 'notes', item.plaidItemId)
  })
})

describe('the life of items', () => {
  it('item removed locally and billed for ever: the removal at Plaid is retried until it is confirmed', async () => {
    const publicToken = await goThroughLink(await linkTokenFor('billed', false), bankOf('billed'))
    const item = await exchangePublicToken(world.user('billed'), { publicToken, institution: null })
    const [user] = await world.sql("select plaid_user_id from users where subject = 'billed'")
    const billed = async () =>
      (await world.bank.plaid('/user/items/get', { user_id: user?.['plaid_user_id'] }))['items']
    await world.bank.fault({ endpoint: '/item/remove', times: 50, error: 'INTERNAL_SERVER_ERROR' })
    await removeItem(world.user('billed'), item.id, { purge: true })
    expect(await getItem(world.services.api, world.user('billed').actor.identity, item.id)).toBeNull()
    expect(await billed()).toMatchObject([{ item_id: item.plaidItemId }])
    await world.bank.clearFaults()
    await world.sql("update plaid_removals set next_attempt_at = next_attempt_at - interval '1 day'")
    await reconcile(world.job())
    expect(await billed()).toEqual([])
    expect(await world.sql('select 1 as one from plaid_removals where plaid_item_id = $1', [item.plaidItemId])).toEqual(
      [],
    )
  })

  it('USER_ACCOUNT_REVOKED crashing on its missing `error`: the one account is closed, and the item continues', async () => {
    const item = await linkAndSync(world, 'account revoked')
    const { accounts } = await world.bank.truth(item.plaidItemId)
    const revoked = accounts.at(-1)?.account_id
    await world.bank.change(item.plaidItemId, { revoke: { account_id: revoked } })
    const delivery = await nextDelivery(world, item, 'USER_ACCOUNT_REVOKED')
    expect(JSON.parse(delivery.body)).not.toHaveProperty('error')
    await world.deliver(delivery)
    await world.drain()
    expect(await eventsOf(item)).toContainEqual({ webhook_code: 'USER_ACCOUNT_REVOKED' })
    expect(
      await world.sql('select plaid_account_id as id from accounts where item_id = $1 and closed', [item.id]),
    ).toEqual([{ id: revoked }])
    expect(await getItem(world.services.api, world.user('account revoked').actor.identity, item.id)).toMatchObject({
      status: 'healthy',
    })
    await change(item, { add: [{ account_id: accounts[0]?.account_id, amount: 8, name: 'afterwards' }] })
    await syncTransactions(item)
    expect(await named('account revoked', 'afterwards')).toMatchObject({ amount: '8' })
  })
})
