// Failures of other integrations of Plaid, each played against the real engine, database and simulator. A test title
// begins with the failure's name in test/unit/known-failures.test.ts.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { getItem, type Item } from '../../src/db/items/items.ts'
import { editTransaction, type Transaction } from '../../src/db/records/transactions.ts'
import { removeItem } from '../../src/items/remove-item.ts'
import { createLinkToken } from '../../src/link/create-link-token.ts'
import { exchangePublicToken } from '../../src/link/exchange-public-token.ts'
import { reconcile } from '../../src/link/reconcile.ts'
import { createKeyCache, defaultKeyCacheLimits } from '../../src/webhooks/keys/cache.ts'
import { fetchVerificationKey } from '../../src/webhooks/keys/fetch.ts'
import { everyTransaction, expectTruth } from '../support/equality.ts'
import { codeOf, rotate } from '../support/item-lifecycle.ts'
import { bankOf, link, linkAndSync } from '../support/linked.ts'
import { type OddAnswers, oddAnswers } from '../support/odd-answers.ts'
import type { Delivery } from '../support/stack.ts'
import { createWorld, type World } from '../support/world.ts'

let world: World
let odd: OddAnswers
beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
  odd = oddAnswers(world)
})
afterAll(() => world.stop())
afterEach(async () => {
  vi.restoreAllMocks()
  await world.bank.clearFaults()
  await world.delivered()
  world.queue.length = 0
})

/** Changes the bank without a webhook. */
const change = async (item: Item, wanted: object) =>
  await world.bank.change(item.plaidItemId, { silent: true, ...wanted })

const syncTransactions = async (item: Item, services = world.services) => {
  await odd.sync(item, 'transactions', services)
}

async function cursorOf(item: Item): Promise<unknown> {
  const [row] = await world.sql("select cursor from item_products where item_id = $1 and product = 'transactions'", [
    item.id,
  ])
  return row?.['cursor']
}

/** The outcomes of the item's transaction runs, oldest first. */
async function runsOf(item: Item): Promise<unknown[]> {
  const rows = await world.sql(
    "select outcome from sync_runs where item_id = $1 and product = 'transactions' order by finished_at",
    [item.id],
  )
  return rows.map((row) => row['outcome'])
}

async function named(subject: string, name: string): Promise<Transaction> {
  const found = (await everyTransaction(world, subject)).find((row) => row.name === name)
  if (found === undefined) throw new Error(`there is no transaction ${name}`)
  return found
}

/** The next webhook for the item whose body contains `text`. */
async function nextDelivery(item: Item, text: string): Promise<Delivery> {
  const isIt = ({ body }: Delivery) => body.includes(item.plaidItemId) && body.includes(text)
  let found: Delivery | undefined
  await expect.poll(async () => (found ??= (await world.delivered()).find(isIt)), { timeout: 10_000 }).toBeDefined()
  if (found === undefined) throw new Error('no webhook came')
  return found
}

async function newsOf(item: Item): Promise<Delivery> {
  await world.bank.change(item.plaidItemId, { add: 2 })
  return await nextDelivery(item, 'SYNC_UPDATES_AVAILABLE')
}

const eventsOf = async (item: Item) =>
  await world.sql('select webhook_code from webhook_events where plaid_item_id = $1', [item.plaidItemId])

/** Goes through Link with a link token and returns the public token. */
async function goThroughLink(linkToken: string, username: string, institution = 'ins_109508'): Promise<string> {
  const body = { link_token: linkToken, username, institution_id: institution, products: ['transactions'] }
  const { public_token: publicToken } = await world.bank.plaid('/simulator/link', body)
  return String(publicToken)
}

const linkTokenFor = async (subject: string, hosted: boolean): Promise<string> => {
  const { linkToken } = await createLinkToken(world.user(subject), {
    itemId: null,
    redirectUri: null,
    products: ['transactions'],
    hosted,
    accountSelection: false,
    language: null,
    countryCodes: null,
  })
  return linkToken
}

