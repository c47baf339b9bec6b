// Fetches a webhook key from Plaid. Every failure other than a clear "no such key" throws.
import { AppError } from '../../errors.ts'
import type { Plaid } from '../../plaid/endpoints.ts'
import type { FetchKey } from './cache.ts'

const noSuchKey = new Set(['INVALID_WEBHOOK_VERIFICATION_KEY_ID', 'INVALID_FIELD'])

/** A `FetchKey` over `/webhook_verification_key/get`. */
export function fetchVerificationKey(plaid: Plaid): FetchKey {
  return async (kid) => {
    const result = await plaid.getWebhookVerificationKey(kid)
    if (result.ok) return { found: result.value.key }
    const { failure } = result
    if (noSuchKey.has(failure.errorCode)) return { notFound: true }
    throw new AppError('plaid_unavailable', 'The webhook key could not be fetched from Plaid.', {
      reason: failure.errorCode,
    })
  }
}
