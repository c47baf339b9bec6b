// Assertions about access and public tokens: where they are valid, how often, and what ends them.
import { type Assertion, expectEqual, expectThat } from '../assertion.ts'
import { bodyOf, errorOf, type PlaidTarget, textIn } from './target.ts'

const items = 'https://plaid.com/docs/api/items'
const errors = 'https://plaid.com/docs/errors'
const unknownAccessToken = '400 INVALID_INPUT INVALID_ACCESS_TOKEN'

const itemGet = async (target: PlaidTarget, accessToken: string): Promise<string> =>
  errorOf(await target.call('/item/get', { access_token: accessToken }))

export const tokenAssertions: readonly Assertion<PlaidTarget>[] = [
  {
    name: 'plaid/token-names-its-environment',
    promise: 'Access, public and link tokens are named `<kind>-<environment>-<uuid>`.',
    source: `${items}/#itempublic_tokenexchange`,
    certainty: 'likely',
    async check(target) {
      const shape = /^(access|public)-sandbox-[\da-f-]{36}$/
      const { accessToken } = await target.sharedItem()
      expectThat('an access token of that shape', shape.test(accessToken), accessToken.slice(0, 15))
      const publicToken = await target.publicToken()
      expectThat('a public token of that shape', shape.test(publicToken), publicToken.slice(0, 15))
    },
  },
  {
    name: 'plaid/token-of-another-environment',
    promise: 'An access token of another environment is INVALID_ACCESS_TOKEN.',
    source: `${errors}/invalid-input/#invalid_access_token`,
    certainty: 'likely',
    async check(target) {
      const { accessToken } = await target.sharedItem()
      const foreign = accessToken.replace('access-sandbox-', 'access-production-')
      expectEqual('response', await itemGet(target, foreign), unknownAccessToken)
    },
  },
  {
    name: 'plaid/rotation-kills-the-old-token',
    promise: '/item/access_token/invalidate returns a new token; the old one is invalid immediately.',
    source: `${items}/#itemaccess_tokeninvalidate`,
    certainty: 'sure',
    async check(target) {
      const { accessToken } = await target.item()
      const path = '/item/access_token/invalidate'
      const body = bodyOf(path, await target.call(path, { access_token: accessToken }))
      const renewed = textIn(body, 'new_access_token')
      expectEqual('with the old token', await itemGet(target, accessToken), unknownAccessToken)
      expectEqual('with the new token', await itemGet(target, renewed), '200')
      await target.call('/item/remove', { access_token: renewed })
    },
  },
  {
    name: 'plaid/remove-twice',
    promise: 'The second /item/remove of an item is ITEM_NOT_FOUND.',
    source: `${errors}/item/#item_not_found`,
    certainty: 'likely',
    async check(target) {
      const { accessToken } = await target.item()
      const remove = async () => errorOf(await target.call('/item/remove', { access_token: accessToken }))
      expectEqual('responses', [await remove(), await remove()], ['200', '400 ITEM_ERROR ITEM_NOT_FOUND'])
      expectEqual('/item/get', await itemGet(target, accessToken), '400 ITEM_ERROR ITEM_NOT_FOUND')
    },
  },
  {
    name: 'plaid/public-token-twice',
    promise: 'A public token is exchanged once: the second exchange is INVALID_PUBLIC_TOKEN.',
    source: `${errors}/invalid-input/#invalid_public_token`,
    certainty: 'likely',
    async check(target) {
      const token = await target.publicToken()
      const path = '/item/public_token/exchange'
      const first = bodyOf(path, await target.call(path, { public_token: token }))
      const second = errorOf(await target.call(path, { public_token: token }))
      await target.call('/item/remove', { access_token: textIn(first, 'access_token') })
      expectEqual('second exchange', second, '400 INVALID_INPUT INVALID_PUBLIC_TOKEN')
    },
  },
]
