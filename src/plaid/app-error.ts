// Maps a failure of Plaid to the error of a request.
import { AppError, frozenError } from '../errors.ts'
import { foreignTokenCode, frozenCode, type PlaidFailure } from './errors.ts'

/** The error for a client, without Plaid's texts. */
export function toAppError(failure: PlaidFailure): AppError {
  const reason = `${failure.errorType} ${failure.errorCode} ${failure.requestId ?? ''}`.trim()
  switch (failure.class) {
    case 'retry':
    case 'restart':
    case 'institution_down':
    case 'item_error':
    case 'not_ready':
    case 'rate_limited':
    case 'deferred':
      if (failure.errorCode === frozenCode) return frozenError({ reason })
      return new AppError(
        'plaid_unavailable',
        'Plaid or the institution does not respond at the moment. Try again shortly.',
        {
          reason,
          retryAfterSeconds: failure.retryAfterSeconds ?? 30,
        },
      )
    case 'update_mode':
    case 'at_bank':
    case 'consent_needed':
    case 'relink':
    case 'revoked':
    case 'gone':
      return new AppError('item_needs_attention', 'The item needs an action by the user. See its action_required.', {
        reason,
      })
    case 'product_absent':
    case 'ours':
      if (failure.errorCode === foreignTokenCode)
        return new AppError('misconfigured', 'The service is not configured correctly.', { reason })
      return new AppError('plaid_rejected', 'Plaid refused the request.', { reason })
  }
}