describe('the cursor and the pages', () => {
  it('row errors logged and the cursor advanced anyway: a row that cannot be stored is set aside, its neighbours arrive, and it is not lost', async () => {
    const item = await linkAndSync(world, 'row error')
    const before = await everyTransaction(world, 'row error')
    await change(item, { add: 3 })
    const withBadRow = odd.withPages((page) => ({
      ...page,
      added: page.added.map((row, index) => (index === 1 ? { ...row, account_id: 'never told' } : row)),
    }))
    await syncTransactions(item, withBadRow)
    const setAside = () => world.sql('select problems from set_aside_rows where item_id = $1', [item.id])
    expect(await everyTransaction(world, 'row error')).toHaveLength(before.length + 2)
    expect(await setAside()).toEqual([{ problems: '{"account_id unknown_account"}' }])
    await odd.forgetCursor(item)
    await syncTransactions(item)
    await expectTruth(world, 'row error', item.plaidItemId)
    expect(await setAside()).toEqual([])
  })

  it('partial pages applied after a failure: of an update whose second page fails nothing is stored', async () => {
    const item = await linkAndSync(world, 'partial')
    const before = { cursor: await cursorOf(item), rows: await everyTransaction(world, 'partial') }
    await change(item, { add: 510, modify: 3, remove: 3 })
    // Two failures: the client itself repeats a call once.
    await world.bank.fault({ endpoint: '/transactions/sync', after: 1, times: 2, error: 'INTERNAL_SERVER_ERROR' })
    await syncTransactions(item)
    expect((await runsOf(item)).at(-1)).toBe('failed')
    expect({ cursor: await cursorOf(item), rows: await everyTransaction(world, 'partial') }).toEqual(before)
    await syncTransactions(item)
    await expectTruth(world, 'partial', item.plaidItemId)
  })

  it('`modified` for an unknown id dropped: it is stored like one that was added', async () => {
    const item = await linkAndSync(world, 'modified')
    const { added } = await change(item, { add: 3 })
    const allModified = odd.withPages((page) => ({ ...page, added: [], modified: [...page.added, ...page.modified] }))
    await syncTransactions(item, allModified)
    const stored = await expectTruth(world, 'modified', item.plaidItemId)
    expect(stored.map((row) => row.plaidTransactionId)).toEqual(expect.arrayContaining(added))
  })

  it('removals ignored: what the bank takes back is gone', async () => {
    const item = await linkAndSync(world, 'removals')
    const { removed } = await change(item, { remove: 3 })
    await syncTransactions(item)
    const stored = await expectTruth(world, 'removals', item.plaidItemId)
    expect(removed).toHaveLength(3)
    expect(stored.filter((row) => removed.includes(row.plaidTransactionId))).toEqual([])
  })
})

describe('webhooks and workers', () => {
  it('a webhook during a sync lost: although it enqueues nothing then, another sync follows', async () => {
    const item = await linkAndSync(world, 'during')
    const before = await runsOf(item)
    await change(item, { add: 2 })
    // A failed assertion inside the run would only fail the run, so the values are checked afterwards.
    let whileBusy: unknown = null
    const slow = odd.withPlaid({
      async syncTransactions(...args) {
        const answer = await world.services.plaid.syncTransactions(...args)
        if (whileBusy !== null) return answer
        // The last page has been read, so no page has the new change.
        await world.deliver(await newsOf(item))
        whileBusy = { messages: await world.drain(), runs: await runsOf(item) }
        return answer
      },
    })
    await syncTransactions(item, slow)
    expect(whileBusy).toEqual({ messages: [], runs: before })
    await expectTruth(world, 'during', item.plaidItemId)
  })

  it('the second of two webhooks in five minutes deduplicated away: both count, although they say the same', async () => {
    const item = await linkAndSync(world, 'second')
    const first = await newsOf(item)
    await world.deliver(first)
    await world.drain()
    const before = await eventsOf(item)
    const second = await newsOf(item)
    expect(second.body).toBe(first.body)
    await world.deliver(second)
    await world.drain()
    expect(await eventsOf(item)).toHaveLength(before.length + 1)
    await expectTruth(world, 'second', item.plaidItemId)
  })

  it('two workers inserting twice: one of them commits, also where the other only slept', async () => {
    const item = await link(world, 'twice')
    await change(item, { history: 'historical' })
    const message = world.queue.splice(0)
    const [product] = await world.sql("select id from item_products where item_id = $1 and product = 'transactions'", [
      item.id,
    ])
    const wakeUp = message.filter((each) => 'item_product_id' in each && each.item_product_id === product?.['id'])
    expect(wakeUp).toHaveLength(1)
    const runs: unknown[] = []
    const sleepy = odd.withPlaid({
      async syncTransactions(...args) {
        const answer = await world.services.plaid.syncTransactions(...args)
        if (runs.length > 0 || !answer.ok || answer.value.has_more) return answer
        await world.consume(wakeUp)
        runs.push(await runsOf(item))
        // The lease expires, the bank removes rows that were read, and another worker reads everything.
        await world.elapse()
        await change(item, { remove: 2 })
        await world.consume(wakeUp)
        runs.push(await runsOf(item))
        return answer
      },
    })
    await world.consume(wakeUp, sleepy)
    expect([...runs, await runsOf(item)]).toEqual([[], ['committed'], ['committed']])
    const stored = await expectTruth(world, 'twice', item.plaidItemId)
    const [numbers] = await world.sql(
      'select count(*) as n, max(change_seq) as newest from transactions where item_id = $1',
      [item.id],
    )
    expect(numbers).toEqual({ n: String(stored.length), newest: String(stored.length) })
  })
})

