// Assertions about errors: their statuses, types, codes and members.
import { type Assertion, expectEqual, expectThat } from '../assertion.ts'
import { errorOf, type PlaidTarget } from './target.ts'

const errors = 'https://plaid.com/docs/errors'
const input = `${errors}/invalid-input`
const request = `${errors}/invalid-request`

/** `null` allows a string or null. */
const members = { error_type: 'string', error_code: 'string', error_message: 'string', request_id: 'string' }

export const errorAssertions: readonly Assertion<PlaidTarget>[] = [
  {
    name: 'plaid/error-shape',
    promise: 'An error has error_type, error_code, error_message, request_id, and a display_message that may be null.',
    source: `${errors}/#error-schema`,
    certainty: 'sure',
    async check(target) {
      const { body } = await target.call('/item/get', { access_token: 'access-sandbox-unknown' })
      const types = Object.fromEntries(Object.keys(members).map((name) => [name, typeof body[name]]))
      expectEqual('members', types, members)
      const display = body['display_message']
      expectThat('display_message is text or null', display === null || typeof display === 'string', display)
    },
  },
  {
    name: 'plaid/request-id',
    promise: 'A successful response has a request_id.',
    source: 'https://plaid.com/docs/api',
    certainty: 'sure',
    async check(target) {
      const { accessToken } = await target.sharedItem()
      const { body } = await target.call('/item/get', { access_token: accessToken })
      expectThat('a request_id', typeof body['request_id'] === 'string', body['request_id'])
    },
  },
  {
    name: 'plaid/wrong-keys',
    promise: 'Wrong keys are INVALID_API_KEYS.',
    source: `${input}/#invalid_api_keys`,
    certainty: 'sure',
    async check(target) {
      const keys = { 'plaid-client-id': '000000000000000000000000', 'plaid-secret': '000000000000000000000000000000' }
      const answer = await target.callAs(keys, '/item/get', { access_token: 'access-sandbox-unknown' })
      expectEqual('answer', errorOf(answer), '400 INVALID_INPUT INVALID_API_KEYS')
    },
  },
  {
    name: 'plaid/unknown-field',
    promise: 'A field that Plaid does not know is UNKNOWN_FIELDS.',
    source: `${request}/#unknown_fields`,
    certainty: 'likely',
    async check(target) {
      const answer = await target.call('/item/get', { access_token: 'access-sandbox-unknown', no_such_field: 1 })
      expectEqual('answer', errorOf(answer), '400 INVALID_REQUEST UNKNOWN_FIELDS')
    },
  },
  {
    name: 'plaid/missing-field',
    promise: 'A missing field is MISSING_FIELDS.',
    source: `${request}/#missing_fields`,
    certainty: 'sure',
    async check(target) {
      expectEqual('answer', errorOf(await target.call('/item/get', {})), '400 INVALID_REQUEST MISSING_FIELDS')
    },
  },
  {
    name: 'plaid/unknown-verification-key',
    promise: 'An unknown webhook key id is INVALID_WEBHOOK_VERIFICATION_KEY_ID.',
    source: `${input}/#invalid_webhook_verification_key_id`,
    certainty: 'likely',
    async check(target) {
      const key = { key_id: '00000000-0000-4000-8000-000000000000' }
      const seen = errorOf(await target.call('/webhook_verification_key/get', key))
      expectEqual('answer', seen, '400 INVALID_INPUT INVALID_WEBHOOK_VERIFICATION_KEY_ID')
    },
  },
]
