// Compares every response and every webhook of the simulator with Plaid's description. The official SDK sends the
// requests.
import {
  Configuration,
  CountryCode,
  PersonalFinanceCategoryVersion,
  PlaidApi,
  Products,
  SandboxItemFireWebhookRequestWebhookCodeEnum as Fireable,
  WebhookType,
} from 'plaid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endpoints } from '../../src/dev/plaid-simulator/endpoints/all.ts'
import type { Simulator } from '../../src/dev/plaid-simulator/server.ts'
import { startSimulator } from '../../src/dev/plaid-simulator/server.ts'
import type { Receiver } from '../unit/dev/plaid-simulator/receiver.ts'
import { startReceiver } from '../unit/dev/plaid-simulator/receiver.ts'
import { readDescription } from './description.ts'
import { webhookSchemas } from './webhook-schemas.ts'

interface Answer {
  status: number
  data: unknown
  config: { url?: string; data?: unknown }
}

const description = readDescription()
const answeredWell = new Set<string>()
const allProducts = [
  Products.Transactions,
  Products.Investments,
  Products.Liabilities,
  Products.Auth,
  Products.Identity,
]
const country_codes = [CountryCode.Us]

let simulator: Simulator
let receiver: Receiver
let plaid: PlaidApi

beforeAll(async () => {
  receiver = await startReceiver()
  simulator = await startSimulator({
    port: 0,
    clientId: 'id',
    secret: 'secret',
    historyDelayMs: 'manual',
    rateLimits: { '/accounts/balance/get': { item: 1, client: 10 } },
  })
  plaid = client('secret')
})

afterAll(async () => {
  await simulator.stop()
  await receiver.stop()
})

function client(secret: string): PlaidApi {
  const headers = { 'PLAID-CLIENT-ID': 'id', 'PLAID-SECRET': secret }
  return new PlaidApi(
    new Configuration({ basePath: simulator.url, baseOptions: { headers, validateStatus: () => true } }),
  )
}

/** Checks the request that the SDK sent and the response that it got. Returns the response's data. */
async function good<Data>(call: Promise<Answer & { data: Data }>): Promise<Data> {
  const { status, data, config } = await call
  const path = pathOf(config)
  const faults = {
    request: description.requestFaults(path, JSON.parse(String(config.data))),
    answer: description.answerFaults(path, data, status),
  }
  // A status that the description does not name is reported as a fault.
  const succeeded = status >= 200 && status < 300
  expect({ path, succeeded, error: succeeded ? null : data, ...faults }).toEqual({
    path,
    succeeded: true,
    error: null,
    request: [],
    answer: [],
  })
  answeredWell.add(path)
  return data
}

/** Checks that the response is this error, in Plaid's shape. */
async function bad(call: Promise<Answer>, status: number, type: string, code: string): Promise<void> {
  const answer = await call
  expect(answer.data).toMatchObject({ error_type: type, error_code: code, request_id: expect.any(String) })
  expect(answer.status).toBe(status)
  expect(description.faults('PlaidError', answer.data)).toEqual([])
}

function pathOf({ url }: Answer['config']): string {
  return new URL(url ?? '', simulator.url).pathname
}

async function control(path: string, body: unknown): Promise<void> {
  const response = await fetch(`${simulator.url}/simulator${path}`, { method: 'POST', body: JSON.stringify(body) })
  expect({ status: response.status, error: response.ok ? null : await response.text() }).toEqual({
    status: 200,
    error: null,
  })
}

async function linked(
  institution_id = 'ins_109508',
  username = 'user_good',
  password?: string,
  products = allProducts,
) {
  const created = await good(
    plaid.sandboxPublicTokenCreate({
      institution_id,
      initial_products: products,
      options: {
        webhook: receiver.url,
        override_username: username,
        ...(password !== undefined && { override_password: password }),
        transactions: { days_requested: 730 },
      },
    }),
  )
  const { access_token, item_id } = await good(plaid.itemPublicTokenExchange({ public_token: created.public_token }))
  return { access_token, item_id }
}

const window = { start_date: '2000-01-01', end_date: '2100-01-01' }

