// Assertions: each response that this project reads has the members that src/plaid/schemas.ts requires, in every row.
// Items report which products they lack.
import * as z from 'zod'
import { classify, plaidErrorSchema } from '../../../plaid/errors.ts'
import { itemGet } from '../../../plaid/link-schemas.ts'
import * as schemas from '../../../plaid/schemas.ts'
import { type Assertion, expectEqual, expectThat } from '../assertion.ts'
import { callWhenReady, waitForHistory } from './ready.ts'
import { bodyOf, errorOf, type PlaidTarget } from './target.ts'

const productDocs = 'https://plaid.com/docs/api/products'
const day = (daysAgo: number): string => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10)

interface Read {
  readonly name: string
  readonly path: string
  readonly schema: z.ZodType
  readonly source: string
  readonly body?: () => object
}

const window = () => ({
  start_date: day(365),
  end_date: day(0),
  options: { count: 100, offset: 0, async_update: true },
})

const reads: readonly Read[] = [
  { name: 'item', path: '/item/get', schema: itemGet, source: 'https://plaid.com/docs/api/items/#itemget' },
  {
    name: 'accounts',
    path: '/accounts/get',
    schema: schemas.accountsGet,
    source: 'https://plaid.com/docs/api/accounts/#accountsget',
  },
  {
    name: 'recurring',
    path: '/transactions/recurring/get',
    schema: schemas.recurringGet,
    source: `${productDocs}/transactions/#transactionsrecurringget`,
  },
  {
    name: 'holdings',
    path: '/investments/holdings/get',
    schema: schemas.holdingsGet,
    source: `${productDocs}/investments/#investmentsholdingsget`,
  },
  {
    name: 'investment-transactions',
    path: '/investments/transactions/get',
    schema: schemas.investmentTransactionsGet,
    source: `${productDocs}/investments/#investmentstransactionsget`,
    body: window,
  },
  {
    name: 'liabilities',
    path: '/liabilities/get',
    schema: schemas.liabilitiesGet,
    source: `${productDocs}/liabilities/#liabilitiesget`,
  },
]

/** The problems of the rows that could not be read. */
const problemsOf = (response: unknown): string[] =>
  (withRows.safeParse(response).data?.set_aside ?? []).flatMap(({ kind, problems }) =>
    problems.map((problem) => `${kind} ${problem}`),
  )

const withRows = z.object({ set_aside: z.array(z.object({ kind: z.string(), problems: z.array(z.string()) })) })

const readAssertions = reads.map(({ name, path, schema, source, body }): Assertion<PlaidTarget> => ({
  name: `plaid/members-of-${name}`,
  promise: `${path} has every member that this project requires, with its type.`,
  source,
  certainty: 'sure',
  async check(target) {
    const { accessToken } = await target.sharedItem()
    if (path.startsWith('/transactions')) await waitForHistory(target, accessToken)
    const response = await callWhenReady(target, path, { access_token: accessToken, ...body?.() })
    const parsed = schema.safeParse(bodyOf(path, response))
    const wrong =
      parsed.error?.issues.map((issue) => `${issue.path.join('.')} ${issue.code}`) ?? problemsOf(parsed.data)
    expectEqual('members that differ', wrong.slice(0, 3), [])
  },
}))

const onlyChecking = JSON.stringify({
  override_accounts: [{ type: 'depository', subtype: 'checking', starting_balance: 100 }],
})

/** Asserts that this project reads the response as "this item does not have the product". */
async function expectAbsent(target: PlaidTarget, path: string): Promise<void> {
  const choices = { products: ['transactions'], username: 'user_custom', password: onlyChecking }
  const { accessToken } = await target.item(choices)
  const response = await callWhenReady(target, path, { access_token: accessToken })
  const parsed = plaidErrorSchema.safeParse(response.body)
  const { error_type: type, error_code: code } = parsed.data ?? { error_type: '', error_code: '' }
  expectEqual(`class of ${errorOf(response)}`, classify(type, code, response.status), 'product_absent')
}

const accountIdentity = z.object({
  accounts: z.array(z.object({ account_id: z.string(), name: z.string(), mask: z.string().nullable() })),
})

async function accountsOf(target: PlaidTarget, accessToken: string) {
  const response = await target.call('/accounts/get', { access_token: accessToken })
  return accountIdentity.parse(bodyOf('/accounts/get', response)).accounts
}

export const productAssertions: readonly Assertion<PlaidTarget>[] = [
  ...readAssertions,
  {
    name: 'plaid/no-investment-accounts',
    promise: 'Holdings of an item without investment accounts are an error that says so.',
    source: 'https://plaid.com/docs/errors/item/#no_investment_accounts',
    certainty: 'likely',
    check: (target) => expectAbsent(target, '/investments/holdings/get'),
  },
  {
    name: 'plaid/no-liability-accounts',
    promise: 'Liabilities of an item without credit or loan accounts are an error that says so.',
    source: 'https://plaid.com/docs/errors/item/#no_liability_accounts',
    certainty: 'likely',
    check: (target) => expectAbsent(target, '/liabilities/get'),
  },
  {
    name: 'plaid/same-login-twice',
    promise: 'Linking one login twice makes two items whose accounts have other ids and the same name and mask.',
    source: 'https://plaid.com/docs/link/duplicate-items',
    certainty: 'likely',
    async check(target) {
      const items = [await target.sharedItem(), await target.item()]
      const [first = [], second = []] = await Promise.all(
        items.map(({ accessToken }) => accountsOf(target, accessToken)),
      )
      const names = (accounts: typeof first) => accounts.map(({ name, mask }) => `${name} ${mask ?? ''}`).toSorted()
      expectEqual('names and masks', names(second), names(first))
      const known = new Set(first.map(({ account_id: id }) => id))
      expectEqual('shared account ids', second.filter(({ account_id: id }) => known.has(id)).length, 0)
      expectThat('two item ids', items[0]?.itemId !== items[1]?.itemId, 'one id')
    },
  },
  {
    name: 'plaid/login-required',
    promise: 'After /sandbox/item/reset_login data calls are ITEM_LOGIN_REQUIRED, and /item/get shows the error.',
    source: 'https://plaid.com/docs/api/sandbox/#sandboxitemreset_login',
    certainty: 'likely',
    async check(target) {
      const { accessToken } = await target.item({ products: ['transactions'] })
      const path = '/sandbox/item/reset_login'
      bodyOf(path, await target.call(path, { access_token: accessToken }))
      const accounts = await target.call('/accounts/get', { access_token: accessToken })
      expectEqual('/accounts/get', errorOf(accounts), '400 ITEM_ERROR ITEM_LOGIN_REQUIRED')
      const { item } = itemGet.parse(
        await target.call('/item/get', { access_token: accessToken }).then(({ body }) => body),
      )
      expectEqual("the item's error", item.error?.error_code, 'ITEM_LOGIN_REQUIRED')
    },
  },
]
