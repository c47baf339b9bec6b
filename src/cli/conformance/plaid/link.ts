// Assertions about link tokens: what /link/token/create accepts and refuses, how long a token is valid, and Hosted
// Link.
import { linkTokenGet } from '../../../plaid/link-schemas.ts'
import { type Assertion, expectEqual, expectThat } from '../assertion.ts'
import { allProducts, bodyOf, errorOf, type PlaidResponse, type PlaidTarget, textIn } from './target.ts'

const linkTokenDocs = 'https://plaid.com/docs/api/link/#linktokencreate'
const hostedLinkDocs = 'https://plaid.com/docs/link/hosted-link'
const path = '/link/token/create'
const invalidField = '400 INVALID_REQUEST INVALID_FIELD'
const toleranceSeconds = 120

function create(
  target: PlaidTarget,
  more: object,
  products: readonly string[] | null = ['transactions'],
): Promise<PlaidResponse> {
  return target.call(path, {
    client_name: 'Conformance',
    language: 'en',
    country_codes: ['US'],
    ...('user_id' in more ? {} : { user: { client_user_id: target.newClientUserId() } }),
    ...(products === null ? {} : { products }),
    ...more,
  })
}

/** Which of two responses was observed; this project handles both. */
function acceptedOrInvalid(response: PlaidResponse): string {
  const seen = errorOf(response)
  expectThat('accepted or INVALID_FIELD', seen === '200' || seen === invalidField, seen)
  return seen === '200' ? 'accepted' : 'INVALID_FIELD'
}

/** Asserts that the token of the response is valid for about this long. */
function expectLife(response: PlaidResponse, seconds: number): void {
  const left = (Date.parse(textIn(bodyOf(path, response), 'expiration')) - Date.now()) / 1000
  expectThat(`a life of ${seconds} s`, Math.abs(left - seconds) < toleranceSeconds, Math.round(left))
}

async function updateToken(target: PlaidTarget, more: object): Promise<PlaidResponse> {
  const { accessToken } = await target.sharedItem()
  return create(target, { access_token: accessToken, ...more }, null)
}

export const linkAssertions: readonly Assertion<PlaidTarget>[] = [
  {
    name: 'plaid/link-token-user',
    promise: '/link/token/create takes `user` alone.',
    source: linkTokenDocs,
    certainty: 'sure',
    async check(target) {
      bodyOf(path, await create(target, {}))
    },
  },
  {
    name: 'plaid/link-token-user-id',
    promise: '/link/token/create takes `user_id` alone.',
    source: linkTokenDocs,
    certainty: 'likely',
    async check(target) {
      bodyOf(path, await create(target, { user_id: await target.user() }))
    },
  },
  {
    name: 'plaid/link-token-user-and-user-id',
    promise: '`user` and `user_id` in one request are accepted or INVALID_FIELD.',
    source: linkTokenDocs,
    certainty: 'open',
    async check(target) {
      const user = { client_user_id: target.newClientUserId() }
      return acceptedOrInvalid(await create(target, { user_id: await target.user(), user }))
    },
  },
  {
    name: 'plaid/days-requested-without-transactions',
    promise: '`transactions.days_requested` without transactions among the products is accepted or INVALID_FIELD.',
    source: linkTokenDocs,
    certainty: 'open',
    async check(target) {
      return acceptedOrInvalid(await create(target, { transactions: { days_requested: 730 } }, ['liabilities']))
    },
  },
  {
    name: 'plaid/optional-products',
    promise: 'optional_products, required_if_supported_products and additional_consented_products are accepted.',
    source: linkTokenDocs,
    certainty: 'likely',
    async check(target) {
      for (const field of ['optional_products', 'required_if_supported_products', 'additional_consented_products'])
        bodyOf(`${path} with ${field}`, await create(target, { [field]: ['investments', 'liabilities'] }))
    },
  },
  {
    name: 'plaid/consent-in-update-mode',
    promise: 'additional_consented_products is accepted in update mode.',
    source: 'https://plaid.com/docs/link/data-transparency-messaging-migration-guide',
    certainty: 'likely',
    async check(target) {
      bodyOf(path, await updateToken(target, { additional_consented_products: ['liabilities'] }))
    },
  },
  {
    name: 'plaid/overlapping-products-refused',
    promise: 'A product in both `products` and `optional_products` is INVALID_FIELD.',
    source: `${linkTokenDocs} ("There should be no overlap")`,
    certainty: 'open',
    async check(target) {
      expectEqual('response', errorOf(await create(target, { optional_products: ['transactions'] })), invalidField)
    },
  },
  {
    name: 'plaid/redirect-uri-with-query-refused',
    promise: 'A redirect_uri with query parameters is INVALID_FIELD.',
    source: linkTokenDocs,
    certainty: 'likely',
    async check(target) {
      const response = await create(target, { redirect_uri: 'https://conformance.example.com/oauth?next=1' })
      expectEqual('response', errorOf(response), invalidField)
    },
  },
  {
    name: 'plaid/android-package-name',
    promise: 'android_package_name is a known field: accepted, or INVALID_FIELD while the Dashboard does not list it.',
    source: linkTokenDocs,
    certainty: 'likely',
    async check(target) {
      return acceptedOrInvalid(await create(target, { android_package_name: 'com.example.conformance' }))
    },
  },
  {
    name: 'plaid/link-token-lifetime',
    promise: 'A link token lives 4 hours, one for update mode 30 minutes.',
    source: linkTokenDocs,
    certainty: 'sure',
    async check(target) {
      expectLife(await create(target, {}), 4 * 3600)
      expectLife(await updateToken(target, {}), 30 * 60)
    },
  },
  {
    name: 'plaid/hosted-link',
    promise: 'Hosted Link takes a completion redirect, a lifetime and the mobile flag, and returns a hosted_link_url.',
    source: hostedLinkDocs,
    certainty: 'likely',
    async check(target) {
      const hosted = { completion_redirect_uri: 'https://conformance.example.com/done', url_lifetime_seconds: 900 }
      const response = await create(target, { hosted_link: { ...hosted, is_mobile_app: false } })
      const url = new URL(textIn(bodyOf(path, response), 'hosted_link_url'))
      // The simulator is on this machine and has no certificate.
      const isLocal = url.protocol === 'http:' && url.hostname === '127.0.0.1'
      expectThat('an https URL', url.protocol === 'https:' || isLocal, url.protocol)
      expectLife(response, 900)
    },
  },
  {
    name: 'plaid/hosted-link-default-lifetime',
    promise: 'Without a lifetime a Hosted Link, and its link token, live 30 minutes.',
    source: hostedLinkDocs,
    certainty: 'likely',
    async check(target) {
      expectLife(await create(target, { hosted_link: {} }), 30 * 60)
    },
  },
  {
    name: 'plaid/link-token-get',
    promise: '/link/token/get of a fresh token has no finished session and reads as this project reads it.',
    source: 'https://plaid.com/docs/api/link/#linktokenget',
    certainty: 'likely',
    async check(target) {
      const created = bodyOf(path, await create(target, {}, allProducts))
      const response = await target.call('/link/token/get', { link_token: textIn(created, 'link_token') })
      const { link_sessions: sessions } = linkTokenGet.parse(bodyOf('/link/token/get', response))
      expectEqual('sessions', sessions, [])
    },
  },
]