/** The delivery with another key id in its JWT header. */
function withKid({ body, plaidVerification }: Delivery, kid: string): Delivery {
  const [, claims, signature] = (plaidVerification ?? '').split('.')
  const header = btoa(JSON.stringify({ alg: 'ES256', kid, typ: 'JWT' })).replaceAll('=', '')
  return { body, plaidVerification: `${header}.${claims}.${signature}` }
}

const kidOf = ({ plaidVerification }: Delivery): string => {
  const header: unknown = JSON.parse(atob((plaidVerification ?? '').split('.')[0] ?? ''))
  return typeof header === 'object' && header !== null && 'kid' in header ? String(header.kid) : ''
}

/** Services of a new isolate, without webhook keys. */
const newIsolate = () => ({
  ...world.services,
  findWebhookKey: createKeyCache({ fetchKey: fetchVerificationKey(world.services.plaid) }),
})

const keyRequests = async (): Promise<number> =>
  (await world.bank.calls()).filter(({ endpoint }) => endpoint === '/webhook_verification_key/get').length

describe('the verification of webhooks', () => {
  it('the verification key cached without looking at the kid: after a change of keys each delivery is checked with its own', async () => {
    const item = await linkAndSync(world, 'kid')
    const isolate = newIsolate()
    const old = await newsOf(item)
    await world.deliver(old, isolate)
    await world.bank.webhooks({ rotate_key: true })
    const fresh = await newsOf(item)
    expect(kidOf(fresh)).not.toBe(kidOf(old))
    await world.deliver(fresh, isolate)
    await world.deliver(old, isolate)
    expect(await codeOf(world.deliver(withKid(fresh, kidOf(old)), isolate))).toBe('webhook_refused')
    await world.drain()
    await expectTruth(world, 'kid', item.plaidItemId)
  })

  it('the verification key fetched for every junk kid: a flood makes few requests, and real webhooks are accepted', async () => {
    const item = await linkAndSync(world, 'junk')
    const isolate = newIsolate()
    const delivery = await newsOf(item)
    await world.deliver(delivery, isolate)
    const before = await keyRequests()
    const codes = new Set<string | null>()
    for (let kid = 0; kid < 40; kid += 1)
      for (let copy = 0; copy < 2; copy += 1)
        codes.add(await codeOf(world.deliver(withKid(delivery, `junk-${kid}`), isolate)))
    expect((await keyRequests()) - before).toBeLessThan(defaultKeyCacheLimits.maxRequests)
    expect(codes).toEqual(new Set(['webhook_refused', 'webhook_unverified']))
    await world.deliver(await newsOf(item), isolate)
    await world.drain()
    await expectTruth(world, 'junk', item.plaidItemId)
  })

  it('signature checked but body hash not: a real signature over another body opens nothing', async () => {
    const [mine, theirs] = [await linkAndSync(world, 'signed'), await linkAndSync(world, 'not signed')]
    const { body, plaidVerification } = await newsOf(mine)
    const before = await eventsOf(theirs)
    const forged = body.replaceAll(mine.plaidItemId, theirs.plaidItemId)
    expect(forged).not.toBe(body)
    expect(await codeOf(world.deliver({ body: forged, plaidVerification }))).toBe('webhook_refused')
    expect(await eventsOf(theirs)).toEqual(before)
    expect(world.queue).toEqual([])
    await world.deliver({ body, plaidVerification })
    expect(world.queue).toHaveLength(1)
  })
})

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
    await world.deliver(await newsOf(item))
    const linkToken = await linkTokenFor('log table', true)
    await goThroughLink(linkToken, bankOf('log table'), 'ins_109509')
    const told: Delivery[] = []
    await expect
      .poll(
        async () => {
          for (const each of await world.delivered()) if (each.body.includes('"LINK"')) told.push(each)
          return told.length
        },
        { timeout: 10_000 },
      )
      .toBe(2)
    for (const each of told) {
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
    await world.deliver(await nextDelivery(item, 'SYNC_UPDATES_AVAILABLE'), newIsolate())
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
    const delivery = await nextDelivery(item, 'USER_ACCOUNT_REVOKED')
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
