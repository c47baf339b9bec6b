// Recurring streams: the stored rows are Plaid's snapshot with ids of this database, and no field is lost.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Item } from '../../../src/db/items/items.ts'
import { listRecurringRoute } from '../../../src/http/routes/transactions/recurring.ts'
import { openAccessToken } from '../../../src/custody/access-token.ts'
import { ask } from '../../support/call-route.ts'
import { everyTransaction } from '../../support/equality.ts'
import { link, linkAndSync } from '../../support/linked.ts'
import { type OddAnswers, oddAnswers, type PlaidValue } from '../../support/odd-answers.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})

const streamSchema = z.looseObject({
  id: z.string(),
  plaid_stream_id: z.string(),
  account_id: z.string(),
  direction: z.enum(['inflow', 'outflow']),
  active: z.boolean(),
  last_date: z.string(),
  transaction_ids: z.array(z.string()),
  plaid_transaction_ids: z.array(z.string()),
})
const listSchema = z.object({ data: z.array(streamSchema), next_cursor: z.string().nullable() })
const amountSchema = z.object({
  amount: z.string(),
  iso_currency_code: z.string().nullable(),
  unofficial_currency_code: z.string().nullable(),
})
const bankStreamSchema = z.object({
  stream_id: z.string(),
  account_id: z.string(),
  description: z.string(),
  merchant_name: z.string().nullable(),
  first_date: z.string(),
  last_date: z.string(),
  predicted_next_date: z.string().nullable(),
  frequency: z.string(),
  average_amount: amountSchema,
  last_amount: amountSchema,
  is_active: z.boolean(),
  status: z.string(),
  transaction_ids: z.array(z.string()),
  personal_finance_category: z.object({ primary: z.string(), detailed: z.string() }),
})

const list = async (subject: string, query: Record<string, string> = {}) =>
  listSchema.parse(await ask(world.user(subject), listRecurringRoute, { query }))

async function accessToken(item: Item): Promise<string> {
  const [row] = await world.sql('select user_id, access_token_sealed as sealed from items where id = $1', [item.id])
  const owner = { itemId: item.id, userId: String(row?.['user_id']) }
  return (await openAccessToken(world.services.keyring, String(row?.['sealed']), owner)).reveal()
}

/** The bank's streams in the API's field names, but with Plaid's id of the account. */
async function atTheBank(item: Item) {
  const answer = await world.bank.plaid('/transactions/recurring/get', { access_token: await accessToken(item) })
  return (['inflow', 'outflow'] as const).flatMap((direction) =>
    z
      .array(bankStreamSchema)
      .parse(answer[`${direction}_streams`])
      .map((stream) => ({
        plaid_stream_id: stream.stream_id,
        account: stream.account_id,
        direction,
        description: stream.description,
        merchant_name: stream.merchant_name,
        category: {
          primary: stream.personal_finance_category.primary,
          detailed: stream.personal_finance_category.detailed,
        },
        first_date: stream.first_date,
        last_date: stream.last_date,
        predicted_next_date: stream.predicted_next_date,
        frequency: stream.frequency,
        average_amount: stream.average_amount.amount,
        last_amount: stream.last_amount.amount,
        currency: stream.last_amount.iso_currency_code ?? stream.last_amount.unofficial_currency_code,
        active: stream.is_active,
        status: stream.status,
        plaid_transaction_ids: stream.transaction_ids,
      })),
  )
}

async function plaidAccountIds(item: Item): Promise<ReadonlyMap<string, string>> {
  const rows = await world.sql('select id, plaid_account_id from accounts where item_id = $1', [item.id])
  return new Map(rows.map((row) => [String(row['id']), String(row['plaid_account_id'])]))
}

const byStream = (left: { plaid_stream_id: string }, right: { plaid_stream_id: string }) =>
  left.plaid_stream_id < right.plaid_stream_id ? -1 : 1

async function expectStreamsOfTheBank(subject: string, item: Item): Promise<void> {
  const [expected, accounts] = [await atTheBank(item), await plaidAccountIds(item)]
  const { data } = await list(subject, { limit: '500' })
  const seen = data.map(({ id: _id, account_id: account, transaction_ids: _ours, ...fields }) => ({
    ...fields,
    account: accounts.get(account),
  }))
  expect(expected.length).toBeGreaterThan(2)
  expect(seen.toSorted(byStream)).toEqual(expected.toSorted(byStream))
}

const state = async (item: Item) =>
  (
    await world.sql(
      "select status, last_error, dirty_seq > synced_seq as dirty from item_products where item_id = $1 and product = 'recurring'",
      [item.id],
    )
  )[0]