describe('a response of the simulator', () => {
  test('fits the schemas of Link', async () => {
    const token = await good(
      plaid.linkTokenCreate({
        client_name: 'Contract',
        language: 'en',
        country_codes,
        products: [Products.Transactions],
        user: { client_user_id: 'somebody' },
        webhook: receiver.url,
        transactions: { days_requested: 730 },
        hosted_link: {},
      }),
    )
    // On the pages of Link, which record events.
    const page = token.hosted_link_url ?? ''
    await (await fetch(page)).text()
    await (await fetch(`${page}/exit`, { method: 'POST' })).text()
    await good(plaid.linkTokenGet({ link_token: token.link_token }))
    await control('/link', { link_token: token.link_token })
    await good(plaid.linkTokenGet({ link_token: token.link_token }))
    await good(plaid.userRemove({ user_id: token.user_id ?? '' }))
    await bad(plaid.linkTokenGet({ link_token: token.link_token }), 400, 'INVALID_INPUT', 'INVALID_LINK_TOKEN')
    expect(token.hosted_link_url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/hl\/link-sandbox-/)
  })

  test('fits the schemas of users', async () => {
    const created = plaid.userCreate({ client_user_id: 'somebody else' })
    const { user_id } = await good(created)
    const again = plaid.userCreate({ client_user_id: 'somebody else' })
    await good(again)
    expect([(await created).status, (await again).status]).toEqual([201, 200])
    const token = await good(
      plaid.linkTokenCreate({
        client_name: 'Contract',
        language: 'en',
        country_codes,
        products: [Products.Transactions],
        user_id,
        webhook: receiver.url,
        enable_multi_item_link: true,
      }),
    )
    await control('/link', { link_token: token.link_token, items: 2, finish: false })
    await good(plaid.linkTokenGet({ link_token: token.link_token }))
    await control('/link', { link_token: token.link_token, exit: true })
    const unknown = plaid.linkTokenCreate({ client_name: 'x', language: 'en', country_codes, user_id: 'usr_x' })
    await bad(unknown, 400, 'USER_ERROR', 'USER_NOT_FOUND')
    const { items } = await good(plaid.userItemsGet({ user_id }))
    const item_ids = items.map(({ item_id }) => item_id)
    const foreign = plaid.userItemsRemove({ user_id, item_ids: [...item_ids, 'junk'] })
    await bad(foreign, 400, 'ITEM_ERROR', 'ITEM_NOT_FOUND')
    await good(plaid.userItemsRemove({ user_id, item_ids }))
    await good(plaid.userRemove({ user_id }))
    await bad(plaid.userItemsGet({ user_id }), 400, 'USER_ERROR', 'USER_NOT_FOUND')
    expect(item_ids.length).toBe(2)
  })

  test('fits the schemas of an older client’s users and categories', async () => {
    await control('/client', { legacy_users: true, category_version: 'v1' })
    const { user_id, user_token } = await good(plaid.userCreate({ client_user_id: 'an older one' }))
    const fields = { client_name: 'Contract', language: 'en', country_codes, products: [Products.Transactions] }
    await good(
      plaid.linkTokenCreate({ ...fields, user: { client_user_id: 'an older one' }, user_token: user_token ?? '' }),
    )
    await bad(plaid.linkTokenCreate({ ...fields, user_id }), 400, 'INVALID_REQUEST', 'INVALID_FIELD')
    const { access_token, item_id } = await linked('ins_109509', 'user_rare_values', undefined, [Products.Transactions])
    await control(`/items/${item_id}/bank`, { history: 'historical' })
    const { added } = await good(plaid.transactionsSync({ access_token, count: 500 }))
    await good(
      plaid.transactionsRecurringGet({
        access_token,
        options: { personal_finance_category_version: PersonalFinanceCategoryVersion.V1 },
      }),
    )
    await control('/client', { legacy_users: false, category_version: 'v2' })
    expect(added.some(({ personal_finance_category }) => personal_finance_category === null)).toBe(true)
    const versions = added.map(({ personal_finance_category }) => personal_finance_category?.version)
    expect(versions).toContain(PersonalFinanceCategoryVersion.V1)
  })

  test('fits the schemas of institutions', async () => {
    const options = { include_status: true, include_optional_metadata: true }
    const { institutions } = await good(plaid.institutionsGet({ count: 10, offset: 0, country_codes }))
    for (const { institution_id } of institutions) {
      await good(plaid.institutionsGetById({ institution_id, country_codes, options }))
    }
    await good(plaid.institutionsSearch({ query: 'platypus', country_codes, products: [Products.Transactions] }))
    const unknown = plaid.institutionsGetById({ institution_id: 'ins_0', country_codes })
    await bad(unknown, 400, 'INVALID_INPUT', 'INVALID_INSTITUTION')
    expect(institutions.length).toBeGreaterThanOrEqual(4)
  })

  test.for([
    ['ins_109508', 'user_good'],
    ['ins_109508', 'user_rare_values'],
    ['ins_109511', 'user_good'],
    ['ins_109512', 'user_rare_values'],
    ['ins_56', 'user_good'],
  ] as const)('the products of an item at %s of %s', async ([institution, username]) => {
    const { access_token, item_id } = await linked(institution, username)
    await good(plaid.transactionsSync({ access_token }))
    await control(`/items/${item_id}/bank`, { history: 'historical' })
    let cursor = ''
    for (let more = true; more;) {
      const page = await good(plaid.transactionsSync({ access_token, cursor, count: 500 }))
      cursor = page.next_cursor
      more = page.has_more
    }
    await control(`/items/${item_id}/bank`, { add: 2, modify: 2, remove: 2, post_pending: true })
    await good(plaid.transactionsSync({ access_token, cursor, options: { include_original_description: true } }))
    await good(plaid.transactionsGet({ access_token, ...window, options: { count: 500 } }))
    await good(plaid.transactionsRecurringGet({ access_token }))
    await good(plaid.transactionsRefresh({ access_token }))
    await good(plaid.accountsGet({ access_token }))
    await good(plaid.accountsBalanceGet({ access_token }))
    await bad(plaid.accountsBalanceGet({ access_token }), 429, 'RATE_LIMIT_EXCEEDED', 'BALANCE_LIMIT')
    await good(plaid.investmentsHoldingsGet({ access_token }))
    await good(plaid.investmentsTransactionsGet({ access_token, ...window, options: { count: 500 } }))
    await good(plaid.investmentsRefresh({ access_token }))
    await good(plaid.liabilitiesGet({ access_token }))
    await good(plaid.identityGet({ access_token }))
    await good(plaid.authGet({ access_token }))
    await good(plaid.itemGet({ access_token }))
    await good(plaid.itemWebhookUpdate({ access_token, webhook: `${receiver.url}/other` }))
    const { new_access_token } = await good(plaid.itemAccessTokenInvalidate({ access_token }))
    await bad(plaid.itemGet({ access_token }), 400, 'INVALID_INPUT', 'INVALID_ACCESS_TOKEN')
    await good(plaid.itemRemove({ access_token: new_access_token }))
    await bad(plaid.itemGet({ access_token: new_access_token }), 400, 'ITEM_ERROR', 'ITEM_NOT_FOUND')
    expect(cursor).not.toBe('')
  })

  test('fits the schemas of a custom user’s products', async () => {
    const password = JSON.stringify({
      override_accounts: [
        {
          type: 'depository',
          subtype: 'checking',
          starting_balance: 1200.5,
          meta: { name: 'Everyday', official_name: 'Everyday Checking', mask: '1234' },
          transactions: [
            {
              date_transacted: '2026-01-02',
              date_posted: '2026-01-04',
              amount: 12.34,
              description: 'TEA',
              currency: 'USD',
            },
          ],
        },
      ],
    })
    const { access_token, item_id } = await linked('ins_109508', 'user_custom', password)
    await control(`/items/${item_id}/bank`, { history: 'historical' })
    const { added } = await good(plaid.transactionsSync({ access_token }))
    expect(added.map(({ amount, date }) => [amount, date])).toEqual([[12.34, '2026-01-04']])
    await bad(plaid.investmentsHoldingsGet({ access_token }), 400, 'ITEM_ERROR', 'NO_INVESTMENT_ACCOUNTS')
    await bad(plaid.liabilitiesGet({ access_token }), 400, 'ITEM_ERROR', 'NO_LIABILITY_ACCOUNTS')
  })

  test('fits the schemas of the sandbox', async () => {
    const { access_token } = await linked('ins_109508', 'user_transactions_dynamic')
    const today = new Date().toISOString().slice(0, 10)
    await good(
      plaid.sandboxTransactionsCreate({
        access_token,
        transactions: [{ date_transacted: today, date_posted: today, amount: 5.5, description: 'TEA' }],
      }),
    )
    await good(plaid.sandboxItemFireWebhook({ access_token, webhook_code: Fireable.SyncUpdatesAvailable }))
    await good(plaid.sandboxItemResetLogin({ access_token }))
    await bad(plaid.accountsGet({ access_token }), 400, 'ITEM_ERROR', 'ITEM_LOGIN_REQUIRED')
    const { item } = await good(plaid.itemGet({ access_token }))
    expect(item.error?.error_code).toBe('ITEM_LOGIN_REQUIRED')
  })

  test('fits the schema of errors', async () => {
    const { access_token, item_id } = await linked('ins_109509', 'user_good', undefined, [Products.Transactions])
    await bad(client('wrong').itemGet({ access_token }), 400, 'INVALID_INPUT', 'INVALID_API_KEYS')
    await bad(plaid.itemGet({ access_token: 'junk' }), 400, 'INVALID_INPUT', 'INVALID_ACCESS_TOKEN')
    const exchange = plaid.itemPublicTokenExchange({ public_token: 'junk' })
    await bad(exchange, 400, 'INVALID_INPUT', 'INVALID_PUBLIC_TOKEN')
    const products = [Products.Investments]
    const unsupported = plaid.sandboxPublicTokenCreate({ institution_id: 'ins_109509', initial_products: products })
    await bad(unsupported, 400, 'ITEM_ERROR', 'PRODUCTS_NOT_SUPPORTED')
    await bad(plaid.transactionsGet({ access_token, ...window }), 400, 'ITEM_ERROR', 'PRODUCT_NOT_READY')
    await bad(plaid.transactionsSync({ access_token, count: 501 }), 400, 'INVALID_REQUEST', 'INVALID_FIELD')
    await bad(plaid.transactionsSync({ access_token, cursor: 'junk' }), 400, 'INVALID_REQUEST', 'INVALID_FIELD')
    const key = plaid.webhookVerificationKeyGet({ key_id: 'junk' })
    await bad(key, 400, 'INVALID_INPUT', 'INVALID_WEBHOOK_VERIFICATION_KEY_ID')
    await control(`/items/${item_id}/bank`, { history: 'historical' })
    await control('/faults', { endpoint: '/transactions/sync', mutate_during_pagination: true })
    const { next_cursor: cursor } = await good(plaid.transactionsSync({ access_token, count: 1 }))
    const code = 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION'
    await bad(plaid.transactionsSync({ access_token, count: 1, cursor }), 400, 'TRANSACTIONS_ERROR', code)
    await control('/faults', { endpoint: '/accounts/get', error: 'INSTITUTION_DOWN' })
    await bad(plaid.accountsGet({ access_token }), 400, 'INSTITUTION_ERROR', 'INSTITUTION_DOWN')
    await control('/faults', { endpoint: '/accounts/get', error: 'INTERNAL_SERVER_ERROR' })
    await bad(plaid.accountsGet({ access_token }), 500, 'API_ERROR', 'INTERNAL_SERVER_ERROR')
    expect(cursor).not.toBe('')
  })
})

