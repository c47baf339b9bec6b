// Why a sign-in failed: a word for the page, which shows its own sentence, and a reason for the log.
import { AppError } from '../errors.ts'

/**
 * `expired`: this browser did not begin it, or too long ago · `denied`: the person or the provider declined · `again`: the
 * provider asks to try again · `interaction`: the provider asks
 * the person for something, such as a second factor · `settings`: the provider does not accept this client · `provider`: the provider fails, or its
 * response is not valid · `token`: the API does not accept the access token
 */
export type SignInProblem = 'expired' | 'denied' | 'again' | 'interaction' | 'settings' | 'provider' | 'token'

export class SignInFailed extends Error {
  override readonly name = 'SignInFailed'
  readonly problem: SignInProblem

  /** @param reason for the log; contains nothing that the provider or a browser sent */
  constructor(problem: SignInProblem, reason: string) {
    super(reason)
    this.problem = problem
  }
}

/** RFC 6749 §4.1.2.1, §5.2 and OpenID Connect Core §3.1.2.6. Others mean that the client's settings are wrong. */
const ofCodes = new Map<string, SignInProblem>([
  ['access_denied', 'denied'],
  ['invalid_grant', 'expired'],
  ['server_error', 'again'],
  ['temporarily_unavailable', 'again'],
])

/** The failure that an error code of the provider means. Only codes of a standard's form are logged. */
export function failureOfCode(code: string): SignInFailed {
  const named = /^[a-z_]{1,60}$/.test(code) ? code : 'an unknown error'
  const known = code.endsWith('_required') ? 'interaction' : ofCodes.get(code)
  return new SignInFailed(known ?? 'settings', `the provider answered ${named}`)
}

/** Null for a defect. */
export function failureOf(error: unknown): SignInFailed | null {
  if (error instanceof SignInFailed) return error
  if (!(error instanceof AppError)) return null
  if (error.code === 'unauthorized') return new SignInFailed('token', error.reason ?? error.detail)
  return error.code === 'unavailable' ? new SignInFailed('provider', error.reason ?? error.detail) : null
}
