// Assertions about webhooks: how they are signed, and the key that verifies them. Needs a URL at which Plaid reaches
// this machine.
import { createKeyCache } from '../../../webhooks/keys/cache.ts'
import { verifyWebhook } from '../../../webhooks/verify.ts'
import { type Assertion, expectEqual, expectThat, uncheckable } from '../assertion.ts'
import type { ReceivedWebhook } from './inbox.ts'
import { bodyOf, type PlaidTarget } from './target.ts'

const verificationDocs = 'https://plaid.com/docs/api/webhooks/webhook-verification'
const keyPath = '/webhook_verification_key/get'
const timeoutMs = 60_000

/** Triggers DEFAULT_UPDATE for a new item and returns the webhook that arrives. */
async function fire(target: PlaidTarget): Promise<ReceivedWebhook> {
  if (target.inbox === null) throw uncheckable('Plaid needs a public URL: --webhook-url and --webhook-port')
  const { accessToken, itemId } = await target.item({ products: ['transactions'], webhook: target.inbox.url })
  const path = '/sandbox/item/fire_webhook'
  const body = { access_token: accessToken, webhook_type: 'TRANSACTIONS', webhook_code: 'DEFAULT_UPDATE' }
  expectEqual('webhook_fired', bodyOf(path, await target.call(path, body))['webhook_fired'], true)
  return target.inbox.wait(itemId, timeoutMs)
}

function decoded(jwt: string, part: 0 | 1): Record<string, unknown> {
  const value: unknown = JSON.parse(Buffer.from(jwt.split('.')[part] ?? '', 'base64url').toString('utf8'))
  if (typeof value !== 'object' || value === null) throw new Error('a part of the JWT is no object')
  return Object.fromEntries(Object.entries(value))
}

async function fetchKey(target: PlaidTarget, kid: string): Promise<unknown> {
  return bodyOf(keyPath, await target.call(keyPath, { key_id: kid }))['key']
}

export const webhookAssertions: readonly Assertion<PlaidTarget>[] = [
  {
    name: 'plaid/webhook-verifies',
    promise:
      'A fired webhook is signed by the key of its `kid`, over the SHA-256 of its body, and this project takes it.',
    source: verificationDocs,
    certainty: 'sure',
    async check(target) {
      const { verification, body } = await fire(target)
      const keys = createKeyCache({ fetchKey: async (kid) => ({ found: await fetchKey(target, kid) }) })
      const request = { plaidVerification: verification, webhookSignature: null, body: Buffer.from(body) }
      const verdict = await verifyWebhook(request, { findKey: keys, hmacSecrets: [], now: new Date() })
      expectEqual('verdict', verdict.ok ? 'verified' : verdict.reason, 'verified')
    },
  },
  {
    name: 'plaid/webhook-members',
    promise: 'The JWT has exactly the header alg, kid, typ and the claims iat, request_body_sha256.',
    source: verificationDocs,
    certainty: 'open',
    async check(target) {
      const { verification } = await fire(target)
      const [header, claims] = [decoded(verification, 0), decoded(verification, 1)]
      expectEqual('header', Object.keys(header).toSorted(), ['alg', 'kid', 'typ'])
      expectEqual('algorithm and type', [header['alg'], header['typ']], ['ES256', 'JWT'])
      expectEqual('claims', Object.keys(claims).toSorted(), ['iat', 'request_body_sha256'])
    },
  },
  {
    name: 'plaid/webhook-key-members',
    promise: 'The key has alg, created_at, crv, expired_at, kid, kty, use, x, y, and is a P-256 key for ES256.',
    source: 'https://plaid.com/docs/api/webhooks/webhook-verification/#get-webhook-verification-key',
    certainty: 'likely',
    async check(target) {
      const { verification } = await fire(target)
      const key = await fetchKey(target, String(decoded(verification, 0)['kid']))
      if (typeof key !== 'object' || key === null) throw new Error('the response has no key')
      const expected = ['alg', 'created_at', 'crv', 'expired_at', 'kid', 'kty', 'use', 'x', 'y']
      expectEqual('members', Object.keys(key).toSorted(), expected)
      const text = JSON.stringify(key)
      expectThat('P-256 for ES256', text.includes('"P-256"') && text.includes('"ES256"'), Object.keys(key))
    },
  },
]