test('each kind of webhook fits its schema, and its key is served', async () => {
  const { access_token, item_id } = await linked()
  const bank = (change: unknown) => control(`/items/${item_id}/bank`, change)
  await good(plaid.transactionsSync({ access_token }))
  await bank({ history: 'historical' })
  await bank({ new_account: true, pending_disconnect: true, pending_expiration: true })
  const late = await linked('ins_109508', 'user_good', undefined, [Products.Transactions])
  const options = { async_update: true }
  const early = plaid.investmentsTransactionsGet({ access_token: late.access_token, ...window, options })
  await bad(early, 400, 'ITEM_ERROR', 'PRODUCT_NOT_READY')
  await control(`/items/${late.item_id}/bank`, { history: 'historical' })
  await good(plaid.investmentsTransactionsGet({ access_token: late.access_token, ...window, options }))
  await control('/clock', { advance_ms: 40 * 86_400_000 })
  for (const type of [WebhookType.Auth, WebhookType.Holdings, WebhookType.Liabilities, WebhookType.Transactions]) {
    const fire = { access_token, webhook_type: type, webhook_code: Fireable.DefaultUpdate }
    await good(plaid.sandboxItemFireWebhook(fire))
  }
  await good(plaid.sandboxItemFireWebhook({ access_token, webhook_code: Fireable.RecurringTransactionsUpdate }))
  await good(plaid.itemWebhookUpdate({ access_token, webhook: receiver.url }))
  await bank({ login_required: true })
  await bank({ login_repaired: true })
  const { accounts } = await good(plaid.accountsGet({ access_token }))
  await bank({ revoke_account: accounts[0]?.account_id })
  await bank({ revoke: true })
  await expect.poll(() => receiver.codes(), { timeout: 10_000 }).toContain('USER_PERMISSION_REVOKED')

  const seen = new Set<string>()
  for (const { jwt, body } of receiver.received) {
    const kind = `${String(body['webhook_type'])} ${String(body['webhook_code'])}`
    seen.add(kind)
    // Plaid's example of LINK EVENTS has `environment`, and its schema does not.
    const { environment, ...described } = body
    expect(environment).toBe('sandbox')
    const checked = kind === 'LINK EVENTS' ? described : body
    const faults = description.faults(webhookSchemas[kind] ?? `none for ${kind}`, checked)
    expect({ kind, faults }).toEqual({ kind, faults: [] })
    const header = Buffer.from((jwt ?? '').split('.')[0] ?? '', 'base64url').toString('utf8')
    const { kid } = JSON.parse(header)
    await good(plaid.webhookVerificationKeyGet({ key_id: kid }))
  }
  expect([...seen].toSorted()).toEqual(Object.keys(webhookSchemas).toSorted())
})

test('every endpoint of the simulator has answered well at least once', () => {
  expect([...answeredWell].toSorted()).toEqual(endpoints.map(({ path }) => path).toSorted())
})