/** Services that get changed streams. */
const withStreams = (change: (value: PlaidValue<'getRecurring'>) => PlaidValue<'getRecurring'>) =>
  odd.withPlaid({
    async getRecurring(...args) {
      const answer = await world.services.plaid.getRecurring(...args)
      return answer.ok ? { ...answer, value: change(answer.value) } : answer
    },
  })

const versions = async (item: Item) =>
  await world.sql('select id, plaid_stream_id as stream, xmin from recurring_streams where item_id = $1 order by id', [
    item.id,
  ])

describe('recurring streams', () => {
  it('are those of the bank, with our ids of the transactions that are here', async () => {
    const item = await linkAndSync(world, 'same')
    await expectStreamsOfTheBank('same', item)
    const plaidIds = new Map((await everyTransaction(world, 'same')).map((row) => [row.id, row.plaidTransactionId]))
    for (const stream of (await list('same', { limit: '500' })).data)
      expect(stream.transaction_ids.map((id) => plaidIds.get(id))).toEqual(stream.plaid_transaction_ids)
    const [first] = (await list('same')).data
    await world.sql('update transactions set removed_at = now() where id = $1', [first?.transaction_ids[1]])
    const [after] = (await list('same')).data
    expect(after?.transaction_ids).toEqual(first?.transaction_ids.toSpliced(1, 1))
  })

  it('are listed page by page, newest first, by account, direction and activity', async () => {
    const item = await linkAndSync(world, 'pages')
    const all = (await list('pages', { limit: '500' })).data
    expect(all.map(({ last_date: date }) => date)).toEqual(
      all.map(({ last_date: date }) => date).toSorted((left, right) => (left < right ? 1 : -1)),
    )
    const paged: typeof all = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: z.infer<typeof listSchema> = await list('pages', { limit: '3', ...(cursor === '' ? {} : { cursor }) })
      paged.push(...page.data)
      cursor = page.next_cursor
    }
    expect(paged).toEqual(all)
    await world.sql(
      `update recurring_streams set is_active = false, direction = 'inflow' where id = (select id from recurring_streams where item_id = $1 limit 1)`,
      [item.id],
    )
    const changed = (await list('pages', { limit: '500' })).data
    const some: [Record<string, string>, (stream: (typeof all)[number]) => boolean][] = [
      [{ direction: 'inflow' }, ({ direction }) => direction === 'inflow'],
      [{ direction: 'outflow' }, ({ direction }) => direction === 'outflow'],
      [{ active: 'true' }, ({ active }) => active],
      [{ active: 'false' }, ({ active }) => !active],
      [{ account_id: String(changed[0]?.account_id) }, (stream) => stream.account_id === changed[0]?.account_id],
    ]
    for (const [filter, keeps] of some) {
      expect(changed.filter(keeps).length).toBeGreaterThan(0)
      expect((await list('pages', { limit: '500', ...filter })).data).toEqual(changed.filter(keeps))
    }
    expect((await list('stranger')).data).toEqual([])
  })

  it('wait without an error for the history, and come as soon as it is here', async () => {
    const item = await link(world, 'early')
    await world.drain()
    expect(await state(item)).toEqual({ status: 'pending', last_error: null, dirty: 't' })
    await world.bank.change(item.plaidItemId, { history: 'initial' })
    await world.bank.change(item.plaidItemId, { history: 'historical' })
    await expect
      .poll(
        async () => {
          // The webhook for streams is lost.
          const news = (await world.delivered()).filter(({ body }) => !body.includes('RECURRING_TRANSACTIONS_UPDATE'))
          for (const delivery of news) await world.deliver(delivery)
          await world.drain()
          return await state(item)
        },
        { timeout: 5000 },
      )
      .toEqual({ status: 'ok', last_error: null, dirty: 'f' })
    await expectStreamsOfTheBank('early', item)
  })

  it('are read again when a webhook says so, and their transactions are not', async () => {
    const item = await linkAndSync(world, 'webhook')
    await world.sql("update recurring_streams set description = 'stale' where item_id = $1", [item.id])
    await world.bank.plaid('/sandbox/item/fire_webhook', {
      access_token: await accessToken(item),
      webhook_type: 'TRANSACTIONS',
      webhook_code: 'RECURRING_TRANSACTIONS_UPDATE',
    })
    await expect
      .poll(
        async () => {
          for (const delivery of await world.delivered()) await world.deliver(delivery)
          return world.queue.length
        },
        { timeout: 5000 },
      )
      .toBe(1)
    await world.drain()
    await expectStreamsOfTheBank('webhook', item)
    const runs = await world.sql("select product from sync_runs where item_id = $1 and trigger = 'webhook'", [item.id])
    expect(runs).toEqual([{ product: 'recurring' }])
  })

  it('are removed when they are no longer sent, come back, and are written only if they differ', async () => {
    const item = await linkAndSync(world, 'vanished')
    const before = await versions(item)
    await odd.sync(item, 'recurring')
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed', upserted: '0', removed: '0' })
    expect(await versions(item)).toEqual(before)
    const without = withStreams(({ inflow_streams: inflow, outflow_streams: [first, ...others] }) => {
      if (first === undefined) throw new Error('no streams')
      const changed = others.map((stream, index) => (index === 0 ? { ...stream, status: 'EARLY_DETECTION' } : stream))
      return { inflow_streams: inflow, outflow_streams: changed, set_aside: [] }
    })
    await odd.sync(item, 'recurring', without)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed', upserted: '1', removed: '1' })
    const after = await versions(item)
    expect(after.filter(({ xmin }) => before.some((row) => row['xmin'] === xmin))).toHaveLength(before.length - 2)
    const ids = new Set(before.map(({ id }) => id))
    expect(after.every(({ id }) => ids.has(id))).toBe(true)
    await odd.sync(item, 'recurring')
    await expectStreamsOfTheBank('vanished', item)
  })

  it('keep every digit, have a separate currency, and may lack unknown values', async () => {
    const item = await linkAndSync(world, 'digits')
    const odder = withStreams(({ inflow_streams: [stream], outflow_streams: outflow }) => {
      if (stream === undefined) throw new Error('no inflow')
      const coin = { iso_currency_code: null, unofficial_currency_code: 'DOGE' }
      const long = {
        ...stream,
        average_amount: { amount: '-123456789012.000000000000000001', ...coin },
        last_amount: { amount: null, ...coin },
        merchant_name: null,
        predicted_next_date: null,
        personal_finance_category: null,
      }
      return {
        inflow_streams: [{ ...stream, description: 'sent twice' }, long],
        outflow_streams: outflow.slice(0, 1),
        set_aside: [],
      }
    })
    await odd.sync(item, 'recurring', odder)
    const { data } = await list('digits')
    expect(data).toHaveLength(2)
    expect(data.find(({ direction }) => direction === 'inflow')).toMatchObject({
      average_amount: '-123456789012.000000000000000001',
      last_amount: null,
      currency: 'DOGE',
      merchant_name: null,
      predicted_next_date: null,
      category: { primary: null, detailed: null },
    })
  })

  it('are set aside for an unknown account, and the others arrive', async () => {
    const item = await linkAndSync(world, 'unknown account')
    const before = await versions(item)
    const strange = withStreams(({ inflow_streams: inflow, outflow_streams: outflow }) => ({
      inflow_streams: [],
      outflow_streams: [...inflow, ...outflow].map((stream, index) =>
        index === 0 ? { ...stream, account_id: 'unknown' } : stream,
      ),
      set_aside: [],
    }))
    await odd.sync(item, 'recurring', strange)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed', error_code: 'ROWS_SET_ASIDE', removed: '0' })
    expect((await versions(item)).map(({ id }) => id)).toEqual(before.map(({ id }) => id))
  })

  it('may arrive before their account', async () => {
    const item = await linkAndSync(world, 'new account')
    const accounts = async () => [...(await plaidAccountIds(item)).values()]
    const known = await accounts()
    await world.bank.change(item.plaidItemId, { new_account: { name: 'New', shared: true }, silent: true })
    const fresh = (await world.bank.truth(item.plaidItemId)).accounts.find(
      ({ account_id: id }) => !known.includes(id),
    )?.account_id
    if (fresh === undefined) throw new Error('no new account')
    const moved = withStreams(({ inflow_streams: inflow, outflow_streams: [first, ...others] }) => {
      if (first === undefined) throw new Error('no streams')
      return { inflow_streams: inflow, outflow_streams: [{ ...first, account_id: fresh }, ...others], set_aside: [] }
    })
    await odd.sync(item, 'recurring', moved)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed' })
    expect(await accounts()).toContain(fresh)
  })

  // INVALID_PRODUCT: an add-on that the operator's Plaid account does not have.
  it.each(['PRODUCTS_NOT_SUPPORTED', 'INVALID_PRODUCT'])(
    'are switched off after two refusals, and nothing else, for %s',
    async (error) => {
      const item = await linkAndSync(world, `absent ${error}`)
      await world.bank.fault({ endpoint: '/transactions/recurring/get', times: 2, error })
      await odd.sync(item, 'recurring')
      await odd.sync(item, 'recurring')
      expect(await state(item)).toMatchObject({ status: 'absent' })
      expect(await world.sql('select status from items where id = $1', [item.id])).toEqual([{ status: 'healthy' }])
    },
  )

  it('are hidden with their item', async () => {
    const item = await linkAndSync(world, 'hidden')
    expect((await list('hidden')).data.length).toBeGreaterThan(0)
    await world.sql('update items set removed_at = now() where id = $1', [item.id])
    expect((await list('hidden')).data).toEqual([])
  })
})
